"""What the bundled networks say about the drawn scenes, as numbers that a test can compare.

Run after weights changed: python -m tests.models.record_answers
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.models.drawn_scenes import SCENES, photo
from vision_core.images import Photo
from vision_core.inference import PartSource, trace
from vision_core.models import Model, cards, load
from vision_core.selection import Thresholds

FILE = Path(__file__).with_name("drawn_answers.json")
BEST = 3
"""How many detections of each scene are compared."""


def answer(model: Model, picture: Photo) -> dict[str, Any]:
    """Return what a network says about a photo: a few numbers, by task."""
    found: Any = trace(model, picture)
    if model.card.task == "classification":
        return {"probabilities": np.round(found.probabilities, 4).tolist()}
    if model.card.task == "segmentation":
        shares = np.bincount(found.class_map.ravel(), minlength=len(model.labels))
        rows = np.linspace(8, picture.height - 9, 9).astype(int)
        columns = np.linspace(8, picture.width - 9, 12).astype(int)
        grid = found.class_map[np.ix_(rows, columns)]
        return {"shares": np.round(shares / shares.sum(), 4).tolist(), "grid": grid.tolist()}
    chosen = found.select(Thresholds(score=0.02, iou=0.5, max_detections=BEST)).detections
    told = {
        "labels": list(chosen.labels),
        "scores": np.round(chosen.scores, 4).tolist(),
        "boxes": np.round(chosen.boxes, 2).tolist(),
    }
    parts = PartSource(model, picture, found)
    if parts.kind == "masks":
        told["filled"] = np.round(parts.masks(chosen.candidate).mean((1, 2)), 4).tolist()
    if parts.kind == "keypoints":
        told["joints"] = np.round(parts.keypoints(chosen.candidate).xy[:1], 2).tolist()
    return told


def main() -> None:
    """Write the answers of every bundled network."""
    lines = []
    for card in cards():
        if card.bundled:
            model = load(card.name, device="cpu")
            told = {scene: answer(model, photo(scene)) for scene in SCENES}
            lines.append(f"{json.dumps(card.name)}: {json.dumps(told)}")
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main()
