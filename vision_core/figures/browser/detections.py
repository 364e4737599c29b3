"""Detections as a scene for the picture component, with all that it needs to select by itself."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np

from vision_core import figures
from vision_core.figures.browser.live import Live
from vision_core.figures.browser.scene import Overlay, Scene
from vision_core.figures.colours import class_colour, instance_colours
from vision_core.figures.overlay import limb_sides, visible_joints
from vision_core.images import Photo
from vision_core.inference import Keypoints
from vision_core.records import Detections, Selection

_OVERLAY_WIDTH = 1000  # of masks on the picture; wider ones take longer than a slider may


def detection_scene(
    photo: Photo,
    selection: Selection,
    masks: np.ndarray | None = None,
    keypoints: Keypoints | None = None,
    *,
    mask: float = 0.5,
    joint: float | None = None,
    opacity: float = 0.5,
    captions: bool = True,
    steps: tuple[float, float] = (0.01, 0.01),
) -> Scene:
    """Boxes, masks and skeletons of the kept detections.

    Args:
        photo: what they were found in.
        selection: what is kept.
        masks: float32 ``[K, 28, 28]`` of the kept detections, probabilities.
        keypoints: of the kept detections.
        mask: probability above which a pixel belongs to a mask.
        joint: score above which a joint is shown; ``None``: all of them.
        opacity: of the masks, 0 to 1.
        captions: write class and score at each box.
        steps: of the live sliders for score and IoU.
    """
    found = selection.detections
    colours = [class_colour(name) for name in found.labels]
    apart = masks is not None or keypoints is not None
    if apart:
        colours = instance_colours(len(found))
    return Scene(
        boxes=np.round(found.boxes, 2).tolist(),
        ids=found.candidate.tolist(),
        labels=list(found.labels),
        scores=found.scores.round(4).tolist(),
        colours=colours,
        tints=dict(zip(map(str, found.candidate.tolist()), colours, strict=True)) if apart else {},
        skeletons=_skeletons(keypoints, joint),
        limbs=_limbs(keypoints),
        overlay=_mask_overlay(photo, selection, masks, mask, opacity, colours),
        captions=captions,
        description=describe(photo.name, found),
        live=Live(selection, steps),
        zoom=True,
    )


def describe(name: str, found: Detections) -> str:
    """The detections in words: "cat.png: 2 detections, 1 cat, 1 dog; the best is cat 0.98"."""
    if not len(found):
        return f"{name}: no detections above the thresholds."
    counts = ", ".join(f"{n} {label}" for label, n in Counter(found.labels).most_common(8))
    plural = "" if len(found) == 1 else "s"
    return (
        f"{name}: {len(found)} detection{plural}, {counts}; the best is {found.labels[0]} "
        f"{found.scores[0]:.2f}. Arrow keys walk the boxes."
    )


def _skeletons(
    keypoints: Keypoints | None, threshold: float | None
) -> list[list[list[float] | None]] | None:
    if keypoints is None:
        return None
    shown = visible_joints(keypoints, threshold)
    points = np.round(keypoints.xy, 1).tolist()
    return [
        [xy if ok else None for xy, ok in zip(person, seen, strict=True)]
        for person, seen in zip(points, shown, strict=True)
    ]


def _limbs(keypoints: Keypoints | None) -> list[tuple[int, int, str]]:
    """Two joints and the side of the body of each limb."""
    if keypoints is None:
        return []
    sides = limb_sides(keypoints)
    return [(a, b, side) for (a, b), side in zip(keypoints.skeleton, sides, strict=True)]


def _mask_overlay(
    photo: Photo,
    selection: Selection,
    masks: np.ndarray | None,
    mask: float,
    opacity: float,
    colours: list[str],
) -> Overlay | None:
    found = selection.detections
    if masks is None or not len(found):
        return None
    scale = min(1.0, _OVERLAY_WIDTH / photo.width)
    height, width = max(1, round(photo.height * scale)), max(1, round(photo.width * scale))

    def png() -> bytes:
        boxes = found.boxes * np.float32(scale)
        ids = figures.instance_map(boxes, masks, height, width, mask)
        return figures.png(figures.mask_layer(ids, colours, opacity)[0], level=1)

    what = (selection.trace.info.id, found.candidate.tobytes(), mask)
    name = hashlib.sha256(repr(what).encode()).hexdigest()[:24]
    return Overlay(name, png, found.candidate.tolist(), colours, opacity)
