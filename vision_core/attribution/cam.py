"""Maps from what a layer puts out: Grad-CAM (Selvaraju et al. 2017), which weighs its channels by
their gradients, and Eigen-CAM (Muhammad and Yeasin 2020), which asks for no target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.vision_transformer import VisionTransformer

from vision_core.attribution.question import Question, differentiable
from vision_core.errors import UserError
from vision_core.models.layout import not_maps


def gradcam(question: Question, layers: Sequence[str], relu: bool = True) -> dict[str, Tensor]:
    """Weight the channels of a layer by their mean gradient and add them up.

    Args:
        question: what is explained.
        layers: names of layers that put out ``[1, C, h, w]``.
        relu: keep what speaks for the target only, as in the paper; ``False`` keeps the sign.

    Returns:
        ``[1, h, w]`` for each layer at the layer's own resolution, covering the whole input. A
        layer that runs several times (as a head over a pyramid) counts its first run.

    Raises:
        UserError: no layer is named, there is no such layer, it does not run, the target does
            not depend on it, or it has no map.
    """
    _check(layers)
    with differentiable():
        x = question.input.detach().clone().requires_grad_(True)
        scores, recorded = question.run(x, layers)
        maps = [_first_map(name, recorded[name]) for name in layers]
        grads = torch.autograd.grad(scores.sum(), maps, allow_unused=True)
    found = {}
    for name, values, grad in zip(layers, maps, grads, strict=True):
        if grad is None:
            raise UserError(f"The target does not depend on the layer {name}; choose another.")
        weights = grad[0].mean((1, 2), keepdim=True)
        cam = (weights * values[0].detach()).sum(0, keepdim=True)
        found[name] = cam.clamp(min=0) if relu else cam
    return found


def eigencam(question: Question, layers: Sequence[str], relu: bool = True) -> dict[str, Tensor]:
    """Project what a layer puts out at each place on its first principal component.

    As in the paper, O V_1 of the thin singular value decomposition O = U S V' of the activations
    O ``[h w, C]``, which are not centred. The target takes no part, the network is only run
    forward.

    The sign of a singular vector is arbitrary; here it is the one with which the map goes along
    with the mean over the channels (their inner product is not negative). Behind a ReLU all
    entries of V_1 have one sign (Perron and Frobenius), so that the map is then nowhere negative.
    Centred activations would not do: their component has places on either side of zero, and no
    side that is the object's.

    Args:
        question: tells network and photo.
        layers: names of layers that put out ``[1, C, h, w]``.
        relu: drop values below zero; ``False`` keeps the sign.

    Returns:
        As of ``gradcam``.

    Raises:
        UserError: no layer is named, there is no such layer, it does not run, or it has no map.
    """
    _check(layers)
    with torch.inference_mode(False), torch.no_grad():
        _, recorded = question.run(question.input, layers)
        found = {name: _projected(_first_map(name, recorded[name])[0]) for name in layers}
    return {name: cam.clamp(min=0) if relu else cam for name, cam in found.items()}


def _projected(values: Tensor) -> Tensor:
    """``[C, h, w]`` on its first principal component, ``[1, h, w]``."""
    places = values.flatten(1).T.float().cpu()  # not every accelerator has this decomposition
    u, s, _ = torch.linalg.svd(places, full_matrices=False)
    line = u[:, 0] * s[0]
    if float(line @ places.mean(1)) < 0:
        line = -line
    return line.reshape(1, *values.shape[1:]).to(values)


def _check(layers: Sequence[str]) -> None:
    if not layers:
        raise UserError("Grad-CAM and Eigen-CAM need a layer; name one that puts out feature maps.")


def _first_map(name: str, calls: list[Tensor]) -> Tensor:
    if not calls:
        raise UserError(f"The layer {name} does not run for this target; choose another.")
    if calls[0].ndim != 4:
        raise UserError(
            f"The layer {name} puts out numbers without places; Grad-CAM and "
            "Eigen-CAM need a layer with feature maps."
        )
    return calls[0]


def map_layers(question: Question) -> tuple[str, ...]:
    """Layers on the way to the target that put out feature maps larger than one cell.

    In the order in which they run; leaves and the blocks that hold them, one name per map.
    """
    seen: dict[str, tuple[int, ...]] = {}
    handles = []

    def hook_for(name: str) -> Any:
        def hook(_: nn.Module, __: Any, out: Any) -> None:
            if isinstance(out, Tensor) and out.ndim == 4 and max(out.shape[2:]) > 1:
                seen.setdefault(name, tuple(out.shape[1:]))

        return hook

    patches = not_maps(question.module)
    for name, module in question.module.named_modules():
        if name and name not in patches:
            handles.append(module.register_forward_hook(hook_for(name)))
    try:
        with torch.inference_mode(False), torch.no_grad():
            question.run(question.input)
    finally:
        for handle in handles:
            handle.remove()
    return tuple(seen)


def default_layer(question: Question) -> str:
    """The usual choice: the last of the coarsest maps of the backbone that the target depends on.

    Raises:
        UserError: the network has no feature maps.
    """
    if isinstance(question.module, VisionTransformer):
        raise UserError(
            "A vision transformer has one convolution, at its very start, and no feature maps "
            "behind it, so Grad-CAM and Eigen-CAM do not apply; choose gradient or occlusion."
        )
    names = map_layers(question)
    sizes: dict[str, int] = {}
    with differentiable():
        x = question.input.detach().clone().requires_grad_(True)
        scores, recorded = question.run(x, names)
        maps = [recorded[name][0] for name in names]
        grads = torch.autograd.grad(scores.sum(), maps, allow_unused=True) if maps else ()
    for name, values, grad in zip(names, maps, grads, strict=True):
        if grad is not None and bool(grad.any()):
            sizes[name] = values.shape[2] * values.shape[3]
    if not sizes:
        raise UserError("This network has no feature maps, so Grad-CAM and Eigen-CAM do not apply.")
    heads = ("head", "rpn", "roi_heads", "backbone.fpn")
    trunk = [name for name in sizes if not name.startswith(heads)] or list(sizes)
    coarsest = min(sizes[name] for name in trunk)
    return [name for name in trunk if sizes[name] == coarsest][-1]
