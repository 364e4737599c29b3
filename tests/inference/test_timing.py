"""Times of a network: the cold first run does not count, and nobody waits for a whole series."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from tests.figures import scenes
from vision_core import devices, inference
from vision_core.inference import measuring
from vision_core.inference.measuring import measure, median
from vision_core.models import load


@pytest.fixture(autouse=True)
def nothing_known():
    measuring._known.clear()
    yield
    measuring._known.clear()


def told(monkeypatch, *milliseconds: float) -> list[bool]:
    """Let a network's runs take these times; returns who held the slot, run by run."""
    left, held = list(milliseconds), []

    def trace(model, photo):
        held.append(devices.slot.held)
        info = SimpleNamespace(timing_ms={"network": left.pop(0), "read": 1.0})
        return SimpleNamespace(info=info)

    monkeypatch.setattr(inference, "trace", trace)
    return held


def network(name: str = "n", fingerprint: str = "f") -> SimpleNamespace:
    return SimpleNamespace(name=name, fingerprint=fingerprint, device=torch.device("cpu"))


def test_the_first_run_does_not_count_and_the_median_does(monkeypatch) -> None:
    held = told(monkeypatch, 3230, 30, 27, 900, 26, 28)
    found = measure(network(), scenes.photo())
    assert found.stages == {"network": 28, "read": 1.0} and found.total == 29
    assert (found.runs, found.how) == (5, "median of 5 runs after a warm-up")
    assert held == [True] * 6


@pytest.mark.parametrize(
    ("each", "runs", "how"),
    [
        (399, 5, "median of 5 runs after a warm-up"),
        (401, 3, "median of 3 runs after a warm-up"),
        (2500, 1, "one run after a warm-up"),
    ],
)
def test_a_slow_network_runs_less_often(each, runs, how) -> None:
    calls = []
    found = median(lambda: calls.append(1) or {"network": each})
    assert len(calls) == runs + 1
    assert (found.runs, found.how, found.total) == (runs, how, each)


def test_it_is_kept_for_weights_device_and_size(monkeypatch) -> None:
    held = told(monkeypatch, *[10] * 24)
    photo = scenes.photo()
    for _ in range(3):
        measure(network(), photo)
    assert len(held) == 6
    measure(network(), replace(photo, sha256="another photo of this size"))
    assert len(held) == 6
    measure(network(fingerprint="g"), photo)
    measure(network("other of the same file"), photo)
    measure(network(), replace(photo, pixels=photo.pixels[:-1]))
    assert len(held) == 24
    assert measuring._known.max_bytes == measuring.KEPT and measuring._known.nbytes == 4


def test_others_come_in_between_two_runs(monkeypatch) -> None:
    """The slot is free again when a run's times are read, before the next run."""
    free: list[bool] = []

    class Times(dict[str, float]):
        def values(self):
            free.append(not devices.slot.held)
            return super().values()

    def trace(model, photo):
        return SimpleNamespace(info=SimpleNamespace(timing_ms=Times(network=1.0)))

    monkeypatch.setattr(inference, "trace", trace)
    measure(network(), scenes.photo())
    assert free and all(free)


def test_a_real_network(cat) -> None:
    model = load("fcos_s")
    found = measure(model, cat)
    assert list(found.stages) == list(inference.trace(model, cat).info.timing_ms)
    assert min(found.stages.values()) >= 0 < found.total
    assert found is measure(model, cat)
