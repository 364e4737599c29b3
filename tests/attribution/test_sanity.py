"""The randomisation test counts the layers that the target depends on, and touches no other."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import pytest
import torch
import torchvision
from torch import nn

from tests.attribution.nets import Modules, fixed, question_of
from vision_core import models, samples
from vision_core.attribution import ask, default_target, explain, parse
from vision_core.attribution.sanity import layers_on_the_way, randomised, weighted_layers
from vision_core.attribution.shadow import shadow
from vision_core.inference import trace

_CASES = [
    ("fcos_s", "score"),
    ("fcos_s", "x1"),
    ("faster_rcnn_s", "score"),
    ("alexnet_s", ""),
    ("pose_heatmap_s", "joint"),
]


@lru_cache
def asked(name: str, part: str = ""):
    """A question about the best prediction of a bundled network."""
    model, photo = models.load(name), samples.sample("astronaut")
    found = trace(model, photo)
    target = default_target(found)
    if part == "joint":
        target = parse(f"candidate:{target.candidate}:joint:left_wrist")
    elif part:
        target = replace(target, part=part)
    return ask(model, photo, found, target)


def score(question) -> float:
    with torch.no_grad():
        return float(question.run(question.input)[0])


@pytest.mark.parametrize(("name", "part"), _CASES)
def test_a_layer_counts_if_and_only_if_its_weights_move_the_target(name, part) -> None:
    question = asked(name, part)
    before, way = score(question), layers_on_the_way(question)
    every = weighted_layers(question.module)
    assert way and len(set(way)) == len(way) and set(way) <= set(every)
    moved = [n for n in every if score(randomised(question, [n])) != before]
    assert set(way) == set(moved)


def test_the_other_branch_of_a_detector_does_not_count() -> None:
    classes, edge = (layers_on_the_way(asked("fcos_s", part)) for part in ("score", "x1"))
    assert classes[0] == "head.classification_head.cls_logits"
    assert edge[0] == "head.regression_head.bbox_reg"
    assert not any("regression_head" in n for n in classes)
    assert not any("classification_head" in n or "ctrness" in n for n in edge)
    second = layers_on_the_way(asked("faster_rcnn_s", "score"))
    assert second[0] == "roi_heads.box_predictor.cls_score"
    assert not any(n.startswith("rpn.") or n.endswith("bbox_pred") for n in second)


def test_the_first_layers_change_the_map_of_a_detection() -> None:
    question = asked("fcos_s", "score")
    trained = explain(question, "gradient").values
    first = layers_on_the_way(question)[:1]
    assert abs(explain(randomised(question, first), "gradient").values - trained).max() > 0


def test_layers_come_in_the_order_of_execution_from_the_target_back() -> None:
    class Turned(nn.Module):
        """Defined in another order than it runs, with a layer that is read without a call."""

        def __init__(self) -> None:
            super().__init__()
            self.fc, self.two = nn.Linear(8, 4), nn.Conv2d(6, 8, 3)
            self.one, self.idle = nn.Conv2d(3, 6, 3), nn.Conv2d(3, 6, 3)
            self.mix = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.idle(x)
            x = self.two(self.one(x).relu()).flatten(2).transpose(1, 2)
            return self.fc(self.mix(x, x, x)[0].mean(1))

    way = layers_on_the_way(question_of(Turned().eval(), fixed(12, 12)))
    assert way[0] == "fc" and set(way[1:3]) == {"mix", "mix.out_proj"}
    assert way[3:] == ("two", "one")
    resnet = torchvision.models.resnet18(weights=None).eval()
    way = layers_on_the_way(question_of(resnet, fixed(64, 64)))
    assert way[0] == "fc" and way[-2:] == ("bn1", "conv1") and len(way) == 41


def test_a_shut_relu_hides_no_layer() -> None:
    net = Modules()
    with torch.no_grad():
        net.two.bias.fill_(-1e3)  # nothing passes the second ReLU on this photo
    question = question_of(net, fixed())
    assert abs(explain(question, "gradient").values).max() == 0
    # what one puts out cannot matter here, but other weights would open the way
    assert layers_on_the_way(question) == ("fc", "two", "one")


@pytest.mark.parametrize(("name", "part"), [("resnet_s", ""), ("fcos_s", "score")])
def test_nothing_shared_changes(name, part) -> None:
    module, question = models.load(name).module, asked(name, part)
    tensors = [*module.parameters(), *module.buffers()]
    before = [(t.clone(), t.data_ptr(), t._version, t.requires_grad) for t in tensors]
    modules, hooks = list(module.modules()), [len(m._forward_pre_hooks) for m in module.modules()]
    state, value = torch.get_rng_state(), score(question)
    with torch.inference_mode():
        way = layers_on_the_way(question)
    score(randomised(question, way, seed=3))
    for tensor, (values, place, version, wants) in zip(tensors, before, strict=True):
        assert torch.equal(tensor, values) and tensor.data_ptr() == place
        assert tensor._version == version and tensor.requires_grad == wants
        assert tensor.grad is None and not getattr(tensor, "_post_accumulate_grad_hooks", None)
    assert list(module.modules()) == modules
    assert [len(m._forward_pre_hooks) for m in modules] == hooks
    assert torch.equal(torch.get_rng_state(), state) and score(question) == value


def test_random_layers_keep_the_statistics_and_the_signal() -> None:
    question = asked("resnet_s")
    way, held = layers_on_the_way(question), dict(question.module.named_parameters())
    for count in (1, 5, len(way)):
        other = randomised(question, way[:count], seed=3)
        with torch.no_grad():
            logits = other.logits(other.module, other.input)
        assert logits.isfinite().all() and logits.std() > 0
        changed = {
            n.rpartition(".")[0]
            for n, p in other.module.named_parameters()
            if not torch.equal(p, held[n])
        }
        assert changed == set(way[:count])
        for name, value in other.module.named_buffers():
            assert torch.equal(value, question.module.get_buffer(name))
        assert other.known is not question.known
    again, same, third = (
        randomised(question, way[:count], seed).module.fc.weight
        for count, seed in ((1, 3), (7, 3), (1, 4))
    )
    assert torch.equal(again, same) and not torch.equal(again, third)


def test_layers_that_share_their_weights_still_share_them() -> None:
    net = Modules()
    net.three = nn.Conv2d(6, 8, 3)
    net.three.weight = net.two.weight
    copied = randomised(question_of(net, fixed()), ["two"]).module
    assert copied.three.weight is copied.two.weight
    assert not torch.equal(copied.two.weight, net.two.weight)
    assert shadow(net).three.weight is net.two.weight


def test_weights_of_no_known_layer_stay_as_large_as_they_were() -> None:
    class Scaled(Modules):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.full((8,), 20.0))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.act(self.two(self.act(self.one(x)))).mean((2, 3))
            return self.fc(x * self.scale)

    question = question_of(Scaled().eval(), fixed())
    assert "" in layers_on_the_way(question)
    fresh = randomised(question, [""]).module.scale
    assert fresh.std() > 5 and fresh.abs().max() < 100


def test_a_joint_stays_where_the_trained_network_saw_it() -> None:
    question = asked("pose_heatmap_s", "joint")
    other = randomised(question, layers_on_the_way(question))
    with torch.no_grad():
        trained, random = (q.module(q.input)[0] for q in (question, other))
    joint = models.load("pose_heatmap_s").card.joints.index("left_wrist")
    peak = int(trained[joint].argmax())
    assert int(random[joint].argmax()) != peak, "else this shows nothing"
    assert score(other) == pytest.approx(float(random[joint].flatten()[peak]), abs=1e-5)
