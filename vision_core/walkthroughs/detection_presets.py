"""Small scenes with true boxes and detections, for average precision."""

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
