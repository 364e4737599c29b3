"""Targets, as the methods take them; they live where no PyTorch is needed to read them."""

from vision_core.arguments.targets import (
    BOX_PARTS,
    BoxTarget,
    ClassTarget,
    JointTarget,
    RegionTarget,
    Target,
    UnitTarget,
    parse,
)

__all__ = [
    "BOX_PARTS",
    "BoxTarget",
    "ClassTarget",
    "JointTarget",
    "RegionTarget",
    "Target",
    "UnitTarget",
    "parse",
]
