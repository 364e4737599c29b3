"""A plan carried out on a private copy of a network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vision_core.attribution.shadow import shadow
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference import DetectionTrace, Trace, trace
from vision_core.models import Model
from vision_core.surgery.operations import Kernel, Noise, Quantise, Round, Scale, Skip, Swap
from vision_core.surgery.parts import (
    FUNCTIONAL,
    blocks_of,
    has_relu,
    is_block,
    kernels_of,
    layers_of,
)
from vision_core.surgery.plan import Plan

_NEW: dict[str, Callable[[], nn.Module]] = {
    "leaky_relu": partial(nn.LeakyReLU, 0.1),
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "identity": nn.Identity,
}
_RELUS = (F.relu, F.relu_, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_)
_SHORT = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def operate(model: Model, plan: Plan) -> Model:
    """A model with the plan carried out on it; the given one stays as it is.

    Weights that no operation changes are the same tensors. A top-down pose network is operated
    on; the detector that finds its persons is not.

    Args:
        model: a shared model.
        plan: what shall be done; nothing gives a copy that computes the same numbers.

    Raises:
        UserError: the network has no such block, layer or channel, or no ReLU to swap.
    """
    check(model, plan)
    module = shadow(model.module, _weights(model.module, plan))
    _skip(module, {s.block for s in plan.of(Skip)})
    if (swap := plan.one(Swap)) is not None:
        _swap(module, _NEW[swap.activation])
    for scale in plan.of(Scale):
        module.get_submodule(scale.layer).register_forward_hook(partial(_scaled, scale))
    if (short := plan.one(Round)) is not None:
        for part in module.modules():
            if not list(part.children()):
                part.register_forward_hook(partial(_rounded, _SHORT[short.precision]))
    return replace(model, module=module.eval(), fingerprint=fingerprint(model.fingerprint, plan))


def fingerprint(weights: str, plan: Plan) -> str:
    """What identifies a network after an operation; it differs from its first characters on.

    Args:
        weights: the fingerprint of the untouched network, which stays where nothing is done.
        plan: what is done to it.
    """
    return hashlib.sha256(f"{weights}+{plan.digest}".encode()).hexdigest() if plan else weights


def check(model: Model, plan: Plan) -> None:
    """Refuse a plan for which this network has not the parts.

    Raises:
        UserError: see ``operate``.
    """
    names = [block.name for block in blocks_of(model.module)]
    for skip in plan.of(Skip):
        if not names:
            raise UserError(
                f"{model.name} has no residual block to skip; choose a network with a residual "
                "trunk, such as resnet_s."
            )
        if skip.block not in names:
            raise UserError(
                f"{model.name} has no residual block {skip.block!r}; its blocks are "
                f"{', '.join(names)}."
            )
    layers = layers_of(model.module) if plan.of(Scale) else {}
    for scale in plan.of(Scale):
        if scale.layer not in layers:
            raise UserError(
                f"{model.name} has no layer {scale.layer!r} with channels; there are layers such "
                f"as {', '.join(list(layers)[:4])}."
            )
        if scale.last >= layers[scale.layer]:
            raise UserError(
                f"The layer {scale.layer} has {layers[scale.layer]} channels, counted from 0, so "
                f"there is no channel {scale.last}."
            )
    _check_kernels(model, plan)
    if plan.one(Swap) is not None and not has_relu(model.module):
        raise UserError(f"{model.name} has no ReLU that another activation could replace.")


def _check_kernels(model: Model, plan: Plan) -> None:
    shapes = kernels_of(model.module) if plan.of(Kernel) else {}
    for kernel in plan.of(Kernel):
        if kernel.layer not in shapes:
            raise UserError(
                f"{model.name} has no convolution {kernel.layer!r}; there are some such as "
                f"{', '.join(list(shapes)[:4])}."
            )
        filters, channels, height, width = shapes[kernel.layer]
        if kernel.filter >= filters or kernel.channel >= channels:
            raise UserError(
                f"The convolution {kernel.layer} has {filters} filters over {channels} channels, "
                f"counted from 0, so filter {kernel.filter} with channel {kernel.channel} is none."
            )
        if len(kernel.values) != height * width:
            raise UserError(
                f"A kernel of {kernel.layer} has {height} x {width} numbers, so {height * width} "
                f"are needed, not {len(kernel.values)}."
            )


def traced(model: Model, photo: Photo) -> Trace:
    """What an operated network says of a photo.

    Raises:
        UserError: its numbers left the range of floating point, so that they say nothing.
    """
    found = trace(model, photo)
    check_finite(found)
    return found


def check_finite(found: Trace) -> None:
    """Refuse what a network says with infinite or undefined logits.

    Raises:
        UserError: there are some.
    """
    if isinstance(found, DetectionTrace):  # what is no number is above no threshold there
        return
    if not np.isfinite(found.logits).all():
        raise UserError(
            "After these operations the network's numbers are too large to be represented; "
            "take back an amplified channel, the noise or the activation."
        )


def own_bytes(model: Model, shared: Model) -> int:
    """Bytes of the weights that an operated model does not share with the one it came from."""
    theirs = {t.data_ptr() for t in (*shared.module.parameters(), *shared.module.buffers())}
    tensors = (*model.module.parameters(), *model.module.buffers())
    return sum(t.nbytes for t in tensors if t.data_ptr() not in theirs)


def _shortcut(block: Any, x: Tensor) -> Tensor:
    """Shortcut and last activation. The ReLU may work in place, and the input is not its own."""
    return block.relu(x.clone() if block.downsample is None else block.downsample(x))


def _skippable(kind: type) -> type:
    """A subclass of a residual block with the attribute ``skipped``."""

    def forward(self: Any, x: Tensor) -> Tensor:
        return _shortcut(self, x) if self.skipped else kind.forward(self, x)  # type: ignore[attr-defined]

    return type(f"Skippable{kind.__name__}", (kind,), {"forward": forward, "skipped": True})


def _skip(module: nn.Module, names: set[str]) -> None:
    """Leave out the residual branch of these blocks of a private copy."""
    for name, part in module.named_modules():
        if name in names and is_block(part):
            part.__class__ = _skippable(type(part))


def _swap(module: nn.Module, new: Callable[[], nn.Module]) -> None:
    """Put another activation in place of the ReLUs of a private copy."""
    made = new().eval()
    for part in list(module.modules()):
        for name, child in list(part._modules.items()):
            if isinstance(child, nn.ReLU):
                part._modules[name] = made
        if isinstance(part, FUNCTIONAL):
            part.__class__ = _under(type(part), made)


def _under(kind: type, activation: nn.Module) -> type:
    """A subclass of a module whose calls of ``relu`` as a function call the activation."""

    def forward(self: Any, *args: Any, **more: Any) -> Any:
        with _OtherRelu(activation):
            return kind.forward(self, *args, **more)  # type: ignore[attr-defined]

    return type(f"Swapped{kind.__name__}", (kind,), {"forward": forward})


class _OtherRelu(TorchFunctionMode):
    """Inside the block, in this thread only, ``relu`` is another function."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self._activation = activation

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function in _RELUS:
            return self._activation(args[0] if args else (kwargs or {})["input"])
        return function(*args, **(kwargs or {}))


def _scaled(scale: Scale, _: nn.Module, __: Any, out: Tensor) -> Tensor:
    factors = torch.ones(out.shape[1], dtype=out.dtype, device=out.device)
    factors[scale.first : scale.last + 1] = scale.factor
    return out * factors.view(-1, *[1] * (out.ndim - 2))


def _rounded(short: torch.dtype, _: nn.Module, __: Any, out: Any) -> Any:
    if not isinstance(out, Tensor) or out.dtype != torch.float32:
        return out
    return out.to(short).to(out.dtype)


def _weights(network: nn.Module, plan: Plan) -> Callable[[nn.Parameter], nn.Parameter]:
    """What stands in for each parameter: itself where nothing changes it."""
    other: dict[int, list[Kernel]] = {}
    for kernel in plan.of(Kernel):
        weight = network.get_submodule(kernel.layer).weight
        other.setdefault(id(weight), []).append(kernel)
    noise, grid, short = plan.one(Noise), plan.one(Quantise), plan.one(Round)
    random = torch.Generator().manual_seed(0 if noise is None else noise.seed)

    def stand_in(given: nn.Parameter) -> nn.Parameter:
        value = given.detach()
        if id(given) in other:
            value = value.clone()
            for kernel in other[id(given)]:
                numbers = value.new_tensor(kernel.values)
                value[kernel.filter, kernel.channel] = numbers.view(value.shape[2:])
        if value.ndim > 1 and noise is not None:
            value = noisy(value, noise.spread, random)
        if value.ndim > 1 and grid is not None:
            value = quantised(value, grid.bits)
        if short is not None:
            value = value.to(_SHORT[short.precision]).to(value.dtype)
        if value.data_ptr() == given.data_ptr():
            return given
        return nn.Parameter(value, requires_grad=False)

    return stand_in


def noisy(weight: Tensor, spread: float, random: torch.Generator) -> Tensor:
    """Weights with Gaussian noise of ``spread`` times their standard deviation.

    Args:
        weight: of a layer, any shape with more than one number.
        spread: 0 or more.
        random: on the CPU, so that every device gets the same noise.
    """
    drawn = torch.randn(weight.shape, generator=random).to(weight.device, weight.dtype)
    return weight + drawn * (spread * weight.std())


def quantised(weight: Tensor, bits: int) -> Tensor:
    """Weights rounded to ``2**bits - 1`` evenly spaced values from -max to max of their size.

    Symmetric quantisation with one step for the whole layer (Krishnamoorthi 2018, section 2.2).

    Args:
        weight: of a layer.
        bits: 2 or more.
    """
    most = 2 ** (bits - 1) - 1
    step = float(weight.abs().max()) / most
    if step == 0:
        return weight
    return torch.fake_quantize_per_tensor_affine(weight, step, 0, -most, most)
