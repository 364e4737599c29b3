"""Which feature map serves a box, by the rule of each family, with the numbers.

- Two stages: Lin et al. 2017 (FPN), k = floor(k0 + log2(sqrt(w h) / s0)), as torchvision's
  ``LevelMapper`` of the model's own pooler has it.
- FCOS (Tian et al. 2020): the largest of the distances l, t, r, b decides, 4 to 8 anchor sizes.
- RetinaNet, SSD: no rule, but anchors; the map whose anchor has the greatest IoU at the box.
- YOLO: one map.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torchvision.models.detection import FCOS
from torchvision.ops import box_iou
from torchvision.ops.poolers import LevelMapper, MultiScaleRoIAlign, _setup_scales

from vision_core.inside.coordinates import Equation
from vision_core.inside.opened import Opened


@dataclass(frozen=True)
class LevelRow:
    """One level of the table that answers "which map?".

    Attributes:
        name: of the feature map.
        low, high: the range of the rule that the level serves: of sqrt(w h) for two stages, of
            the largest distance for FCOS (network pixels); for anchors both are the best IoU.
        serves: whether it serves the box.
    """

    name: str
    low: float
    high: float
    serves: bool


@dataclass(frozen=True)
class Served:
    """Which level serves a box.

    Attributes:
        rule: ``mapper``, ``ranges``, ``anchors`` or ``one``.
        levels: indices of the serving levels; empty where FCOS has none for the box.
        rows: all levels, finest first.
        terms: the arithmetic.
    """

    rule: str
    levels: tuple[int, ...]
    rows: tuple[LevelRow, ...]
    terms: tuple[Equation, ...]


def served(opened: Opened, box_net: Any) -> Served:
    """Which feature map serves a box.

    Args:
        opened: an opened detector.
        box_net: x1, y1, x2, y2, pixels of the network's input, with a width and a height.

    Raises:
        ValueError: the box has no area.
    """
    x1, y1, x2, y2 = (float(v) for v in box_net)
    if not (x2 > x1 and y2 > y1):
        raise ValueError("the box has no area")
    if opened.two_stage:
        names, mapper = pooler_levels(opened)
        return by_mapper(x2 - x1, y2 - y1, names, mapper)
    if isinstance(opened.module, FCOS):
        return _by_ranges(opened, x2 - x1, y2 - y1)
    if len(opened.levels) == 1:
        only = opened.levels[0].name
        return Served("one", (0,), (LevelRow(only, 0.0, math.inf, True),), ())
    return _by_anchors(opened, (x1, y1, x2, y2))


def pooler_levels(opened: Opened) -> tuple[tuple[str, ...], LevelMapper]:
    """The maps that the box head's pooler reads, and its ``LevelMapper``; nothing is stored."""
    pool: MultiScaleRoIAlign = opened.module.roi_heads.box_roi_pool
    names = tuple(n for n in opened.features if n in pool.featmap_names)
    mapper: Any = pool.map_levels
    if mapper is None:
        _, mapper = _setup_scales(
            [opened.features[n] for n in names],
            [opened.trace.info.network_size[::-1]],
            pool.canonical_scale,
            pool.canonical_level,
        )
    return names, mapper


def by_mapper(width: float, height: float, names: tuple[str, ...], mapper: LevelMapper) -> Served:
    """FPN's rule for a box of a size; torchvision adds its ``eps`` before the floor.

    Args:
        width, height: network pixels.
        names: of the levels from ``mapper.k_min`` to ``mapper.k_max``.
        mapper: torchvision's, for its constants.
    """
    root = math.sqrt(width * height)
    exact = mapper.lvl0 + math.log2(root / mapper.s0)
    raw = math.floor(exact + mapper.eps)
    k_min, k_max = int(mapper.k_min), int(mapper.k_max)
    k = min(max(raw, k_min), k_max)
    rows = []
    for index, name in enumerate(names):
        level = k_min + index
        low = 0.0 if index == 0 else mapper.s0 * 2.0 ** (level - mapper.lvl0)
        high = math.inf if level == k_max else mapper.s0 * 2.0 ** (level + 1 - mapper.lvl0)
        rows.append(LevelRow(name, low, high, level == k))
    terms = (
        Equation("sqrt(w h)", f"sqrt({width:g} * {height:g})", root),
        Equation("k", f"floor({mapper.lvl0} + log2({root:g} / {mapper.s0}))", float(raw)),
        Equation("k within the pyramid", f"min(max({raw}, {k_min}), {k_max})", float(k)),
    )
    return Served("mapper", (k - k_min,), tuple(rows), terms)


def fcos_ranges(opened: Opened) -> list[tuple[float, float]]:
    """The (lower, upper) bound of max(l, t, r, b) of every level, as FCOS is trained with."""
    anchors = opened.trace.field.anchors_net  # type: ignore[union-attr]
    ranges = []
    for level in opened.levels:
        size = float(anchors[level.start, 2] - anchors[level.start, 0])
        ranges.append((size * 4, size * 8))
    ranges[0] = (0.0, ranges[0][1])
    ranges[-1] = (ranges[-1][0], math.inf)
    return ranges


def _by_ranges(opened: Opened, width: float, height: float) -> Served:
    """FCOS: the level for a point in the middle of the box; near an edge a coarser one may be."""
    farthest = max(width, height) / 2
    rows = tuple(
        LevelRow(level.name, low, high, low < farthest < high)
        for level, (low, high) in zip(opened.levels, fcos_ranges(opened), strict=True)
    )
    term = Equation("max(l, t, r, b)", f"max({width:g}, {height:g}) / 2", farthest)
    found = tuple(i for i, row in enumerate(rows) if row.serves)
    return Served("ranges", found, rows, (term,))


def _by_anchors(opened: Opened, box: tuple[float, float, float, float]) -> Served:
    """RetinaNet and SSD: the best IoU that an anchor of each level has with the box."""
    anchors = torch.from_numpy(opened.trace.field.anchors_net.astype(np.float64))  # type: ignore[union-attr]
    overlap = box_iou(torch.tensor([box], dtype=torch.float64), anchors)[0]
    best = [float(overlap[level.slice].max()) for level in opened.levels]
    winner = int(np.argmax(best))
    rows = tuple(
        LevelRow(level.name, value, value, level.index == winner)
        for level, value in zip(opened.levels, best, strict=True)
    )
    terms = tuple(
        Equation(f"best IoU on level {row.name}", f"max over {level.count} anchors", row.low)
        for row, level in zip(rows, opened.levels, strict=True)
    )
    return Served("anchors", (winner,), rows, terms)
