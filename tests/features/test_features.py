"""Activations, filters and activation maximisation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.transforms.functional import center_crop, gaussian_blur, resize

from tests.attribution.nets import Modules, fixed, question_of, same_state, state_of
from vision_core import models, samples
from vision_core.errors import UserError
from vision_core.features.activations import activations, grid, map_layers
from vision_core.features.filters import convolutions, filters, order, pictures
from vision_core.features.maximise import Regularisers, maximise
from vision_core.records.targets import UnitTarget


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("resnet_s", "trunk.stem.0"),
        ("fcos_s", "backbone.trunk.stages.2"),
        ("pose_heatmap_s", "trunk.stages.1"),
    ],
)
def test_activations_are_what_the_layer_computes(name, layer) -> None:
    model, photo = models.load(name), samples.sample("astronaut")
    before = state_of(model.module)
    found = activations(model, photo, layer)
    assert same_state(before, state_of(model.module))
    seen = []
    handle = model.module.get_submodule(layer).register_forward_hook(
        lambda _, __, out: seen.append(out.detach().clone())
    )
    try:
        from vision_core.inference import PartSource, trace

        traced = trace(model, photo)
        if name == "pose_heatmap_s":
            PartSource(model, photo, traced).keypoints([int(traced.scores.argmax())])
    finally:
        handle.remove()
    np.testing.assert_allclose(found.values, seen[0][0].numpy(), atol=1e-5)
    if layer == "trunk.stem.0":
        assert found.values.min() < 0, "before the ReLU in place"
    best = found.strongest(3)
    assert found.values[best[0]].max() == found.values.max() and len(set(best)) == 3
    assert grid(found.values, best).shape == (3, *found.values.shape[1:])
    assert layer in map_layers(model, photo)


def test_a_layer_that_is_not_there() -> None:
    model, photo = models.load("resnet_s"), samples.sample("cat")
    with pytest.raises(UserError, match="no layer 'conv9'"):
        activations(model, photo, "conv9")
    with pytest.raises(UserError, match="no channel 999"):
        grid(activations(model, photo, "trunk.stem.0").values, [0, 999])


def test_filters_are_the_weights_and_their_orders_are_permutations() -> None:
    module = models.load("resnet_s").module
    names = convolutions(module)
    first = filters(module)
    assert first.layer == names[0] == "trunk.stem.0" and first.colour
    assert np.array_equal(first.weights, module.trunk.stem[0].weight.numpy())
    for by in ("as stored", "norm", "similarity"):
        assert sorted(order(first.weights, by)) == list(range(len(first.weights)))
    norms = np.linalg.norm(first.weights.reshape(len(first.weights), -1), axis=1)
    assert (np.diff(norms[order(first.weights, "norm")]) <= 1e-7).all()
    shown = pictures(first.weights)
    assert shown.dtype == np.uint8 and shown.shape == (len(first.weights), 3, 3, 3)
    assert not filters(module, names[3]).colour
    for call in (
        lambda: filters(module, "fc"),
        lambda: order(first.weights, "size"),
        lambda: filters(nn.Linear(2, 2)),
    ):
        with pytest.raises(UserError):
            call()


def test_similar_filters_come_next_to_each_other() -> None:
    one, other = np.eye(3).reshape(1, 9), np.ones((1, 9))
    weights = np.concatenate([one, other, 1.1 * one, 0.9 * other, 0.8 * one])
    path = order(weights, "similarity").tolist()
    assert path[0] == 1, "of largest norm"
    assert set(path[:2]) == {1, 3} and set(path[2:]) == {0, 2, 4}


def test_grey_is_zero_and_a_shared_scale_keeps_weak_filters_weak() -> None:
    weights = np.zeros((2, 3, 2, 2), np.float32)
    weights[0, 0, 0, 0], weights[1, 1, 1, 1] = 1.0, -0.1
    own, shared = pictures(weights), pictures(weights, shared=True)
    assert own[0, 1, 1].tolist() == [128, 128, 128]
    assert own[0, 0, 0, 0] == 255 and own[1, 1, 1, 1] == 0
    assert shared[0, 0, 0, 0] == 255 and 110 < shared[1, 1, 1, 1] < 128


def climbed(question, **settings) -> list:
    return list(maximise(question, steps=24, every=8, **settings))


def test_the_score_rises_and_the_run_repeats_with_its_seed() -> None:
    question = question_of(Modules(), fixed(), 2)
    runs = [climbed(question, seed=s) for s in (0, 0, 1)]
    assert [f.step for f in runs[0]] == [0, 8, 16, 24]
    assert runs[0][-1].score > runs[0][0].score
    assert np.array_equal(runs[0][-1].picture, runs[1][-1].picture)
    assert not np.array_equal(runs[0][-1].picture, runs[2][-1].picture)
    assert not np.array_equal(runs[0][0].picture, runs[0][-1].picture)


def test_also_for_a_unit_that_is_dead_at_the_start() -> None:
    class Dead(Modules):
        def forward(self, x):
            return self.act(self.one(x) - 0.6)[:, :, 10, 12]

    net = Dead().eval()
    question = question_of(net, fixed(), 1)
    with torch.no_grad():
        assert float(net(torch.randn(1, 3, 20, 24) * 0.1).max()) == 0.0
    frames = list(maximise(question, steps=60, rate=0.2))
    assert frames[0].score == 0.0 < frames[-1].score


def test_the_first_frame_is_the_photo_as_the_network_saw_it() -> None:
    from vision_core.attribution import ask, default_target
    from vision_core.inference import trace

    model, photo = models.load("resnet_s"), samples.sample("cat")
    question = ask(model, photo, trace(model, photo), default_target(trace(model, photo)))
    first = next(maximise(question, from_photo=True)).picture.astype(int)
    pixels = torch.from_numpy(photo.pixels.copy()).permute(2, 0, 1)
    cut = resize(pixels, [160], antialias=True)
    cut = center_crop(cut, [160, 160]).permute(1, 2, 0).numpy().astype(int)
    assert abs(first - cut).max() <= 1


def test_blur_and_jitter_leave_a_unit_its_pattern_that_sees_few_pixels() -> None:
    class Edge(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 1, 3, bias=False)
            self.conv.weight.data = torch.tensor([[-1.0, 2.0, -1.0]]).expand(1, 3, 3, 3).clone()

        def forward(self, x):
            return self.conv(x)[:, :, 9, 11]

    question = question_of(Edge().eval(), fixed(), 0)
    kept = Regularisers(blur=0.5, jitter=4)
    rough, soft = (list(maximise(question, 48, regularisers=r)) for r in (Regularisers(), kept))
    # little remains of it where it moves under the unit and is blurred as a large picture is
    assert soft[-1].score > 0.6 * rough[-1].score > 2 * abs(rough[0].score)


def test_regularisers_do_what_they_say() -> None:
    from vision_core.features.maximise import _regularised

    x, grad = fixed(24, 24), fixed(24, 24, seed=5)
    assert torch.equal(_regularised(x, grad, Regularisers(), 4), x)
    assert torch.allclose(_regularised(x, grad, Regularisers(l2=0.1), 1), 0.9 * x)
    blurred = _regularised(x, grad, Regularisers(blur=1.0), 4)
    assert torch.allclose(blurred, gaussian_blur(x, [5, 5], [1.0, 1.0]))
    assert torch.equal(_regularised(x, grad, Regularisers(blur=1.0), 3), x)
    for name, size in (
        ("clip_pixels", x.norm(dim=1)[0]),
        ("clip_gradients", (x * grad).sum(1).abs()[0]),
    ):
        out = _regularised(x, grad, Regularisers(**{name: 0.25}), 1)[0]
        gone = (out == 0).all(0)
        assert int(gone.sum()) == pytest.approx(0.25 * 24 * 24, abs=1)
        assert size[gone].max() <= size[~gone].min()
    for wrong in ({"l2": 2.0}, {"blur": -1.0}, {"clip_pixels": 1.0}, {"jitter": 100}):
        with pytest.raises(UserError):
            Regularisers(**wrong)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"rate": -1.0}, {"every": 0}])
def test_numbers_out_of_range(wrong) -> None:
    with pytest.raises(UserError, match="1 or more"):
        next(maximise(question_of(Modules(), fixed()), **wrong))


def test_a_unit_of_a_real_network_can_be_maximised() -> None:
    from vision_core.attribution import ask
    from vision_core.inference import trace

    model, photo = models.load("resnet_s"), samples.sample("cat")
    question = ask(model, photo, trace(model, photo), UnitTarget("trunk.stages.1", 3, 8, 8))
    frames = list(maximise(question, steps=12, regularisers=Regularisers(l2=0.01, jitter=4)))
    assert frames[-1].score > frames[0].score
    assert frames[-1].picture.shape == (160, 160, 3)
