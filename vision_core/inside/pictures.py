"""Feature maps as pictures: which part of a map belongs to the photo, and where its cells lie."""

from __future__ import annotations

import math

import numpy as np

from vision_core.inference.detection import frozen
from vision_core.inside.opened import Level, Opened, photo_boxes


def shown_size(opened: Opened, level: Level) -> tuple[int, int]:
    """(columns, rows) of a level that begin within the photo; the rest is padding."""
    width, height = opened.trace.info.network_size
    return (
        min(level.columns, math.ceil(width / level.stride[0])),
        min(level.rows, math.ceil(height / level.stride[1])),
    )


def level_values(opened: Opened, level: Level, channel: int | None = None) -> np.ndarray:
    """The features of a level without its padding, float32 [rows, columns].

    Args:
        opened: an opened detector.
        level: one of ``opened.levels``.
        channel: from 0; ``None`` for the mean over all channels.

    Raises:
        IndexError: there is no such channel.
    """
    maps = opened.features[level.name][0]
    chosen = maps.float().mean(0) if channel is None else maps[channel]
    columns, rows = shown_size(opened, level)
    return np.asarray(frozen(chosen)[:rows, :columns], np.float32)


def strongest_channels(opened: Opened, level: Level, count: int = 8) -> list[int]:
    """The channels of a level with the greatest mean magnitude, strongest first."""
    columns, rows = shown_size(opened, level)
    maps = opened.features[level.name][0, :, :rows, :columns].float().abs().mean((1, 2))
    order = np.argsort(-frozen(maps), kind="stable")
    return [int(i) for i in order[:count]]


def cells(opened: Opened, level: Level) -> np.ndarray:
    """The squares of a level's grid, row by row, cut at the photo's edges: float64 [K, 4], photo
    pixels.

    A cell is the ``stride`` pixels of the input that one position of the map stands for; its
    receptive field is larger.
    """
    columns, rows = shown_size(opened, level)
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    low = np.stack([x.ravel() * level.stride[0], y.ravel() * level.stride[1]], 1)
    boxes = photo_boxes(opened, np.concatenate([low, low + level.stride], 1))
    width, height = opened.trace.info.photo_size
    return boxes.clip(0, [width, height, width, height])


def density(boxes: np.ndarray, size: tuple[int, int], most: int = 480) -> np.ndarray:
    """How many boxes cover each place of a photo, where they are too many to be outlined.

    Args:
        boxes: [N, 4], photo pixels.
        size: (width, height) of the photo.
        most: longest side of the answer.

    Returns:
        int64 [rows, columns] over the whole photo: the boxes that hold the middle of each cell.
    """
    width, height = size
    scale = min(1.0, most / max(size))
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    given = np.asarray(boxes, np.float64).reshape(-1, 4)
    x = given[:, [0, 2]] * (columns / width)
    y = given[:, [1, 3]] * (rows / height)
    left, right = np.ceil(x - 0.5).clip(0, columns).astype(int).T
    top, bottom = np.ceil(y - 0.5).clip(0, rows).astype(int).T
    steps = np.zeros((rows + 1, columns + 1), np.int64)
    for row, column, sign in ((top, left, 1), (top, right, -1), (bottom, left, -1)):
        np.add.at(steps, (row, column), sign)
    np.add.at(steps, (bottom, right), 1)
    return steps.cumsum(0).cumsum(1)[:rows, :columns]
