"""Makes the contact sheets of docs/zoo.md and the table of what each model says.

Run after weights changed: python -m tests.models.zoo_sheet
The photos ship with the dependencies under free licences, or are drawn by this repository.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from tests.models.drawn_scenes import SCENES
from tests.models.drawn_scenes import photo as drawn
from vision_core import samples
from vision_core.figures import draw, draw_class_map
from vision_core.images import Photo
from vision_core.inference import PartSource, default_thresholds, trace
from vision_core.models import Model, card, cards, load

TARGET = Path(__file__).resolve().parents[2] / "docs" / "images"
TILE = (200, 165)
"""Width and height of a picture in the sheet, below a line of text."""
LINE = 22
SHEETS = {
    "zoo_boxes": (
        ("fcos_s", "faster_rcnn_s", "mask_rcnn_s", "pose_heatmap_s"),
        ("cat", "astronaut", "grace_hopper", "photographer", "person", "meadow", "street"),
    ),
    "zoo_pixels": (
        ("fcn_voc_s", "fcn_s", "fcn_deconv_s", "segnet_s"),
        ("cat", "astronaut", "photographer", "china", "person", "meadow", "street"),
    ),
}


def picture_of(name: str) -> Photo:
    """A sample photo, or a drawn scene where the name is one of those (the cat is the photo)."""
    return samples.sample(name) if name in samples.names() else drawn(name)


def painted(model: Model, picture: Photo) -> np.ndarray:
    """What a network says, painted on the photo."""
    found: Any = trace(model, picture)
    if model.card.task == "segmentation":
        return draw_class_map(picture, found, opacity=0.6, with_legend=False, max_width=460)
    selection = found.select(default_thresholds(model))
    parts, kept = PartSource(model, picture, found), selection.detections.candidate
    return draw(
        picture,
        selection,
        masks=parts.masks(kept) if parts.kind == "masks" else None,
        keypoints=parts.keypoints(kept) if parts.kind == "keypoints" else None,
        max_width=460,
    )


def tile(pixels: np.ndarray, text: str) -> np.ndarray:
    """A picture shrunk into a tile of fixed size, with a line of text above it."""
    width, height = TILE
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    page = np.full((height + LINE + 6, width + 6, 3), 255, np.uint8)
    cv2.putText(page, text, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (30,) * 3, 1, cv2.LINE_AA)
    x = 3 + (width - size[0]) // 2
    page[LINE : LINE + size[1], x : x + size[0]] = small
    return page


def said(model: Model, picture: Photo) -> str:
    """What a network says about a photo, in a few words."""
    found: Any = trace(model, picture)
    if model.card.task == "classification":
        words = ", ".join(f"{label} {p:.0%}" for label, p in found.top(2))
        return words if found.likely else f"none is likely ({words})"
    if model.card.task == "segmentation":
        counts = found.pixel_counts()
        total = sum(counts.values())
        shares = sorted(counts.items(), key=lambda pair: -pair[1])
        return ", ".join(f"{name} {count / total:.0%}" for name, count in shares[:3])
    chosen = found.select(default_thresholds(model)).detections
    words = [
        f"{label} {score:.0%}" for label, score in zip(chosen.labels, chosen.scores, strict=True)
    ]
    return ", ".join(words[:3]) + (" ..." if len(words) > 3 else "") or "nothing"


def sheet(name: str) -> Path:
    """Write one contact sheet; return its path."""
    networks, pictures = SHEETS[name]
    models = [load(network, device="cpu") for network in networks]
    rows = []
    for title in pictures:
        photo = picture_of(title)
        tiles = [tile(photo.pixels, title + (" (drawn)" if photo.name in SCENES else ""))]
        tiles += [tile(painted(model, photo), model.name) for model in models]
        rows.append(np.hstack(tiles))
    path = TARGET / f"{name}.png"
    Image.fromarray(np.vstack(rows)).quantize(256).save(path, optimize=True)
    return path


def table() -> str:
    """The answers on the sample photos, as a table in Markdown."""
    names = samples.names()
    lines = ["| model | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for entry in cards():
        if entry.bundled and entry.task != "pose":
            model = load(card(entry.name).name, device="cpu")
            told = [said(model, samples.sample(name)) for name in names]
            lines.append(f"| `{entry.name}` | " + " | ".join(told) + " |")
    return "\n".join(lines)


def main() -> None:
    for name in SHEETS:
        path = sheet(name)
        print(f"{path.relative_to(TARGET.parents[1])}: {path.stat().st_size / 1024:.0f} kB")
    print(table())


if __name__ == "__main__":
    main()
