"""Non-maximum suppression on real candidates as steps for the browser's replay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from vision_core.figures.colours import class_colour
from vision_core.images import Photo
from vision_core.inference import DetectionTrace
from vision_core.records import Thresholds
from vision_core.selection.replay import ReplayStep, replay

MOST = 100
"""Candidates at the most: with more boxes on a picture nobody sees anything."""
VARIANTS = {"hard": "Hard", "soft-linear": "Soft, linear", "soft-gaussian": "Soft, Gaussian"}
WIDTH = 640
"""Pixels of the picture that is sent, at the most; three stand beside each other."""


def at_most(trace: DetectionTrace, thresholds: Thresholds) -> tuple[Thresholds, int]:
    """Thresholds that leave at most ``MOST`` candidates, and how many the given ones leave."""
    above = np.sort(trace.scores[trace.scores > np.float32(thresholds.score)])[::-1]
    if len(above) <= MOST:
        return thresholds, len(above)
    return replace(thresholds, score=float(above[MOST])), len(above)


def replay_data(
    photo: Photo, trace: DetectionTrace, thresholds: Thresholds, url: str
) -> dict[str, Any]:
    """What the replay is sent: the photo, the candidates, and the steps of each variant.

    Args:
        photo: the picture behind the boxes.
        trace: its candidates.
        thresholds: score, IoU, sigma and class-agnostic are taken from here.
        url: of the photo's file, at most ``WIDTH`` pixels wide.
    """
    alive = np.flatnonzero(trace.scores > np.float32(thresholds.score))
    place = {int(candidate): i for i, candidate in enumerate(alive)}
    labels = [trace.label(int(candidate)) for candidate in alive]
    variants = []
    for name, title in VARIANTS.items():
        steps = replay(trace, replace(thresholds, nms=name, classes=None))  # type: ignore[arg-type]
        variants.append(
            {
                "name": name,
                "title": title,
                "rule": _rule(name, thresholds),
                "steps": [_numbers(step, place) for step in steps],
            }
        )
    return {
        "photo": {"width": photo.width, "height": photo.height, "url": url},
        "ids": alive.tolist(),
        "boxes": np.round(trace.boxes[alive], 2).tolist(),
        "scores": trace.scores[alive].astype(float).round(4).tolist(),
        "labels": labels,
        "colours": [class_colour(label) for label in labels],
        "variants": variants,
    }


def _numbers(step: ReplayStep, place: dict[int, int]) -> list[Any]:
    effects = [
        [place[e.candidate], round(e.iou, 4), round(e.before, 4), round(e.after, 4), int(e.out)]
        for e in step.effects
    ]
    return [place[step.kept], round(step.score, 4), effects]


def _rule(name: str, thresholds: Thresholds) -> str:
    if name == "hard":
        return f"drops what overlaps by IoU > {thresholds.iou:g}"
    if name == "soft-linear":
        return f"score x (1 - IoU) where IoU > {thresholds.iou:g}"
    return f"score x exp(-IoU² / {thresholds.sigma:g})"
