"""Style transfer against slow second versions and finite differences; DeepDream by its steps."""

from __future__ import annotations

import copy
import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from tests.attribution.nets import same_state, state_of
from vision_core import models, samples
from vision_core.errors import UserError
from vision_core.models import Model
from vision_core.style.cost import seconds_of_step
from vision_core.style.dream import DreamSettings, dream, pixels_of, seconds_of_pixel, sizes
from vision_core.style.losses import content_loss, gram, style_loss, total_variation
from vision_core.style.patterns import PATTERNS, pattern
from vision_core.style.reader import MEAN, STD, Reader, readable
from vision_core.style.settings import StyleSettings
from vision_core.style.transfer import StyleRun, fitted

SMALL = StyleSettings(side=48, style_weight=50)


@pytest.fixture(scope="module")
def vgg() -> Model:
    return models.load("vgg_s", device="cpu")


@pytest.fixture(scope="module")
def torchvision_vgg() -> Model:
    return models.load("vgg11_bn", device="cpu", random_seed=0)


def run_of(model: Model, settings: StyleSettings = SMALL, steps: int = 0) -> StyleRun:
    made = StyleRun(model, samples.sample("cat"), pattern("mosaic"), settings)
    made.grow(steps)
    return made


def maps(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed)).double()


def slow_gram(features: torch.Tensor) -> torch.Tensor:
    _, channels, high, wide = features.shape
    out = torch.zeros(channels, channels, dtype=features.dtype)
    for i in range(channels):
        for j in range(channels):
            for y in range(high):
                for x in range(wide):
                    out[i, j] += features[0, i, y, x] * features[0, j, y, x]
    return out


def test_the_gram_matrix_and_both_losses_are_the_papers() -> None:
    f, a = maps(5, 4, 3), maps(5, 6, 2, seed=1)
    n, m = 5, 12
    assert torch.allclose(gram(f) * m, slow_gram(f))
    assert torch.allclose(gram(f), torch.einsum("bchw,bdhw->cd", f, f) / m)
    # Equation 4, with sums; the style picture has as many places here.
    own, other = slow_gram(f), slow_gram(a)
    paper = sum(float((own[i, j] - other[i, j]) ** 2) for i in range(n) for j in range(n)) / (
        4 * n**2 * m**2
    )
    assert float(style_loss(f, gram(a))) == pytest.approx(paper)
    b = maps(5, 4, 3, seed=2)
    equation_1 = 0.5 * sum(float(v) ** 2 for v in (f - b).flatten())
    assert float(content_loss(f, b)) == pytest.approx(equation_1 / (n * m))


def test_total_variation_by_loops() -> None:
    x = maps(3, 5, 4)
    down = [
        (x[0, c, i + 1, j] - x[0, c, i, j]) ** 2
        for c in range(3)
        for i in range(4)
        for j in range(4)
    ]
    across = [
        (x[0, c, i, j + 1] - x[0, c, i, j]) ** 2
        for c in range(3)
        for i in range(5)
        for j in range(3)
    ]
    expected = float(sum(down)) / len(down) + float(sum(across)) / len(across)
    assert float(total_variation(x)) == pytest.approx(expected)
    assert float(total_variation(torch.ones(1, 3, 1, 1))) == 0


def test_gradients_are_those_of_finite_differences() -> None:
    x = maps(3, 4, 4).requires_grad_(True)
    target, other = gram(maps(3, 5, 5, seed=1)), maps(3, 4, 4, seed=2)
    assert torch.autograd.gradcheck(lambda v: style_loss(v, target), x)
    assert torch.autograd.gradcheck(lambda v: content_loss(v, other), x)
    assert torch.autograd.gradcheck(total_variation, x)
    # By hand: dE/dF = (G - A) F / (N² M), equation 6 with means.
    (got,) = torch.autograd.grad(style_loss(x, target), x)
    flat = x.detach()[0].flatten(1)
    by_hand = (gram(x.detach()) - target) @ flat / (9 * 16)
    assert torch.allclose(got[0].flatten(1), by_hand)


def test_the_reader_reads_what_hooks_read(vgg: Model, torchvision_vgg: Model) -> None:
    x = fitted(samples.sample("cat"), 64, torch.device("cpu"))
    normal = (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    for model, places in (
        (vgg, {"relu1_1": "trunk.stacks.0.0", "relu4_2": "trunk.stacks.3.1"}),
        (torchvision_vgg, {"relu1_1": "features.2", "relu3_2": "features.13"}),
    ):
        twin, kept = copy.deepcopy(model.module), {}
        for name, place in places.items():
            twin.get_submodule(place).register_forward_hook(
                lambda _m, _i, out, name=name, kept=kept: kept.update({name: out.clone()})
            )
        with torch.no_grad():
            twin(normal)
            found = Reader(model, average=False)(x, list(places))
        assert all(torch.allclose(found[n], kept[n], atol=1e-5) for n in places)
    assert Reader(vgg).layers == ("relu1_1", "relu2_1", "relu3_1", "relu3_2", "relu4_1", "relu4_2",
                                  "relu5_1", "relu5_2")  # fmt: skip


def test_average_pooling_is_torchs_and_the_networks_pooling_stays(vgg: Model) -> None:
    x = fitted(samples.sample("cat"), 64, torch.device("cpu"))
    with torch.no_grad():
        before = vgg.module(x)
        first = Reader(vgg)(x, ("relu1_1",))["relu1_1"]
        average = Reader(vgg, average=True)(x, ("relu2_1",))["relu2_1"]
        by_hand = vgg.module.trunk.stacks[1](F.avg_pool2d(first, 2, ceil_mode=True))
        assert torch.allclose(average, by_hand, atol=1e-6)
        assert torch.equal(vgg.module(x), before)
    assert isinstance(vgg.module.trunk.pool, nn.MaxPool2d)


@pytest.mark.parametrize("optimiser", ["lbfgs", "adam"])
def test_the_picture_grows_towards_the_style_and_nothing_shared_changes(vgg, optimiser) -> None:
    state = {k: v.clone() for k, v in vgg.module.state_dict().items()}
    made = run_of(vgg, replace(SMALL, optimiser=optimiser), 25)
    first, last = made.history[0], made.history[-1]
    assert first.content == pytest.approx(0, abs=1e-9) and last.content > 0
    assert last.style < 0.3 * first.style and last.total < first.total
    assert all(torch.equal(state[k], v) for k, v in vgg.module.state_dict().items())
    assert all(p.grad is None and not p.requires_grad for p in vgg.module.parameters())
    assert not any(m.training or m._forward_hooks for m in vgg.module.modules())
    assert made.picture.shape == (32, 48, 3) and made.picture.dtype == np.uint8


def test_the_losses_are_those_of_the_parts(vgg: Model) -> None:
    """A second way to the numbers: read, scale, compare, layer by layer."""
    settings = replace(SMALL, layer_weights={"relu1_1": 3.0}, smoothness=2.0, start="noise")
    made = run_of(vgg, settings)
    photo = fitted(samples.sample("cat"), 48, torch.device("cpu"))
    style = fitted(pattern("mosaic"), 48, torch.device("cpu"))
    reader, x = Reader(vgg), made._x.detach()
    with torch.no_grad():
        names = (*settings.style_layers, "relu4_2")
        p, s, f = (reader(one, names) for one in (photo, style, x))
        scale = {n: (p[n].mean() + s[n].mean()) / 2 for n in names}
        content = ((f["relu4_2"] - p["relu4_2"]) / scale["relu4_2"]).square().mean() / 2
        weights = {n: 3.0 if n == "relu1_1" else 1.0 for n in settings.style_layers}
        summed = 0.0
        for n, w in weights.items():
            g, a = ((t[n] / scale[n]).flatten(2)[0] for t in (f, s))
            apart = g @ g.T / g.shape[1] - a @ a.T / a.shape[1]
            summed += w * float(apart.square().mean() / 4)
    total = float(content) + 50 * summed / 7 + 2 * float(total_variation(x))
    assert made.history[0].total == pytest.approx(total, rel=1e-4)
    assert made.history[0].style == pytest.approx(summed / 7, rel=1e-4)


def test_steps_are_the_same_again_and_in_one_go_or_in_parts(vgg: Model) -> None:
    settings = replace(SMALL, start="noise", seed=4)
    one, two = run_of(vgg, settings, 12), run_of(vgg, settings, 5)
    two.grow(7)
    assert np.array_equal(one.picture, two.picture)
    assert not np.array_equal(
        run_of(vgg, replace(settings, seed=5)).picture, run_of(vgg, settings).picture
    )


def test_steps_are_taken_back(vgg: Model) -> None:
    made = run_of(vgg, SMALL, 10)
    then = made.picture
    made.grow(14)
    assert made.back_to == (20, 10, 0) and made.step == 24
    made.go_back(10)
    assert made.step == 10 and np.array_equal(made.picture, then)
    assert [h.number for h in made.history] == list(range(11)) and made.back_to == (0,)
    made.grow(1)
    assert made.step == 11
    with pytest.raises(UserError, match="Step 7 is not held"):
        made.go_back(7)


def test_the_result_has_the_gram_matrix_of_the_style(vgg: Model) -> None:
    made = run_of(vgg, replace(SMALL, style_weight=1e4), 60)
    found = made.grams("relu2_1")
    assert all(g.shape == (32, 32) and np.allclose(g, g.T, atol=1e-4) for g in found.values())

    def apart(name: str) -> float:
        return float(np.square(found[name] - found["style"]).sum())

    assert apart("result") < 0.1 * apart("content")


def test_a_run_counts_its_bytes_and_says_its_numbers(vgg: Model) -> None:
    made = run_of(vgg, SMALL, 20)
    one = 48 * 32 * 3 * 4
    assert made.nbytes > len(made._held) * one
    told = made.record()
    assert told["size"] == [48, 32] and len(told["steps"]) == 21
    assert told["settings"]["optimiser"] == "lbfgs"


def test_the_cost_grows_with_the_area(vgg: Model) -> None:
    ticks = itertools.count()
    small = seconds_of_step(vgg, replace(SMALL, side=96), (100, 100), lambda: next(ticks))
    large = seconds_of_step(vgg, replace(SMALL, side=192), (200, 100), lambda: next(ticks))
    assert large == pytest.approx(2 * small)


def test_a_pass_that_was_held_up_does_not_count_for_the_cost(vgg: Model) -> None:
    even, held_up = itertools.count(), iter([0, 60, 60, 61, 61, 90])
    usual = seconds_of_step(vgg, SMALL, (100, 100), lambda: next(even))
    assert seconds_of_step(vgg, SMALL, (100, 100), lambda: next(held_up)) == usual


@pytest.mark.parametrize(
    "wrong",
    [{"optimiser": "sgd"}, {"start": "blank"}, {"side": 5000}, {"style_weight": -1.0},
     {"rate": float("nan")}, {"layer_weights": {"relu1_1": -1.0}},
     {"content_layers": (), "style_layers": ()}],
)  # fmt: skip
def test_settings_out_of_range_are_one_sentence(wrong) -> None:
    with pytest.raises(UserError):
        StyleSettings(**wrong)


def test_other_networks_and_layers_are_refused(vgg: Model) -> None:
    with pytest.raises(UserError, match="is no VGG network"):
        run_of(models.load("resnet_s", device="cpu"))
    with pytest.raises(UserError, match=r"no layer 'relu9_1'.*relu5_2"):
        run_of(vgg, replace(SMALL, style_layers=("relu9_1",)))
    assert readable(models.card("vgg19")) and not readable(models.card("resnet18"))


def test_patterns_are_the_same_each_time_and_differ() -> None:
    made = {name: pattern(name).pixels for name in PATTERNS}
    anew = pattern.__wrapped__  # past the cache
    assert all(np.array_equal(p, anew(name).pixels) for name, p in made.items())
    assert len({p.tobytes() for p in made.values()}) == len(PATTERNS)
    with pytest.raises(UserError, match="no pattern"):
        pattern("monet")


SHORT = DreamSettings(side=96, octaves=3, steps=3, jitter=4)


def test_octaves_grow_by_the_scale_and_end_at_the_whole_picture() -> None:
    assert sizes(200, 100, DreamSettings(side=196, scale=1.4, octaves=3)) == [
        (50, 100),
        (70, 140),
        (98, 196),
    ]
    assert len(sizes(200, 100, DreamSettings(side=100, octaves=10))) == 2  # 32 pixels at least


@pytest.mark.parametrize("channel", [None, 5])
def test_a_dream_makes_its_layer_or_channel_stronger(vgg: Model, channel) -> None:
    layer, photo = "trunk.stacks.3", samples.sample("china")
    frames = list(dream(vgg, photo, layer, channel, SHORT))
    assert [f.step for f in frames] == list(range(frames[-1].total + 1))
    assert frames[-1].picture.shape[:2] == sizes(photo.width, photo.height, SHORT)[-1]
    x = fitted(photo, 96, torch.device("cpu"))
    end = torch.from_numpy(frames[-1].picture.copy()).permute(2, 0, 1)[None] / 255
    normal = torchvision.transforms.Normalize(MEAN, STD)
    with torch.no_grad():
        before, after = (vgg.module.trunk(normal(one))[0][3][0] for one in (x, end))
    pick = (lambda m: m.square().mean()) if channel is None else (lambda m: m[channel].mean())
    assert float(pick(after)) > 1.5 * float(pick(before))
    assert frames[-1].score == pytest.approx(float(pick(after)), rel=0.05)


def test_one_octave_without_jitter_is_plain_ascent(vgg: Model) -> None:
    settings = DreamSettings(side=64, octaves=1, steps=2, jitter=0, rate=0.02)
    photo = samples.sample("cat")
    [*_, last] = dream(vgg, photo, "trunk.stacks.2", None, settings)
    twin = copy.deepcopy(vgg.module)
    mean, std = (torch.tensor(v)[None, :, None, None] for v in (MEAN, STD))
    x = fitted(photo, 64, torch.device("cpu"))
    for _ in range(2):
        x = x.detach().requires_grad_(True)
        twin.trunk((x - mean) / std)[0][2].square().mean().backward()
        x = (x + 0.02 * x.grad / x.grad.abs().mean()).clamp(0, 1)
    expected = (x.detach()[0] * 255).round().byte().permute(1, 2, 0).numpy()
    assert np.abs(last.picture.astype(int) - expected).max() <= 1


def test_a_dream_of_a_detector_and_what_cannot_be_dreamt() -> None:
    photo, fcos = samples.sample("cat"), models.load("fcos_s", device="cpu")
    layer = next(n for n, m in fcos.module.named_modules() if isinstance(m, nn.Conv2d))
    frames = list(dream(fcos, photo, layer, 0, replace(SHORT, octaves=1)))
    assert frames[-1].score > frames[0].score
    vgg = models.load("vgg_s", device="cpu")
    with pytest.raises(UserError, match="gives no feature maps"):
        next(dream(vgg, photo, "classifier.0", None, SHORT))
    with pytest.raises(UserError, match="there is no channel 999"):
        next(dream(vgg, photo, "trunk.stacks.0", 999, SHORT))
    with pytest.raises(UserError, match="There is no layer"):
        next(dream(vgg, photo, "nowhere", None, SHORT))
    vit = models.load("vit_b_32", device="cpu", random_seed=0)
    with pytest.raises(UserError, match="one size only"):
        next(dream(vit, photo, "conv_proj", None, SHORT))
    with pytest.raises(UserError, match="octaves must lie from 1 to 10"):
        DreamSettings(octaves=0)


def test_what_a_dream_costs_is_counted_by_the_pixels_of_its_pictures(vgg: Model) -> None:
    photo = samples.sample("cat")
    for settings in (SHORT, replace(SHORT, octaves=1), replace(SHORT, steps=SHORT.steps + 2)):
        frames = list(dream(vgg, photo, "trunk.stacks.2", None, settings))[1:]
        drawn = sum(f.picture.shape[0] * f.picture.shape[1] for f in frames)
        assert pixels_of(photo, settings) == drawn
    before = state_of(vgg.module)
    assert seconds_of_pixel(vgg, "trunk.stacks.2", None, photo) > 0
    assert same_state(before, state_of(vgg.module))
    with pytest.raises(UserError, match="no layer"):
        seconds_of_pixel(vgg, "nowhere", None, photo)


def test_no_step_is_made_that_nobody_wants_any_more() -> None:
    made = run_of(models.load("vgg_s", device="cpu"))
    asked = iter([True, True, False])
    made.advance(60, 50, lambda: next(asked))
    assert made.step == 2
