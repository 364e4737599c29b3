"""Results of a network as a scene for the picture component, all numbers in photo pixels."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np

from pages.components.canvas import Overlay, Scene
from pages.components.canvas.live import Live
from pages.shared.thresholds import Controls
from vision_core import figures
from vision_core.figures.colours import class_colour
from vision_core.figures.overlay import visible_joints
from vision_core.figures.segmentation import palette
from vision_core.images import Photo
from vision_core.inference import Keypoints, SegmentationTrace
from vision_core.records import Detections, Selection

_OVERLAY_WIDTH = 1000  # of masks on the picture; wider ones take longer than a slider may


def detections(
    photo: Photo,
    selection: Selection,
    controls: Controls,
    masks: np.ndarray | None,
    keypoints: Keypoints | None,
) -> Scene:
    """Boxes, masks and skeletons of the kept detections."""
    found = selection.detections
    return Scene(
        boxes=np.round(found.boxes, 2).tolist(),
        ids=found.candidate.tolist(),
        labels=list(found.labels),
        scores=found.scores.round(4).tolist(),
        colours=[class_colour(name) for name in found.labels],
        skeletons=_skeletons(keypoints, controls.joint),
        limbs=list(keypoints.skeleton) if keypoints is not None else [],
        overlay=_mask_overlay(photo, selection, controls, masks),
        captions=controls.captions,
        description=describe(photo.name, found),
        live=Live(selection, controls.steps),
        zoom=True,
    )


def class_map(
    photo: Photo, trace: SegmentationTrace, opacity: float, pin: tuple[int, int] | None
) -> Scene:
    """The class map over the photo; a click picks a pixel."""

    def png() -> bytes:
        return figures.indexed_png(trace.class_map, palette(trace.info.labels, opacity))

    shares = ", ".join(f"{e.label} {e.share:.0%}" for e in figures.legend(trace)[:6])
    return Scene(
        overlay=Overlay(f"{trace.info.id}-{opacity:.3f}", png),
        picks="pixels",
        pin=pin,
        zoom=True,
        description=f"{photo.name} with its class map: {shares}. Click a pixel for its classes.",
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


def _mask_overlay(
    photo: Photo, selection: Selection, controls: Controls, masks: np.ndarray | None
) -> Overlay | None:
    found = selection.detections
    if masks is None or not len(found):
        return None
    scale = min(1.0, _OVERLAY_WIDTH / photo.width)
    height, width = max(1, round(photo.height * scale)), max(1, round(photo.width * scale))

    def png() -> bytes:
        boxes = found.boxes * np.float32(scale)
        ids = figures.instance_map(boxes, masks, height, width, controls.mask)
        return figures.png(figures.mask_layer(ids, colours, controls.opacity)[0], level=1)

    colours = [class_colour(name) for name in found.labels]
    what = (selection.trace.info.id, found.candidate.tobytes(), controls.mask)
    name = hashlib.sha256(repr(what).encode()).hexdigest()[:24]
    return Overlay(name, png, found.candidate.tolist(), colours, controls.opacity)
