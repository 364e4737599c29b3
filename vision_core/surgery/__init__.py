"""A trained network with something taken out or changed, on a private copy.

``operate.operate`` gives a model whose modules are its own and whose weights are the shared ones
wherever nothing was done to them; the shared model never changes. ``unravel.unravel`` runs all
subsets of its residual blocks (Veit et al. 2016). Plans are plain values, for which PyTorch is not
imported.
"""

from __future__ import annotations

from vision_core.surgery.operations import (
    ACTIVATIONS,
    PRECISIONS,
    Kernel,
    Noise,
    Quantise,
    Round,
    Scale,
    Skip,
    Swap,
)
from vision_core.surgery.plan import Operation, Plan

__all__ = [
    "ACTIVATIONS",
    "PRECISIONS",
    "Kernel",
    "Noise",
    "Operation",
    "Plan",
    "Quantise",
    "Round",
    "Scale",
    "Skip",
    "Swap",
]
