"""A device whose memory is used up: the photo runs on the CPU, and everybody else goes on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pages.shared import engine, state
from tests.pages.conftest import sound, start, text_of
from vision_core import models, samples
from vision_core.inference import trace
from vision_core.models.loading import on_cpu


@pytest.fixture
def full(monkeypatch):
    """A model that says it is on a GPU, and a GPU without memory."""
    here = models.load("mask_rcnn_s", device="cpu")
    there = replace(here, device=torch.device("cuda"))
    tried: list[str] = []

    def small(model, photo):
        tried.append(model.device.type)
        if model.device.type == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return trace(model, photo)

    monkeypatch.setattr(engine, "trace", small)
    return here, there, tried


def test_what_does_not_fit_the_device_runs_on_the_cpu_and_says_so(full, monkeypatch) -> None:
    here, there, tried = full
    notes: list[str] = []
    monkeypatch.setattr(state, "note", notes.append)
    photo = samples.sample("cat")
    made, expected = engine.trace_of(there, photo), trace(here, photo)
    assert tried == ["cuda", "cpu"] and made.info.device == "cpu"
    np.testing.assert_array_equal(made.boxes, expected.boxes)
    assert len(notes) == 1 and "mask_rcnn_s" in notes[0] and "CPU" in notes[0]
    assert engine.trace_of(there, photo) is made, "who asks second waits for no device"
    masks = engine.parts_of(there, photo, made).masks([0])
    np.testing.assert_array_equal(masks, engine.parts_of(here, photo, expected).masks([0]))


def test_the_cpu_itself_has_nothing_to_fall_back_on(full, monkeypatch) -> None:
    here, _, tried = full
    monkeypatch.setattr(engine, "trace", lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError()))
    with pytest.raises(torch.OutOfMemoryError):
        engine.trace_of(here, samples.sample("coffee"))
    assert not tried


def test_the_copy_leaves_the_model_alone() -> None:
    model = models.load("pose_heatmap_s", device="cpu")
    before = {name: value.clone() for name, value in model.module.state_dict().items()}
    copied = on_cpu(model)
    with torch.no_grad():
        for value in copied.module.parameters():
            value.zero_()
    assert copied.detector is not None and copied.detector.module is not model.detector.module
    assert all(torch.equal(before[n], v) for n, v in model.module.state_dict().items())


def test_a_page_tells_it_in_a_sentence(monkeypatch) -> None:
    def full(*_given):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(engine, "trace", full)
    app = start("predictions", photo="coffee", model="fcos_s")
    assert not app.exception and not app.error
    assert any("too little memory" in w.value for w in app.warning)
    monkeypatch.undo()
    assert "too little memory" not in text_of(sound(app.run()))
