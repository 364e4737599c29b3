"""Cases of two IoU limits for Python's and Node's tests: what torchvision's matchers count."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torchvision.models.detection._utils import Matcher, SSDMatcher

from pages.components.limits import content
from vision_core.inside.assignment import Assignment
from vision_core.inside.limits import LimitTable, table_of


def limits() -> list[dict[str, Any]]:
    """IoU matrices, their tables, and what torchvision's matchers count at every two limits."""
    rng = np.random.default_rng(3)
    made = []
    for name, true, anchors in [("many", 4, 160), ("ties", 3, 60), ("far", 2, 40), ("one", 1, 1)]:
        overlap = rng.uniform(0, 1, (true, anchors)).astype(np.float32) ** 2
        if name == "ties":  # on the limits themselves, and best anchors that are equal
            overlap = np.round(overlap * 20).astype(np.float32) / np.float32(20)
        if name == "far":  # the second true box meets no anchor
            overlap[1] = 0
            overlap[0, ::2] = 0
        for single in (False, True):
            made.append(_limits_case(name, torch.from_numpy(overlap), single))
    return made


def _limits_case(name: str, overlap: torch.Tensor, single: bool) -> dict[str, Any]:
    table = limits_table(overlap, single)
    uppers, lowers = (0, 0.3, 0.5, 0.55, 0.623, 0.7, 0.95, 1), (0, 0.3, 0.45, 0.5)
    pairs = [(high, low) for high in uppers for low in lowers if low <= high]
    return {
        "name": f"{name}{', one limit' if single else ''}",
        "table": content(table, 0.7, 0.3)["table"],
        "runs": [{"high": h, "low": w, **matched(overlap, single, h, w)} for h, w in pairs],
    }


def matcher_of(single: bool, high: float, low: float) -> Matcher:
    """SSD's matcher, or that of an RPN, which takes low-quality matches as well."""
    return SSDMatcher(high) if single else Matcher(high, low, allow_low_quality_matches=True)


def limits_table(overlap: torch.Tensor, single: bool) -> LimitTable:
    """The table of an IoU matrix [M, A], with one limit that no step of the grid meets."""
    match = matcher_of(single, 2.0, 2.0)(overlap).numpy()
    best = overlap.max(0).values.numpy()
    none = np.zeros((0, 4), np.float32)
    never = Assignment("iou", 2.0, 2.0, match, best, match >= 0, none)
    return table_of(never, (0.623,), single)


def matched(overlap: torch.Tensor, single: bool, high: float, low: float) -> dict[str, int]:
    """Counts by torchvision's matcher."""
    match = matcher_of(single, high, low)(overlap)
    return {
        "positive": int((match >= 0).sum()),
        "negative": int((match == Matcher.BELOW_LOW_THRESHOLD).sum()),
        "ignored": int((match == Matcher.BETWEEN_THRESHOLDS).sum()),
        "forced": int(((match >= 0) & (overlap.max(0).values < high)).sum()),
    }
