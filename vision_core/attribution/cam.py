"""Maps from what a layer outputs: Grad-CAM (Selvaraju et al. 2017), which weights its channels by
their gradients, LayerCAM (Jiang et al. 2021), which weights each place of each channel, and
Eigen-CAM (Muhammad and Yeasin 2020), which asks for no target."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.models.vision_transformer import VisionTransformer

from vision_core.attribution.question import Question, differentiable
from vision_core.errors import UserError
from vision_core.inference.cache import ByteLRU


@dataclass(frozen=True, eq=False)
class Recording:
    """What one pass of the network tells about some of its layers.

    Attributes:
        score: the target's score.
        maps: ``[1, C, h, w]`` by layer, in the order in which the layers ran; of a layer that
            runs several times (as a head over a pyramid), its first run.
        grads: the gradient of the score at each of them; ``None`` where it does not depend on it.
    """

    score: float
    maps: dict[str, Tensor]
    grads: dict[str, Tensor | None]

    def only(self, name: str) -> Recording:
        """The same of one layer alone."""
        return Recording(self.score, {name: self.maps[name]}, {name: self.grads[name]})


@dataclass(frozen=True)
class MapLayers:
    """The layers that a CAM can take for a target.

    Attributes:
        names: leaves and the blocks that hold them, in the order in which they run.
        default: the usual choice; empty where there is none.
    """

    names: tuple[str, ...]
    default: str


# Of each network and kind of target; a few short names each, counted as one.
_layers: ByteLRU[MapLayers] = ByteLRU(512, size=lambda _: 1)


def record(question: Question, layers: Sequence[str] = (), gradients: bool = True) -> Recording:
    """Run the network once and record layers that output feature maps.

    Args:
        question: what is explained.
        layers: their names; the default layer alone if there are none. A network asked for the
            first time tells its default layer in the very pass that records it.
        gradients: whether those of the score are wanted as well.

    Raises:
        UserError: there is no such layer, it does not run, or it has no map.
    """
    if layers:
        return _pass(question, layers, gradients)
    _refuse_transformers(question)
    known = _layers.get(_key(question))
    if known is not None and known.default:
        found = _pass(question, (known.default,), gradients)
        if not gradients or _reached(found.grads[known.default]):
            return found
    whole = _pass(question, None, True)
    return whole.only(_remembered(question, whole).default or _no_maps())


def gradcam(question: Question, layers: Sequence[str], relu: bool = True) -> dict[str, Tensor]:
    """Weight the channels of a layer by their mean gradient and add them up.

    Args:
        question: what is explained.
        layers: names of layers that output ``[1, C, h, w]``.
        relu: keep what speaks for the target only, as in the paper; ``False`` keeps the sign.

    Returns:
        ``[1, h, w]`` for each layer at the layer's own resolution, covering the whole input.

    Raises:
        UserError: as of ``record``, or the target does not depend on a layer.
    """
    found = record(question, layers)
    return {name: weighed(found, name, relu) for name in found.maps}


def eigencam(question: Question, layers: Sequence[str], relu: bool = True) -> dict[str, Tensor]:
    """Project what a layer outputs at each position on its first principal component.

    As in the paper, O V_1 of the thin singular value decomposition O = U S V' of the activations
    O ``[h w, C]``, which are not centred. The target takes no part, the network is only run
    forward.

    The sign of a singular vector is arbitrary; here it is the one with which the map goes along
    with the mean over the channels (their inner product is not negative). Behind a ReLU all
    entries of V_1 have one sign (Perron and Frobenius), so that the map is then nowhere negative.
    Centred activations would not do: their component has positions on either side of zero, and no
    side that is the object's.

    Args:
        question: tells network and photo.
        layers: names of layers that output ``[1, C, h, w]``.
        relu: drop values below zero; ``False`` keeps the sign.

    Returns:
        As of ``gradcam``.

    Raises:
        UserError: as of ``record``.
    """
    found = record(question, layers, gradients=False)
    return {name: projected(found, name, relu) for name in found.maps}


def weighed(found: Recording, name: str, relu: bool) -> Tensor:
    """Grad-CAM of one recorded layer, ``[1, h, w]``.

    Raises:
        UserError: the target does not depend on it.
    """
    weights = _gradient(found, name).mean((1, 2), keepdim=True)
    cam = (weights * found.maps[name][0]).sum(0, keepdim=True)
    return cam.clamp(min=0) if relu else cam


def placed(found: Recording, name: str, relu: bool) -> Tensor:
    """LayerCAM of one recorded layer, ``[1, h, w]``: positive gradients times activations.

    Raises:
        UserError: the target does not depend on it.
    """
    weights = _gradient(found, name).clamp(min=0)
    cam = (weights * found.maps[name][0]).sum(0, keepdim=True)
    return cam.clamp(min=0) if relu else cam


def _gradient(found: Recording, name: str) -> Tensor:
    grad = found.grads[name]
    if grad is None:
        raise UserError(f"The target does not depend on the layer {name}; choose another.")
    return grad[0]


def projected(found: Recording, name: str, relu: bool) -> Tensor:
    """Eigen-CAM of one recorded layer, ``[1, h, w]``."""
    values = found.maps[name][0]
    positions = values.flatten(1).T.float().cpu()  # not every accelerator has the decomposition
    u, s, _ = torch.linalg.svd(positions, full_matrices=False)
    line = u[:, 0] * s[0]
    if float(line @ positions.mean(1)) < 0:
        line = -line
    cam = line.reshape(1, *values.shape[1:]).to(values)
    return cam.clamp(min=0) if relu else cam


def map_layers(question: Question) -> tuple[str, ...]:
    """Layers on the way to the target that output feature maps larger than one cell.

    In the order in which they run; leaves and the blocks that hold them, one name per map.
    """
    return _known(question).names


def default_layer(question: Question) -> str:
    """The usual choice: the last of the coarsest maps of the backbone that the target depends on.

    Raises:
        UserError: the network has no feature maps.
    """
    _refuse_transformers(question)
    return _known(question).default or _no_maps()


def _known(question: Question) -> MapLayers:
    found = _layers.get(_key(question))
    return found or _remembered(question, _pass(question, None, True))


def _key(question: Question) -> Hashable:
    return (question.kind, tuple(question.input.shape))


def _remembered(question: Question, whole: Recording) -> MapLayers:
    """The layers of a recording of all maps, kept for the next question of its kind.

    A layer whose gradient happens to be zero on this photo may be another photo's default one, so
    that nothing is kept then.
    """
    reached = {n: whole.maps[n] for n, g in whole.grads.items() if _reached(g)}
    possible = _coarsest({n: whole.maps[n] for n, g in whole.grads.items() if g is not None})
    chosen = _coarsest(reached)
    found = MapLayers(tuple(whole.maps), chosen or possible)  # of a gradient that is zero
    if question.kind and chosen == possible:
        _layers.put(_key(question), found)
    return found


def _coarsest(maps: dict[str, Tensor]) -> str:
    heads = ("head", "rpn", "roi_heads", "backbone.fpn")
    cells = {name: values.shape[2] * values.shape[3] for name, values in maps.items()}
    backbone = [name for name in cells if not name.startswith(heads)] or list(cells)
    fewest = min((cells[name] for name in backbone), default=0)
    return next((name for name in reversed(backbone) if cells[name] == fewest), "")


def _reached(grad: Tensor | None) -> bool:
    return grad is not None and bool(grad.any())


def _refuse_transformers(question: Question) -> None:
    if isinstance(question.module, VisionTransformer):
        raise UserError(
            "A vision transformer has one convolution, at its very start, and no feature maps "
            "behind it, so the CAM methods do not apply; choose gradient or occlusion."
        )


def _no_maps() -> str:
    raise UserError("This network has no feature maps, so the CAM methods do not apply.")


def _pass(question: Question, layers: Sequence[str] | None, gradients: bool) -> Recording:
    """Record the named layers, or all that output maps larger than one cell."""
    with differentiable(), torch.set_grad_enabled(gradients):
        x = question.input.detach().clone().requires_grad_(gradients)
        scores, recorded = question.run(x, layers or (), every_map=layers is None)
        if layers is None:
            maps = {n: calls[0] for n, calls in recorded.items() if _large(calls)}
        else:
            maps = {name: _first_map(name, recorded[name]) for name in layers}
        found: tuple[Tensor | None, ...] = (None,) * len(maps)
        if gradients and maps:
            found = torch.autograd.grad(scores.sum(), list(maps.values()), allow_unused=True)
    grads = dict(zip(maps, found, strict=True))
    return Recording(float(scores[0].detach()), {n: v.detach() for n, v in maps.items()}, grads)


def _large(calls: list[Tensor]) -> bool:
    return bool(calls) and calls[0].ndim == 4 and max(calls[0].shape[2:]) > 1


def _first_map(name: str, calls: list[Tensor]) -> Tensor:
    if not calls:
        raise UserError(f"The layer {name} does not run for this target; choose another.")
    if calls[0].ndim != 4:
        raise UserError(
            f"The layer {name} puts out numbers without places; the CAM methods need a layer "
            "with feature maps."
        )
    return calls[0]
