"""Photos of all sessions together stay under one cap, and none is lost without a word."""

from __future__ import annotations

import numpy as np
import pytest
import streamlit as st

from pages.shared import caps, engine, photo_store
from tests.pages.conftest import file_of
from vision_core import models


@pytest.fixture(autouse=True)
def _fresh():
    photo_store.store.clear()
    yield
    photo_store.store.clear()


def noise(seed: int, height: int = 400, width: int = 500) -> bytes:
    return file_of(np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8))


def test_many_sessions_with_many_photos_stay_under_the_cap(monkeypatch) -> None:
    monkeypatch.setenv("CONVSCOPE_PHOTO_MB", "2")  # three photos of 0.6 MB
    kept = [photo_store.keep(noise(seed), f"photo {seed}.png") for seed in range(8)]
    assert photo_store.store().nbytes <= 2 * 2**20
    assert sum(photo_store.entry(one).photo is not None for one in kept) == 3
    lost = photo_store.entry(kept[0])
    assert lost.photo is None and lost.error is not None
    assert "photo 0.png" in lost.error and "2 MB" in lost.error and "upload" in lost.error
    again = photo_store.keep(noise(0), "photo 0.png")
    assert again.token == kept[0].token, "the same file is the same photo, wherever a link names it"
    assert photo_store.entry(kept[0]).photo is not None


def test_what_is_looked_at_stays(monkeypatch) -> None:
    monkeypatch.setenv("CONVSCOPE_PHOTO_MB", "2")
    first = photo_store.keep(noise(0), "first.png")
    for seed in range(1, 8):
        photo_store.keep(noise(seed), "other.png")
        assert photo_store.entry(first).photo is not None


def test_the_same_file_is_held_once_and_keeps_each_ones_name() -> None:
    mine, yours = photo_store.keep(noise(1), "mine.png"), photo_store.keep(noise(1), "yours.png")
    assert len(photo_store.store()) == 1
    assert [photo_store.entry(k).photo.name for k in (mine, yours)] == ["mine.png", "yours.png"]
    assert photo_store.entry(mine).photo.pixels is photo_store.entry(yours).photo.pixels


def test_a_file_that_is_no_photo_keeps_its_sentence_and_no_room() -> None:
    kept = photo_store.keep(b"no picture", "notes.png")
    assert kept.sha256 is None and kept.token == "notes.png"
    assert "notes.png" in photo_store.entry(kept).error
    assert len(photo_store.store()) == 0


@pytest.mark.parametrize("text", ["", "0", "-5", "many", "1.5"])
def test_a_cap_that_is_no_number_counts_as_not_given(monkeypatch, text) -> None:
    usual = caps.photos()
    monkeypatch.setenv("CONVSCOPE_PHOTO_MB", text)
    assert caps.photos() == usual


def test_models_are_kept_by_bytes_and_the_largest_alone(monkeypatch) -> None:
    small, other = models.card("alexnet_s").name, models.card("vgg_s").name
    room = engine.bytes_of(models.load(small)) + engine.bytes_of(models.load(other))
    st.cache_resource.clear()
    monkeypatch.setattr(caps, "models", lambda: room + 1)
    try:
        first = engine.load_model(small, "cpu")
        engine.load_model(other, "cpu")
        assert engine.load_model(small, "cpu") is first
        large = engine.load_model("fcos_s", "cpu")  # larger than the cap
        assert engine.load_model("fcos_s", "cpu") is large
        assert engine.load_model(small, "cpu") is not first
    finally:
        st.cache_resource.clear()


def test_bytes_of_a_model_are_those_of_its_tensors() -> None:
    model = models.load("alexnet_s")
    state = model.module.state_dict()
    assert engine.bytes_of(model) == sum(t.numel() * t.element_size() for t in state.values())
