"""LRP on whole networks: what has rules, what is refused, and that nothing shared changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn

from tests.attribution.nets import calibrated, fixed, question_of, same_state, state_of
from tests.attribution.test_lrp import plain
from vision_core import methods, models
from vision_core.attribution import ask, default_target, explain, parse
from vision_core.attribution.lrp import RULES, lrp
from vision_core.errors import UserError
from vision_core.inference import trace
from vision_core.samples import sample


class Gated(nn.Module):
    """A product of two ways, as in squeeze and excitation."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv(x)
        return (out * out.mean((2, 3), keepdim=True)).mean((2, 3))


@pytest.mark.parametrize(
    ("net", "settings", "words"),
    [
        (nn.Sequential(nn.Conv2d(3, 2, 8), nn.SiLU(), nn.Flatten()), {}, "there is also SiLU"),
        (Gated(), {}, "a product"),
        (plain(True).float(), {"lrp_rule": "best"}, "no lrp_rule 'best'"),
        (plain(True).float(), {"lrp_epsilon": -1.0}, "must be 0 or more"),
    ],
)
def test_what_has_no_rule_is_refused(net, settings, words) -> None:
    with pytest.raises(UserError, match=words):
        explain(question_of(net, fixed()), "lrp", **settings)


def test_an_edge_of_a_box_is_refused_and_its_score_is_not() -> None:
    photo, model = sample("cat"), models.load("fcos_s")
    found = trace(model, photo)
    with pytest.raises(UserError, match="on the way to this target there is also"):
        explain(ask(model, photo, found, parse("box:0:x1")), "lrp")
    answer = explain(ask(model, photo, found, parse("box:0")), "lrp")
    assert np.abs(answer.values).max() > 0


@pytest.mark.parametrize(
    "build", ["resnet18", "vgg11_bn", "squeezenet1_1", "mobilenet_v2", "shufflenet_v2_x0_5"]
)
def test_torchvisions_networks_with_relus_have_all_rules(build) -> None:
    torch.manual_seed(0)
    net = calibrated(getattr(torchvision.models, build)(weights=None))
    logits = net(fixed(64, 64))[0]
    best = int(logits.argmax())
    got = lrp(question_of(net, fixed(64, 64), best))
    assert got.score == pytest.approx(float(logits[best]), rel=1e-3, abs=1e-5)
    assert bool(got.values.isfinite().all()) and float(got.values.abs().max()) > 0


@pytest.mark.parametrize("build", ["densenet121", "efficientnet_b0", "convnext_tiny", "vit_b_32"])
def test_torchvisions_other_networks_are_refused(build) -> None:
    net = getattr(torchvision.models, build)(weights=None).eval()
    side = 224 if build == "vit_b_32" else 64
    with pytest.raises(UserError, match="LRP has rules for"):
        lrp(question_of(net, fixed(side, side)))


@pytest.mark.parametrize("name", ["fcos_s", "mask_rcnn_s", "yolo_s", "segnet_s", "fcn_deconv_s"])
def test_the_score_stays_and_the_network_too(name) -> None:
    photo, model = sample("cat"), models.load(name)
    before = state_of(model.module)
    found = trace(model, photo)
    question = ask(model, photo, found, default_target(found))
    got = lrp(question)
    with torch.no_grad():
        assert got.score == pytest.approx(float(question.run(question.input)[0][0]), abs=1e-3)
    assert bool(got.values.isfinite().all()) and float(got.values.abs().max()) > 0
    assert same_state(before, state_of(model.module))


def test_the_settings_are_those_of_the_function() -> None:
    rule, epsilon, gamma = methods.method("lrp").settings
    assert rule.choices == RULES
    assert lrp.__defaults__ == (rule.default, epsilon.default, gamma.default)
