"""Operations on a private copy, against PyTorch and slow versions written by hand."""

from __future__ import annotations

import copy
import itertools
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import densenet121, get_model, googlenet, resnet18, resnet50

from vision_core import models, samples
from vision_core.errors import UserError
from vision_core.inference import trace
from vision_core.models import Model, card
from vision_core.records import DetectionTrace
from vision_core.surgery import Kernel, Noise, Plan, Quantise, Round, Scale, Skip, Swap
from vision_core.surgery.operate import check_finite, noisy, operate, own_bytes, quantised
from vision_core.surgery.parts import blocks_of, kernels_of, layers_of

NETWORKS = (
    "resnet_s",
    "alexnet_s",
    "fcos_s",
    "mask_rcnn_s",
    "fcn_voc_s",
    "segnet_s",
    "pose_heatmap_s",
)
BLOCKS = tuple(
    f"trunk.stages.{s}" for s in ("0.0", "1.0", "1.1", "2.0", "2.1", "2.2", "3.0", "3.1")
)


def loaded(name: str) -> Model:
    return models.load(name, device="cpu")


def bare(module: nn.Module, name: str = "resnet18") -> Model:
    """A network of torchvision's with random weights as the catalogue's models are."""
    module.eval().requires_grad_(False)
    return Model(card(name), module, torch.device("cpu"), "random-0")


def arrays(found: Any) -> list[np.ndarray]:
    if isinstance(found, DetectionTrace):
        return [found.boxes, found.scores, found.label_ids]
    return [found.logits]


def picture(side: int = 64) -> Tensor:
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_done_is_the_network_bit_for_bit(name) -> None:
    model, photo = loaded(name), samples.sample("astronaut")
    copied = operate(model, Plan())
    assert copied.module is not model.module and own_bytes(copied, model) == 0
    for one, other in zip(arrays(trace(model, photo)), arrays(trace(copied, photo)), strict=True):
        assert len(one) and np.array_equal(one, other)


# Skipped blocks


def residual_by_hand(state: dict[str, Tensor], x: Tensor, block: str, skipped: bool) -> Tensor:
    """A residual block from its weights alone, as the paper draws it (He et al. 2016)."""

    def conv(name: str, x: Tensor, stride: int) -> Tensor:
        w = state[f"{block}.{name}.weight"]
        return F.conv2d(x, w, stride=stride, padding=w.shape[-1] // 2)

    def norm(name: str, x: Tensor) -> Tensor:
        mean, var = (state[f"{block}.{name}.running_{k}"] for k in ("mean", "var"))
        weight, bias = (state[f"{block}.{name}.{k}"] for k in ("weight", "bias"))
        shape = (1, -1, 1, 1)
        x = (x - mean.view(shape)) / torch.sqrt(var.view(shape) + 1e-5)
        return x * weight.view(shape) + bias.view(shape)

    projects = f"{block}.downsample.0.weight" in state
    stride = 2 if projects and not block.endswith("layer1.0") else 1
    shortcut = norm("downsample.1", conv("downsample.0", x, stride)) if projects else x
    if skipped:
        return shortcut.clamp(min=0)
    names = [n for n in ("1", "2", "3") if f"{block}.conv{n}.weight" in state]
    at = "2" if "3" in names else "1"  # torchvision's place of the stride
    out = x
    for n in names:
        out = norm(f"bn{n}", conv(f"conv{n}", out, stride if n == at else 1))
        out = out if n == names[-1] else out.clamp(min=0)
    return (out + shortcut).clamp(min=0)


def by_hand(module: Any, x: Tensor, skipped: set[str]) -> Tensor:
    """A whole network of torchvision's with some blocks left out."""
    state = dict(module.state_dict())
    x = module.maxpool(module.bn1(module.conv1(x)).clamp(min=0))
    for layer in ("layer1", "layer2", "layer3", "layer4"):
        for inner in range(len(getattr(module, layer))):
            name = f"{layer}.{inner}"
            x = residual_by_hand(state, x, name, name in skipped)
    return module.fc(x.mean((2, 3)))


@pytest.mark.parametrize("build", [resnet18, resnet50])
@pytest.mark.parametrize(
    "skipped", [(), ("layer1.1",), ("layer2.0",), ("layer1.0", "layer3.1", "layer4.0")]
)
def test_a_skipped_block_is_its_shortcut_by_hand(build, skipped) -> None:
    torch.manual_seed(0)
    module = build()
    for part in module.modules():  # random statistics, so that no norm is close to nothing
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-0.2, 0.2)
            part.running_var.uniform_(0.5, 1.5)
    model = bare(module)
    made = operate(model, Plan(tuple(Skip(name) for name in skipped))).module(picture())
    torch.testing.assert_close(made, by_hand(module, picture(), set(skipped)), rtol=1e-4, atol=1e-4)
    if skipped:
        assert not torch.allclose(made, module(picture()), rtol=1e-3)


def test_a_skipped_identity_block_hands_on_its_input_bit_for_bit() -> None:
    model, x = loaded("resnet_s"), picture(96)
    trunk: Any = model.module.trunk
    y = trunk.stem(x)
    for at, stage in enumerate(trunk.stages):
        for inner, block in enumerate(stage):
            y = y if (at, inner) == (1, 1) else block(y)
    by_hand = model.module.fc(model.module.pool(y).flatten(1))
    copied = operate(model, Plan((Skip("trunk.stages.1.1"),)))
    assert torch.equal(copied.module(x), by_hand)


def test_the_blocks_of_a_network_in_their_order() -> None:
    found = blocks_of(loaded("resnet_s").module)
    assert tuple(b.name for b in found) == BLOCKS
    assert [b.identity for b in found] == [True, False, True, False, True, True, False, True]
    assert not blocks_of(loaded("vgg_s").module)
    assert sum(b.identity for b in blocks_of(resnet50())) == 12


# Channels


@pytest.mark.parametrize("factor", [0.0, 2.0])
def test_a_scaled_channel_is_a_filter_with_scaled_weights(factor) -> None:
    model, x = loaded("vgg_s"), picture(96)
    layer = next(n for n, p in model.module.named_modules() if isinstance(p, nn.Conv2d))
    by_hand = copy.deepcopy(model.module)
    by_hand.get_submodule(layer).weight[2:5] *= factor
    copied = operate(model, Plan((Scale(layer, 2, 4, factor),)))
    assert torch.equal(copied.module(x), by_hand(x))
    assert not torch.equal(copied.module(x), model.module(x))


def test_a_silenced_class_of_the_last_layer_has_a_logit_of_zero() -> None:
    model, x = loaded("resnet_s"), picture(96)
    made = operate(model, Plan((Scale("fc", 3, 3),))).module(x)
    assert (made[:, 3] == 0).all()
    others = [i for i in range(made.shape[1]) if i != 3]
    assert torch.equal(made[:, others], model.module(x)[:, others])


@pytest.mark.parametrize(
    "name",
    (
        "resnet18 resnet50 vgg11_bn alexnet squeezenet1_0 densenet121 mobilenet_v3_small "
        "convnext_tiny swin_t shufflenet_v2_x0_5 googlenet"
    ).split(),
)
def test_layers_put_out_as_many_channels_as_is_said(name) -> None:
    more = {"init_weights": False} if name == "googlenet" else {}
    module = get_model(name, weights=None, **more).eval()
    said = layers_of(module)
    assert len(said) > 10 or name == "swin_t", "of which only the ends are maps"
    seen: dict[str, int] = {}
    for layer in said:

        def look(_: nn.Module, __: Any, out: Any, layer: str = layer) -> None:
            assert out.ndim in (2, 4), layer
            seen[layer] = out.shape[1]

        module.get_submodule(layer).register_forward_hook(look)
    with torch.inference_mode():
        module(picture(64))
    assert seen and all(said[layer] == count for layer, count in seen.items())


# Activations


@pytest.mark.parametrize(
    ("activation", "function"),
    [
        ("leaky_relu", lambda x: torch.where(x > 0, x, 0.1 * x)),
        ("gelu", lambda x: x * 0.5 * (1 + torch.erf(x / 2**0.5))),
        ("identity", lambda x: x),
        ("elu", lambda x: torch.where(x > 0, x, torch.exp(x) - 1)),
        ("silu", lambda x: x * torch.sigmoid(x)),
        ("tanh", torch.tanh),
        ("sigmoid", lambda x: 1 / (1 + torch.exp(-x))),
    ],
)
@pytest.mark.parametrize("name", ["resnet18", "densenet121", "googlenet", "vgg_s"])
def test_every_relu_is_swapped(name, activation, function, monkeypatch) -> None:
    torch.manual_seed(0)
    if name == "vgg_s":
        model = loaded(name)
    else:
        build = {"resnet18": resnet18, "densenet121": densenet121}.get(name)
        model = bare(build() if build else googlenet(init_weights=False, aux_logits=False), name)
    x = picture(64)
    before = model.module(x)
    made = operate(model, Plan((Swap(activation),))).module(x)
    monkeypatch.setattr(F, "relu", lambda x, inplace=False: function(x))
    by_hand = model.module(x)
    monkeypatch.undo()
    torch.testing.assert_close(made, by_hand, rtol=1e-3, atol=1e-4)
    assert not torch.allclose(made, before, rtol=1e-3)
    assert torch.equal(model.module(x), before)


def test_the_linear_layers_of_a_second_stage_have_their_activation_swapped() -> None:
    model = loaded("faster_rcnn_s")
    copied = operate(model, Plan((Swap("gelu"),)))
    head: Any = model.module.roi_heads.box_head
    pooled = torch.randn(3, head.fc6.in_features)
    by_hand = F.gelu(head.fc7(F.gelu(head.fc6(pooled))))
    assert torch.equal(copied.module.roi_heads.box_head(pooled), by_hand)
    assert torch.equal(head(pooled), F.relu(head.fc7(F.relu(head.fc6(pooled)))))


# Weights


def test_noise_has_the_spread_that_was_asked_for_and_is_the_same_for_the_same_seed() -> None:
    weight = torch.randn(64, 64, 3, 3, generator=torch.Generator().manual_seed(5)) * 0.37 + 0.1
    made = noisy(weight, 0.25, torch.Generator().manual_seed(3))
    assert (made - weight).std().item() == pytest.approx(0.25 * 0.37, rel=0.02)
    assert abs((made - weight).mean().item()) < 0.002
    model, x = loaded("resnet_s"), picture(96)
    one, again, other = (operate(model, Plan((Noise(0.3, seed),))).module(x) for seed in (1, 1, 2))
    assert torch.equal(one, again) and not torch.allclose(one, other)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_quantised_weights_are_the_nearest_of_the_grid(bits) -> None:
    weight = torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(2))
    most = 2 ** (bits - 1) - 1
    grid = [k * float(weight.abs().max()) / most for k in range(-most, most + 1)]
    nearest = [min(grid, key=lambda g: abs(g - w)) for w in weight.flatten().tolist()]
    made = quantised(weight, bits)
    np.testing.assert_allclose(made.flatten(), nearest, rtol=1e-5, atol=1e-6)
    assert len(made.unique()) <= 2**bits - 1
    assert torch.equal(quantised(torch.zeros(2, 2), bits), torch.zeros(2, 2))


def test_only_weights_of_several_dimensions_are_quantised() -> None:
    model = loaded("resnet_s")
    copied = operate(model, Plan((Quantise(4),)))
    theirs = dict(model.module.named_parameters())
    for name, made in copied.module.named_parameters():
        if theirs[name].ndim > 1:
            assert len(made.unique()) <= 15
        else:
            assert made is theirs[name]
    assert own_bytes(copied, model) == sum(p.nbytes for p in theirs.values() if p.ndim > 1)


@pytest.mark.parametrize(
    ("precision", "kind"), [("float16", torch.float16), ("bfloat16", torch.bfloat16)]
)
def test_weights_and_outputs_of_layers_are_rounded(precision, kind) -> None:
    model, x = loaded("vgg_s"), picture(96)

    def short(values: Tensor) -> Tensor:
        return values.to(kind).float()

    made = operate(model, Plan((Round(precision),)))
    stack: Any = model.module.trunk.stacks[0][0]
    conv, norm = stack[0], stack[1]
    y = short(F.conv2d(x, short(conv.weight), padding=1))
    weight, bias = short(norm.weight), short(norm.bias)
    y = short(F.batch_norm(y, norm.running_mean, norm.running_var, weight, bias, eps=norm.eps))
    assert torch.equal(made.module.trunk.stacks[0][0](x), F.relu(y))
    logits = made.module(x)
    assert torch.equal(logits, short(logits)) and not torch.equal(logits, model.module(x))
    torch.testing.assert_close(logits, model.module(x), rtol=0.1, atol=0.3)


# The shared network


EVERYTHING = Plan(
    (
        Skip("trunk.stages.1.1"),
        Scale("trunk.stem", 0, 7, 3.0),
        Swap("gelu"),
        Noise(0.2, 1),
        Quantise(5),
        Round("bfloat16"),
    )
)


def test_the_shared_network_is_the_same_before_while_and_after() -> None:
    model, x = loaded("resnet_s"), picture(96)
    before = model.module(x)
    state = {name: (t, t.clone()) for name, t in model.module.state_dict(keep_vars=True).items()}
    kinds = [type(part) for part in model.module.modules()]
    stop, wrong, rounds = threading.Event(), [], itertools.count()
    plans = [EVERYTHING, *(Plan((one,)) for one in EVERYTHING.operations)]
    alone = [operate(model, plan).module(x) for plan in plans]

    def cut(at: int) -> None:
        while not stop.is_set():
            if not torch.equal(operate(model, plans[at]).module(x), alone[at]):
                wrong.append(plans[at].words)
            next(rounds)

    threads = [threading.Thread(target=cut, args=(at,)) for at in range(len(plans))]
    for thread in threads:
        thread.start()
    while next(rounds) < 60:
        if not torch.equal(model.module(x), before):
            wrong.append("the shared network")
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert torch.equal(model.module(x), before)
    assert [type(part) for part in model.module.modules()] == kinds
    for name, tensor in model.module.state_dict(keep_vars=True).items():
        assert tensor is state[name][0] and torch.equal(tensor, state[name][1])
    assert not any(part._forward_hooks for part in model.module.modules())


def test_what_changes_no_weight_copies_no_weight() -> None:
    model = loaded("resnet_s")
    plan = Plan(tuple(o for o in EVERYTHING.operations if isinstance(o, Skip | Scale | Swap)))
    assert own_bytes(operate(model, plan), model) == 0


def test_every_plan_has_a_fingerprint_of_its_own_that_shows_at_once() -> None:
    model = loaded("resnet_s")
    plans = [Plan(), EVERYTHING, *(Plan((one,)) for one in EVERYTHING.operations)]
    marks = [operate(model, plan).fingerprint for plan in plans]
    assert marks[0] == model.fingerprint
    assert len({mark[:12] for mark in marks}) == len(plans), "caches look at the first twelve"


def test_masks_and_joints_are_made_by_the_operated_network() -> None:
    from vision_core.surgery.unravel import predicted

    model, photo = loaded("pose_heatmap_s"), samples.sample("astronaut")
    whole = predicted(model, photo)
    cut = predicted(operate(model, Plan((Skip("trunk.stages.2.1"),))), photo)
    assert np.array_equal(whole.trace.boxes, cut.trace.boxes), "the detector is left alone"
    assert not np.array_equal(whole.keypoints.xy, cut.keypoints.xy)


@pytest.mark.parametrize(
    ("name", "operation", "said"),
    [
        ("vgg_s", Skip("a"), "has no residual block to skip"),
        (
            "resnet_s",
            Skip("trunk"),
            "has no residual block 'trunk'; its blocks are trunk.stages.0.0",
        ),
        ("resnet_s", Scale("trunk.stage", 0, 0), "has no layer 'trunk.stage' with channels"),
        ("resnet_s", Scale("trunk.stem", 3, 32), "32 channels, counted from 0"),
    ],
)
def test_what_the_network_lacks_is_told(name, operation, said) -> None:
    with pytest.raises(UserError, match=said):
        operate(loaded(name), Plan((operation,)))


def test_a_network_without_relu_has_none_to_swap() -> None:
    model = bare(get_model("efficientnet_b0", weights=None), "efficientnet_b0")
    with pytest.raises(UserError, match="efficientnet_b0 has no ReLU"):
        operate(model, Plan((Swap("gelu"),)))


def test_numbers_that_left_the_range_are_refused() -> None:
    found = trace(loaded("resnet_s"), samples.sample("cat"))
    check_finite(found)
    for bad in (np.inf, np.nan):
        logits = found.logits.copy()
        logits[2] = bad
        with pytest.raises(UserError, match="too large to be represented"):
            check_finite(replace(found, logits=logits))


def test_other_numbers_in_a_kernel_are_those_of_a_network_whose_weight_was_set_by_hand() -> None:
    mine = bare(resnet18())
    numbers = (0.0, 1.0, 0.0, 1.0, -4.0, 1.0, 0.0, 1.0, 0.0)
    plan = Plan(
        (Kernel("layer1.0.conv1", 5, 3, numbers), Kernel("layer1.0.conv1", 0, 1, (0.0,) * 9))
    )
    by_hand = copy.deepcopy(mine.module)
    weight = by_hand.get_submodule("layer1.0.conv1").weight
    weight.data[5, 3] = torch.tensor(numbers).view(3, 3)
    weight.data[0, 1] = 0
    kept = mine.module.get_submodule("layer1.0.conv1").weight.clone()
    assert torch.equal(operate(mine, plan).module(picture()), by_hand(picture()))
    assert torch.equal(kept, mine.module.get_submodule("layer1.0.conv1").weight)
    assert own_bytes(operate(mine, plan), mine) == kept.nbytes


@pytest.mark.parametrize(
    ("kernel", "said"),
    [
        (Kernel("fc", 0, 0, (0.0,)), "no convolution 'fc'"),
        (Kernel("conv1", 64, 0, (0.0,) * 49), "64 filters over 3 channels"),
        (Kernel("conv1", 0, 3, (0.0,) * 49), "64 filters over 3 channels"),
        (Kernel("conv1", 0, 0, (0.0,) * 9), "7 x 7 numbers, so 49 are needed, not 9"),
    ],
)
def test_a_kernel_that_the_network_does_not_have_is_refused(kernel: Kernel, said: str) -> None:
    with pytest.raises(UserError, match=said):
        operate(bare(resnet18()), Plan((kernel,)))


def test_the_kernels_of_a_grouped_convolution_are_those_of_its_group() -> None:
    grouped = nn.Sequential(nn.Conv2d(4, 8, (1, 3), groups=2), nn.ConvTranspose2d(8, 2, 2))
    assert kernels_of(grouped) == {"0": (8, 2, 1, 3)}
