"""The steps of ``predict``: read, trace, select, parts, draw, tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vision_core import devices
from vision_core.cli.output import cannot_write
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference import ClassificationTrace, DetectionTrace, PartSource, predict, trace
from vision_core.models import Model
from vision_core.records import Prediction


def run(
    model: Model,
    photo: Photo,
    given: dict[str, Any],
    mask_threshold: float = 0.5,
    joint_threshold: float | None = None,
) -> Prediction:
    """Run the model and apply the thresholds: the model's own, changed by the given ones."""
    found = trace(model, photo)
    if not isinstance(found, DetectionTrace):
        return predict(found)
    return predict(
        found,
        replace(found.defaults, **given),
        PartSource(model, photo, found),
        mask_threshold=mask_threshold,
        joint_threshold=joint_threshold,
    )


def save_overlay(photo: Photo, prediction: Prediction, path: Path) -> None:
    """Draw the prediction on the photo, at the photo's size.

    Raises:
        UserError: the file cannot be written.
    """
    picture = Image.fromarray(_drawn(photo, prediction))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    except OSError as error:
        raise UserError(cannot_write(path, error)) from None


def page_path(asked: Path, photo: Photo, number: int, count: int) -> Path:
    """Where the HTML page of the ``number``-th of ``count`` photos goes.

    Raises:
        UserError: the name is no HTML file's.
    """
    suffix = asked.suffix.lower()
    if asked.is_dir() or not suffix:
        lead = f"{number}-" if count > 1 else ""
        return asked / f"{lead}{Path(photo.name).stem}.html"
    if suffix not in (".html", ".htm"):
        raise UserError(f"{asked} is no page; end its name in .html.")
    return asked if count == 1 else asked.with_stem(f"{asked.stem}-{number}")


def save_page(photo: Photo, prediction: Prediction, path: Path) -> None:
    """Write the live picture of a detector as one HTML file.

    Raises:
        UserError: the file cannot be written.
    """
    from vision_core.figures.browser.standalone.pages import prediction_html

    assert prediction.selection is not None
    text = prediction_html(
        photo,
        prediction.selection,
        prediction.masks,
        prediction.keypoints,
        mask=prediction.mask_threshold,
        joint=prediction.joint_threshold,
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(cannot_write(path, error)) from None


def _drawn(photo: Photo, prediction: Prediction) -> np.ndarray:
    from vision_core import figures
    from vision_core.figures import canvas

    traced = prediction.trace
    if prediction.selection is not None:
        return figures.draw(
            photo,
            prediction.selection,
            masks=prediction.masks,
            keypoints=prediction.keypoints,
            mask_threshold=prediction.mask_threshold,
            joint_threshold=prediction.joint_threshold,
            max_width=photo.width,
        )
    if isinstance(traced, ClassificationTrace):
        picture = photo.pixels.copy()
        label, probability = traced.top(1)[0]
        size = canvas.text_size(photo.height, photo.width)
        text = f"{label} {probability:.2f}"
        place = canvas.label_rect(picture, text, np.array([0.0, 3.0 * size]), size)
        canvas.draw_label(picture, text, place, figures.class_colour(label), size)
        return picture
    assert not isinstance(traced, DetectionTrace)
    return figures.draw_class_map(photo, traced, max_width=photo.width)


def summary(photo: Photo, prediction: Prediction, model: Model) -> str:
    """A few lines for people: the photo, then one line per detection or class."""
    traced = prediction.trace
    head = f"{photo.name} ({photo.width} x {photo.height}), {model.name} on "
    head += devices.describe(model.device)
    lines = [f"  note: {note}" for note in (*photo.notes, *traced.info.notes)]
    if (selection := prediction.selection) is not None:
        found = selection.detections
        head += f": {len(found)} detection{'s' if len(found) != 1 else ''}"
        for label, score, box in zip(found.labels, found.scores, found.boxes, strict=True):
            lines.append(f"  {score:.3f}  {label:20s}  " + " ".join(f"{v:7.1f}" for v in box))
    elif isinstance(traced, ClassificationTrace):
        lines += [f"  {p:.3f}  {label}" for label, p in traced.top(5)]
    else:
        assert not isinstance(traced, DetectionTrace)
        share = 100 / traced.class_map.size
        counts = sorted(traced.pixel_counts().items(), key=lambda pair: -pair[1])
        lines += [f"  {count * share:5.1f} %  {label}" for label, count in counts]
    return "\n".join([head, *lines])
