"""Detections painted on a photo: boxes, labels, masks and skeletons."""

from __future__ import annotations

import cv2
import numpy as np

from vision_core.figures.canvas import (
    MAX_WIDTH,
    draw_box,
    draw_dot,
    draw_label,
    draw_line,
    fitted,
    free_place,
    label_rect,
    line_width,
    text_size,
)
from vision_core.figures.colours import class_colour, instance_colours, rgb
from vision_core.images import Photo
from vision_core.records import Keypoints, Selection
from vision_core.selection.masks import paste_mask


def draw(
    photo: Photo,
    selection: Selection,
    *,
    masks: np.ndarray | None = None,
    keypoints: Keypoints | None = None,
    mask_threshold: float = 0.5,
    joint_threshold: float | None = None,
    opacity: float = 0.5,
    labels: bool = True,
    highlight: int | None = None,
    max_width: int = MAX_WIDTH,
) -> np.ndarray:
    """Paint the kept detections of a selection on the photo.

    Never fails on what a network may say: no boxes, boxes without extent or outside the photo,
    any number of them, any label.

    Args:
        photo: the photo that was traced.
        selection: its detections are painted, the least certain first.
        masks: float32 [K, M, M], mask probabilities of the detections.
        keypoints: joints of the detections.
        mask_threshold: a pixel belongs to an instance from this probability on, 0 to 1.
        joint_threshold: joints below this score are left out, and their limbs; ``None`` shows all.
        opacity: of the mask fill, 0 to 1.
        labels: write class and score at each box.
        highlight: a candidate of the trace whose box is drawn wider.
        max_width: the picture is shrunk to this many pixels of width.

    Returns:
        uint8 [H, W, 3] RGB.
    """
    found = selection.detections
    picture, scale = fitted(photo, max_width)
    boxes = found.boxes * np.float32(scale)
    colours = [class_colour(name) for name in found.labels]
    if masks is not None or keypoints is not None:
        colours = instance_colours(len(found))
    if masks is not None:
        _paint_masks(picture, boxes, masks, colours, mask_threshold, opacity)
    width = line_width(*picture.shape[:2])
    for i in reversed(range(len(found))):
        chosen = highlight is not None and int(found.candidate[i]) == highlight
        if chosen:
            draw_box(picture, boxes[i], "#FFFFFF", 3 * width + 2)
        draw_box(picture, boxes[i], colours[i], 3 * width if chosen else width)
    if keypoints is not None:
        _paint_skeletons(picture, keypoints, scale, colours, joint_threshold)
    if labels:
        _paint_labels(picture, selection, boxes, colours)
    return picture


def instance_map(
    boxes: np.ndarray,
    masks: np.ndarray,
    height: int,
    width: int,
    threshold: float = 0.5,
) -> np.ndarray:
    """Which detection covers each pixel: uint8 [height, width], 0 for none, else index + 1.

    Large instances lie under small ones. More than 254 instances share the last number.

    Args:
        boxes: float32 [K, 4] in pixels of the picture of the given size.
        masks: float32 [K, M, M], probabilities.
        height: of the picture, pixels.
        width: of the picture, pixels.
        threshold: a pixel belongs to an instance from this probability on.
    """
    out = np.zeros((height, width), np.uint8)
    for i in largest_first(boxes):
        y, x, patch = paste_mask(masks[i], boxes[i], height, width)
        region = out[y : y + patch.shape[0], x : x + patch.shape[1]]
        region[patch >= threshold] = min(i + 1, 255)
    return out


def mask_layer(
    ids: np.ndarray, colours: list[str], opacity: float
) -> tuple[np.ndarray, np.ndarray]:
    """An instance map with outlines, and the colours of its numbers, for an indexed PNG.

    Args:
        ids: uint8 [H, W] from `instance_map`.
        colours: ``#RRGGBB`` of each detection.
        opacity: of the fill, 0 to 1; outlines are opaque.

    Returns:
        uint8 [H, W] and uint8 [256, 4] RGBA. From 128 instances on there are no outlines.
    """
    table = np.zeros((256, 4), np.uint8)
    for i, colour in enumerate(colours[:254]):
        table[i + 1] = (*rgb(colour), round(255 * opacity))
    if len(colours) >= 128:
        return ids, table
    table[129:256] = table[1:128]
    table[129:256, 3] = np.where(table[1:128, 3] > 0, 255, 0)
    kernel = np.ones((3, 3), np.uint8)
    edge = (cv2.erode(ids, kernel) != ids) | (cv2.dilate(ids, kernel) != ids)
    return np.where(edge & (ids > 0), ids + np.uint8(128), ids), table


def largest_first(boxes: np.ndarray) -> list[int]:
    """Indices of boxes from the largest area to the smallest."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return [int(i) for i in np.argsort(-area, kind="stable")]


def visible_joints(keypoints: Keypoints, threshold: float | None) -> np.ndarray:
    """bool [K, J]: joints at or above the threshold, with finite coordinates."""
    finite = np.isfinite(keypoints.xy).all(axis=-1)
    return finite if threshold is None else finite & (keypoints.scores >= threshold)


def limb_sides(keypoints: Keypoints) -> list[str]:
    """``left``, ``right`` or an empty word for each limb, by the names of its two joints."""

    def side(limb: tuple[int, int]) -> str:
        words = {keypoints.names[joint].split("_")[0] for joint in limb} & {"left", "right"}
        return words.pop() if len(words) == 1 else ""

    return [side(limb) for limb in keypoints.skeleton]


def _paint_masks(
    picture: np.ndarray,
    boxes: np.ndarray,
    masks: np.ndarray,
    colours: list[str],
    threshold: float,
    opacity: float,
) -> None:
    height, width = picture.shape[:2]
    outline = line_width(height, width)
    for i in largest_first(boxes):
        y, x, patch = paste_mask(masks[i], boxes[i], height, width)
        inside = (patch >= threshold).astype(np.uint8)
        if not inside.any():
            continue
        region = picture[y : y + patch.shape[0], x : x + patch.shape[1]]
        cv2.copyTo(cv2.LUT(region, _tinting(colours[i], opacity)), inside, region)
        contours, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(picture, contours, -1, rgb(colours[i]), outline, offset=(x, y))


def _tinting(colour: str, opacity: float) -> np.ndarray:
    """Look-up table uint8 [256, 1, 3]: a photo's value mixed with the colour."""
    values = np.arange(256, dtype=np.float32)[:, None, None]
    return np.round(values * (1 - opacity) + np.array(rgb(colour)) * opacity).astype(np.uint8)


def _paint_labels(
    picture: np.ndarray, selection: Selection, boxes: np.ndarray, colours: list[str]
) -> None:
    """Labels at the boxes, the best first; one that would hide another moves down."""
    size = text_size(*picture.shape[:2])
    taken: list[tuple[int, int, int, int]] = []
    found = selection.detections
    for i in range(len(found)):
        text = f"{found.labels[i]} {found.scores[i]:.2f}"
        place = free_place(label_rect(picture, text, boxes[i, :2], size), taken, picture.shape[0])
        taken.append(place)
        draw_label(picture, text, place, colours[i], size)


def _paint_skeletons(
    picture: np.ndarray,
    keypoints: Keypoints,
    scale: float,
    colours: list[str],
    threshold: float | None,
) -> None:
    width = line_width(*picture.shape[:2]) + 1
    shown, sides = visible_joints(keypoints, threshold), limb_sides(keypoints)
    for person, colour in enumerate(colours):
        points = keypoints.xy[person] * scale
        for (a, b), side in zip(keypoints.skeleton, sides, strict=True):
            if shown[person, a] and shown[person, b]:
                edge = "#000000" if side == "right" else "#FFFFFF"
                draw_line(picture, points[a], points[b], edge, width + 2)
                draw_line(picture, points[a], points[b], colour, width)
        for joint in np.flatnonzero(shown[person]):
            draw_dot(picture, points[joint], colour, width)
