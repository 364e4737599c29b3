"""Results of a network as a scene for the picture component, all numbers in photo pixels."""

from __future__ import annotations

import numpy as np

from pages.components.canvas import Overlay, Scene
from pages.shared.thresholds import Controls
from vision_core import figures
from vision_core.figures.browser.detections import detection_scene
from vision_core.figures.colours import INPUT
from vision_core.figures.segmentation import palette, shown_ids
from vision_core.images import Photo
from vision_core.inference import ClassificationTrace, Keypoints, SegmentationTrace
from vision_core.records import Selection


def detections(
    photo: Photo,
    selection: Selection,
    controls: Controls,
    masks: np.ndarray | None,
    keypoints: Keypoints | None,
) -> Scene:
    """Boxes, masks and skeletons of the kept detections."""
    return detection_scene(
        photo,
        selection,
        masks,
        keypoints,
        mask=controls.mask,
        joint=controls.joint,
        opacity=controls.opacity,
        captions=controls.captions,
        steps=controls.steps,
    )


def seen(photo: Photo, trace: ClassificationTrace) -> Scene:
    """The part of the photo that a classifier saw after its resize and crop."""
    best, probability = trace.top(1)[0]
    return Scene(
        boxes=[list(trace.seen_box)],
        ids=[0],
        labels=["what the network saw"],
        scores=[None],
        colours=[INPUT],
        dashes=[(3, 2)],
        captions=False,
        description=f"{photo.name}: {best}, probability {probability:.2f}.",
        zoom=True,
    )


def class_map(
    photo: Photo,
    trace: SegmentationTrace,
    opacity: float,
    pin: tuple[int, int] | None,
    unsure_below: float = 0.0,
) -> Scene:
    """The class map over the photo, unsure pixels striped; a click picks a pixel."""

    def png() -> bytes:
        ids = shown_ids(trace, unsure_below)
        return figures.indexed_png(ids, palette(trace.info.labels, opacity))

    shares = ", ".join(f"{e.label} {e.share:.0%}" for e in figures.legend(trace, unsure_below)[:6])
    return Scene(
        overlay=Overlay(f"{trace.info.id}-{opacity:.3f}-{unsure_below:g}", png),
        picks="pixels",
        pin=pin,
        zoom=True,
        description=f"{photo.name} with its class map: {shares}. Click a pixel for its classes.",
    )
