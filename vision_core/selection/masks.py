"""Pasting of low-resolution instance masks into the photo, only inside their boxes."""

from __future__ import annotations

import cv2
import numpy as np


def paste_mask(
    mask: np.ndarray, box: np.ndarray, height: int, width: int
) -> tuple[int, int, np.ndarray]:
    """Resample a box's mask to the photo, computing only the pixels that the box covers.

    The same values as ``torchvision.models.detection.roi_heads.paste_mask_in_image``: the mask
    gets a border of one zero pixel, the box grows by the same ratio and is cut to whole pixels,
    and the border and mask are resampled bilinearly.

    Args:
        mask: float32 [M, M], probabilities.
        box: [x1, y1, x2, y2] in pixels of a picture of the given height and width.
        height: of the picture, pixels.
        width: of the picture, pixels.

    Returns:
        ``(y0, x0, patch)``: the patch, float32 [h, w], belongs at row y0 and column x0; every
        pixel outside it is zero. It is empty where the box lies outside the picture.
    """
    side = mask.shape[-1]
    padded = np.zeros((side + 2, side + 2), np.float32)
    padded[1:-1, 1:-1] = mask
    x1, y1, x2, y2 = _grown(np.asarray(box, np.float32), (side + 2) / side)
    if 0 < x2 - x1 < 2 * width and 0 < y2 - y1 < 2 * height:
        whole = cv2.resize(padded, (x2 - x1 + 1, y2 - y1 + 1), interpolation=cv2.INTER_LINEAR)
        patch = whole[max(-y1, 0) : max(height - y1, 0), max(-x1, 0) : max(width - x1, 0)]
    else:  # far larger than the picture, or empty: only the visible part, at the price of a product
        columns = _interpolation(side + 2, x1, x2, width)
        patch = _interpolation(side + 2, y1, y2, height) @ padded @ columns.T
    return max(y1, 0), max(x1, 0), patch


def whole_mask(
    mask: np.ndarray, box: np.ndarray, height: int, width: int, threshold: float = 0.5
) -> np.ndarray:
    """The pixels of the whole picture whose probability is ``threshold`` or more, bool [H, W].

    Args as of ``paste_mask``.
    """
    full = np.zeros((height, width), bool)
    y, x, patch = paste_mask(mask, box, height, width)
    full[y : y + patch.shape[0], x : x + patch.shape[1]] = patch >= threshold
    return full


def _grown(box: np.ndarray, scale: float) -> tuple[int, int, int, int]:
    if not np.isfinite(box).all():
        return 0, 0, -9, -9
    half_w, half_h = (box[2] - box[0]) * 0.5 * scale, (box[3] - box[1]) * 0.5 * scale
    mid_x, mid_y = (box[2] + box[0]) * 0.5, (box[3] + box[1]) * 0.5
    corners = (mid_x - half_w, mid_y - half_h, mid_x + half_w, mid_y + half_h)
    x1, y1, x2, y2 = (int(v) for v in corners)  # towards zero, as torch does
    return x1, y1, x2, y2


def _interpolation(source: int, low: int, high: int, limit: int) -> np.ndarray:
    """Weights [visible, source] of bilinear resampling along one axis, visible pixels only."""
    length = max(high - low + 1, 0)  # corners that are swapped span nothing
    first, last = max(low, 0), min(low + length, limit)
    place = np.arange(first, max(last, first), dtype=np.float32) - np.float32(low)
    step, half = np.float32(source / max(length, 1)), np.float32(0.5)
    at = np.maximum((place + half) * step - half, 0)
    left = np.minimum(at.astype(np.int64), source - 1)
    right = np.minimum(left + 1, source - 1)
    share = at - left
    weights = np.zeros((len(at), source), np.float32)
    index = np.arange(len(at))
    weights[index, left] = 1 - share
    weights[index, right] += share
    return weights
