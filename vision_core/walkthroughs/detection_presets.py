"""Small scenes: true boxes and detections for average precision, heat maps of corners."""

from __future__ import annotations

from typing import Any

TWO_PHOTOS: dict[str, Any] = {
    "truth": {"first": [[10, 10, 40, 40], [70, 20, 30, 50]], "second": [[20, 30, 60, 40]]},
    "detections": {
        "first": [[0.9, 12, 11, 40, 40], [0.8, 8, 14, 42, 38], [0.6, 72, 18, 30, 50]],
        "second": [[0.7, 90, 80, 20, 20], [0.5, 24, 32, 56, 40]],
    },
}
"""Three objects, five detections: a duplicate and one on nothing."""

CORNERS: dict[str, Any] = {
    "top_left": [
        [0.9, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.8, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [0.3, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
    ],
    "bottom_right": [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.4],
        [0.0, 0.0, 0.0, 0.7, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.9],
    ],
    "embedding_top_left": [
        [1.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 2.1, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [3.5, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
    ],
    "embedding_bottom_right": [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 5.0],
        [0.0, 0.0, 0.0, 1.2, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 2.0],
    ],
}
"""Two objects whose boxes overlap, and a false peak of each kind of corner."""

ANCHORS: dict[str, Any] = {
    "feature_size": [3, 4],
    "stride": 16,
    "sizes": [16, 32],
    "aspect_ratios": [0.5, 1.0, 2.0],
}
