"""The filters of convolutions, as pictures and in an order that shows what they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from torch import nn

from vision_core.errors import UserError

ORDERS = ("as stored", "norm", "similarity")


@dataclass(frozen=True, eq=False)
class Filters:
    """Weights of one convolution.

    Attributes:
        layer: its name.
        weights: float32 ``[K, C, h, w]``: K filters over C input channels, read-only.
    """

    layer: str
    weights: np.ndarray

    @property
    def colour(self) -> bool:
        """Whether the filters look at R, G and B and can be shown as colour pictures."""
        return self.weights.shape[1] == 3


def convolutions(module: nn.Module) -> tuple[str, ...]:
    """Names of all 2-D convolutions, in the order of their definition."""
    return tuple(n for n, m in module.named_modules() if isinstance(m, nn.Conv2d))


def filters(module: nn.Module, layer: str | None = None) -> Filters:
    """The filters of a convolution; of the first one where no layer is named.

    Raises:
        UserError: there is no such convolution.
    """
    names = convolutions(module)
    if not names:
        raise UserError("This network has no convolution.")
    layer = names[0] if layer is None else layer
    if layer not in names:
        raise UserError(f"{layer} is no convolution; choose one of {', '.join(names[:5])} ...")
    weights = cast(Any, module.get_submodule(layer)).weight.detach().float().cpu().numpy().copy()
    weights.setflags(write=False)
    return Filters(layer, weights)


def order(weights: np.ndarray, by: str) -> np.ndarray:
    """An order of the filters ``[K, ...]``, int64 ``[K]``.

    Args:
        weights: the filters.
        by: ``as stored``; ``norm``, largest L2 norm first; ``similarity``, each followed by the
            one most like it (largest cosine) of those left, from the one of largest norm on.

    Raises:
        UserError: there is no such order.
    """
    if by not in ORDERS:
        raise UserError(f"Filters cannot be sorted by {by!r}; choose {', '.join(ORDERS)}.")
    flat = weights.reshape(len(weights), -1).astype(np.float64)
    norms = np.linalg.norm(flat, axis=1)
    if by == "as stored":
        return np.arange(len(flat))
    if by == "norm":
        return np.argsort(-norms, kind="stable")
    unit = flat / np.maximum(norms, 1e-12)[:, None]
    left = np.ones(len(flat), bool)
    path = [int(norms.argmax())]
    left[path[0]] = False
    while left.any():
        cosine = np.where(left, unit @ unit[path[-1]], -np.inf)
        path.append(int(cosine.argmax()))
        left[path[-1]] = False
    return np.array(path)


def pictures(weights: np.ndarray, shared: bool = False) -> np.ndarray:
    """Colour filters ``[K, 3, h, w]`` as pictures: grey is zero weight.

    Args:
        weights: filters over R, G and B.
        shared: one scale for all, so that weak filters look weak; else each has its own.

    Returns:
        uint8 ``[K, h, w, 3]``.
    """
    magnitude = np.abs(weights)
    limit = magnitude.max() if shared else magnitude.max(axis=(1, 2, 3), keepdims=True)
    share = weights / np.maximum(limit, 1e-12)
    return (127.5 * (1 + share)).round().astype(np.uint8).transpose(0, 2, 3, 1)
