"""What the draggable patch is given is what the network says with the patch there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pages.components.occluder import SHOWN, content
from vision_core import models, samples
from vision_core.attribution import ask, parse
from vision_core.attribution.occlusion import sweep
from vision_core.inference import trace


@pytest.mark.parametrize(("name", "text"), [("resnet_s", "cat"), ("fcos_s", "candidate:5")])
def test_scores_at_a_place_are_those_of_a_forward_pass(name, text) -> None:
    photo, model = samples.sample("cat"), models.load(name)
    question = ask(model, photo, trace(model, photo), parse(text))
    *_, done = sweep(question, patch=64, stride=32)
    sent = content(photo, question, done)
    assert len(sent["places"]) == len(sent["there"]) == len(done.corners)
    at = len(done.corners) // 2
    top, left = done.corners[at].tolist()
    hidden = question.input.clone()
    hidden[:, :, top : top + 64, left : left + 64] = 0
    with torch.no_grad():
        if name == "resnet_s":
            said = model.module(hidden).softmax(1)[0]
            expected = [float(said[model.labels.index(n)]) for n in sent["names"]]
            assert len(sent["names"]) == SHOWN and sent["names"][0] == "cat"
        else:
            expected = [float(question.run(hidden)[0][0])]
    np.testing.assert_allclose(sent["there"][at], expected, atol=2e-4)
    x, y = sent["places"][at]
    assert x == pytest.approx(question.window.left + left * question.window.scale_x, abs=0.01)
    assert y == pytest.approx(question.window.top + top * question.window.scale_y, abs=0.01)
