"""Class maps of two segmenters, and joints of two pose networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_core.labels import comparable
from vision_core.metrics.oks import similarities
from vision_core.records import Keypoints, SegmentationTrace


@dataclass(frozen=True, eq=False)
class MapComparison:
    """Two class maps of one photo.

    Attributes:
        labels: names that occur in either map, comparable ones merged.
        table: int64 ``[L, L]``, pixels by (name in a, name in b).
        disagree: bool ``[H, W]``.
        iou: by name, of one map against the other; only names that both models know.
        alone: names that only one of the models knows, by "a" and "b".
    """

    labels: tuple[str, ...]
    table: np.ndarray
    disagree: np.ndarray
    iou: dict[str, float]
    alone: dict[str, tuple[str, ...]]


def compare_maps(a: SegmentationTrace, b: SegmentationTrace) -> MapComparison:
    """Compare the class of every pixel, by name.

    Args:
        a, b: traces of one photo, so that their class maps have one size.
    """
    names_a, names_b = ([comparable(n) for n in t.info.labels] for t in (a, b))
    labels = list(dict.fromkeys([*names_a, *names_b]))
    places = {name: i for i, name in enumerate(labels)}
    map_a = np.array([places[n] for n in names_a])[a.class_map]
    map_b = np.array([places[n] for n in names_b])[b.class_map]
    size = len(labels)
    table = np.bincount((map_a * size + map_b).ravel(), minlength=size * size)
    table = table.reshape(size, size)
    both = set(names_a) & set(names_b)
    iou = {}
    for name in labels:
        i = places[name]
        union = table[i].sum() + table[:, i].sum() - table[i, i]
        if name in both and union:
            iou[name] = float(table[i, i] / union)
    seen = [n for n in labels if table[places[n]].sum() + table[:, places[n]].sum()]
    rows = [places[n] for n in seen]
    alone = {
        "a": tuple(n for n in dict.fromkeys(names_a) if n not in both),
        "b": tuple(n for n in dict.fromkeys(names_b) if n not in both),
    }
    return MapComparison(tuple(seen), table[np.ix_(rows, rows)], map_a != map_b, iou, alone)


@dataclass(frozen=True, eq=False)
class JointComparison:
    """Joints of one person by two networks.

    Attributes:
        names: joints that both have.
        distances: float ``[J]``, in units of the square root of the box's area.
        oks: object keypoint similarity (COCO) of one against the other, 0 to 1; ``nan`` where
            they share no joint.
    """

    names: tuple[str, ...]
    distances: np.ndarray
    oks: float


def compare_joints(
    a: Keypoints, row_a: int, b: Keypoints, row_b: int, area: float
) -> JointComparison:
    """Compare the joints of one person that both networks know.

    Args:
        a, b: joints of some persons, photo pixels.
        row_a, row_b: which person of each.
        area: of the person's box, square pixels, above 0.
    """
    shared = tuple(n for n in a.names if n in b.names)
    at_a = a.xy[row_a][[a.names.index(n) for n in shared]].reshape(-1, 2)
    at_b = b.xy[row_b][[b.names.index(n) for n in shared]].reshape(-1, 2)
    far = np.linalg.norm(at_a.astype(np.float64) - at_b, axis=1)
    terms = similarities(far, area, shared)
    oks = float(np.nanmean(terms)) if np.isfinite(terms).any() else float("nan")
    return JointComparison(shared, far / np.sqrt(area), oks)
