"""How often a network runs for a map at its default layer, and what is found once per network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision

from tests.attribution.nets import fixed, question_of
from vision_core import models, samples
from vision_core.attribution import ask, cam, default_target, explain
from vision_core.inference import trace
from vision_core.records.targets import BoxTarget


def passes(question, part, method: str, **settings) -> int:
    """Runs of a module of the network while a method makes its map."""
    runs: list[int] = []
    handle = part.register_forward_hook(lambda *_: runs.append(1))
    explain(question, method, **settings)
    handle.remove()
    return len(runs)


@pytest.mark.parametrize(
    ("method", "most"), [("gradcam", 1), ("guided_gradcam", 2), ("eigencam", 1)]
)
def test_one_recording_finds_the_default_layer_and_gives_its_map(method, most) -> None:
    torch.manual_seed(0)
    net = torchvision.models.resnet18(weights=None).eval()
    question = question_of(net, fixed(64, 64))
    assert not question.kind, "nothing is known of this network from an earlier question"
    assert passes(question, question.module, method) == most
    named = explain(question, method, layers=("layer4",))
    assert np.array_equal(explain(question, method).values, named.values)
    assert named.settings == explain(question, method).settings


@pytest.mark.parametrize("name", ["fcos_s", "faster_rcnn_s"])
@pytest.mark.parametrize(("method", "most"), [("gradcam", 1), ("guided_gradcam", 2)])
def test_the_backbone_of_a_detector_runs_once_for_a_recording(name, method, most) -> None:
    model, photo = models.load(name), samples.sample("cat")
    found = trace(model, photo)
    for _ in range(2):  # before the default layer is known, and after
        question = ask(model, photo, found, default_target(found))
        assert passes(question, question.module.backbone, method) == most


def test_the_default_layer_is_found_once_for_each_network(monkeypatch) -> None:
    recorded, record_pass = [], cam._pass
    monkeypatch.setattr(
        cam, "_pass", lambda q, layers, g: recorded.append(layers) or record_pass(q, layers, g)
    )
    monkeypatch.setattr(cam, "_layers", type(cam._layers)(9, size=lambda _: 1))
    photo = samples.sample("cat")
    layers = {}
    for name in ("resnet_s", "vgg_s", "resnet_s", "vgg_s"):
        model = models.load(name)
        found = trace(model, photo)
        question = ask(model, photo, found, default_target(found))
        layers.setdefault(name, set()).add(cam.default_layer(question))
        assert set(cam.map_layers(question)) >= layers[name]
    assert recorded == [None, None] and all(len(names) == 1 for names in layers.values())


@pytest.mark.parametrize("name", ["fcos_s", "faster_rcnn_s"])
def test_what_is_kept_is_what_a_new_recording_would_say(name) -> None:
    model, photo = models.load(name), samples.sample("cat")
    found = trace(model, photo)
    levels = np.unique(found.level, return_index=True)[1]
    for candidate in {int(i) for i in levels} | {int(found.scores.argmax())}:
        for part in ("score", "x1"):
            question = ask(model, photo, found, BoxTarget(candidate, part))
            kept = cam.default_layer(question)
            whole = cam._pass(question, None, True)  # what a network seen for the first time does
            way = {n: grad for n, grad in whole.grads.items() if grad is not None}
            live = [n for n, grad in way.items() if grad.any()] or list(way)
            assert kept == cam._coarsest({n: whole.maps[n] for n in live})
