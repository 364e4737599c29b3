"""The geometry of top-down pose: from a person's box to a crop, from heatmaps back to the photo.

Training, evaluation and inference share these functions, so that a joint means the same place in
all three. Coordinates are continuous: pixel ``i`` covers ``[i, i + 1)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from vision_core.models.zoo.pose_heatmap_s import CROP

JOINTS = (
    "right_ankle",
    "right_knee",
    "right_hip",
    "left_hip",
    "left_knee",
    "left_ankle",
    "right_wrist",
    "right_elbow",
    "right_shoulder",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "neck",
    "head_top",
)
"""The joints of the Leeds Sports Pose data, in the order of the heatmaps."""

SKELETON = (
    (0, 1),
    (1, 2),
    (2, 3),
    (3, 4),
    (4, 5),
    (6, 7),
    (7, 8),
    (8, 12),
    (9, 12),
    (9, 10),
    (10, 11),
    (2, 8),
    (3, 9),
    (12, 13),
)
"""Pairs of joint indices that a limb connects."""

MIRRORED = (5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 12, 13)
"""For each joint the one that takes its place in a mirrored photo."""

COCO_FROM_LSP = {
    5: 9,
    6: 8,
    7: 10,
    8: 7,
    9: 11,
    10: 6,
    11: 3,
    12: 2,
    13: 4,
    14: 1,
    15: 5,
    16: 0,
}
"""COCO-17 keypoint index -> index into ``JOINTS``, for the twelve joints that both have."""

SCORE_KIND = "probability"
"""What ``decode_heatmaps`` returns as score: see there."""

NO_SCORE = "none"
"""Joints that come without a score, as a regression network's do; 1.0 stands in its place."""

EXPANSION = 1.15
"""Side of the square that is cut out, as a multiple of the longer side of the person's box."""
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
_NEIGHBOURS = 2
_MOST_SAMPLES = 8


@dataclass(frozen=True)
class CropGeometry:
    """Where the square crops lie, in photo pixels.

    Attributes:
        origin: ``[N, 2]`` x, y of the top left corner; may lie outside the photo.
        side: ``[N]`` length of the sides.
    """

    origin: Tensor
    side: Tensor

    def to_photo(self, unit: Tensor) -> Tensor:
        """``[N, J, 2]`` positions in the crop, 0..1 along its sides -> photo pixels."""
        return self.origin[:, None] + unit * self.side[:, None, None]


def geometry_of(boxes: Tensor) -> CropGeometry:
    """Return the square windows around ``[N, 4]`` boxes (x1, y1, x2, y2 in photo pixels)."""
    boxes = boxes.float()
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    side = (boxes[:, 2:] - boxes[:, :2]).amax(1).clamp(min=1) * EXPANSION
    return CropGeometry(centre - side[:, None] / 2, side)


def crop_boxes(image: Tensor, boxes: Tensor) -> tuple[Tensor, CropGeometry]:
    """Cut the persons out of a photo.

    Each crop is the square of ``EXPANSION`` times the longer side around the box's centre, so
    that the aspect is kept; what lies outside the photo is 0 after normalisation (mean grey).
    Large squares are sampled more finely and averaged, against aliasing.

    Args:
        image: ``[3, H, W]`` in 0..1.
        boxes: ``[N, 4]`` x1, y1, x2, y2 in photo pixels; they may leave the photo or be tiny.

    Returns:
        Crops ``[N, 3, 128, 128]``, normalised with ImageNet's statistics, on the image's device,
        and the geometry that ``decode_heatmaps`` needs.
    """
    mean = image.new_tensor(MEAN)[:, None, None]
    std = image.new_tensor(STD)[:, None, None]
    normalised = ((image - mean) / std)[None]
    geometry = geometry_of(boxes.to(image.device))
    photo_wh = image.new_tensor([image.shape[2], image.shape[1]])
    crops = []
    for origin, side in zip(geometry.origin, geometry.side, strict=True):
        finer = min(max(math.ceil(float(side) / CROP), 1), _MOST_SAMPLES)
        steps = (torch.arange(CROP * finer, device=image.device) + 0.5) / (CROP * finer)
        unit = 2 * (origin[:, None] + side * steps) / photo_wh[:, None] - 1
        grid_y, grid_x = torch.meshgrid(unit[1], unit[0], indexing="ij")
        grid = torch.stack([grid_x, grid_y], 2)[None].to(image.dtype)
        crop = F.grid_sample(normalised, grid, padding_mode="zeros", align_corners=False)
        crops.append(F.avg_pool2d(crop, finer) if finer > 1 else crop)
    if not crops:
        return image.new_zeros(0, 3, CROP, CROP), geometry
    return torch.cat(crops), geometry


def decode(output: Tensor, geometry: CropGeometry) -> tuple[Tensor, Tensor]:
    """Return joints and scores from what a pose network said, whatever its kind.

    Args:
        output: heatmaps ``[N, J, h, w]`` or coordinates ``[N, J, 2]``.
        geometry: of the N crops.
    """
    return (decode_heatmaps if output.ndim == 4 else decode_coordinates)(output, geometry)


def decode_coordinates(unit: Tensor, geometry: CropGeometry) -> tuple[Tensor, Tensor]:
    """Return where a regression network puts the joints.

    Args:
        unit: ``[N, J, 2]`` x, y along the sides of the crop, 0..1.
        geometry: of the N crops.

    Returns:
        ``xy [N, J, 2]`` in photo pixels, and ``[N, J]`` ones: the network gives no scores
        (``NO_SCORE``), and every joint is shown.
    """
    xy = geometry.to_photo(unit.float().to(geometry.origin))
    return xy, torch.ones(xy.shape[:2], device=xy.device)


def decode_heatmaps(logits: Tensor, geometry: CropGeometry) -> tuple[Tensor, Tensor]:
    """Return where the joints are and how sure the network is.

    A joint lies at the peak of its map, moved by at most half a cell to the top of the parabola
    through the peak and its neighbours (Zhang et al., "Distribution-Aware Coordinate
    Representation for Human Pose Estimation", 2020, with axes taken apart).

    Args:
        logits: ``[N, J, h, w]``; softmax over all cells of a map is the probability of each.
        geometry: of the N crops.

    Returns:
        ``xy [N, J, 2]`` in photo pixels, and ``scores [N, J]`` in 0..1: the probability that the
        joint lies within two cells of the peak, given that it lies in the crop at all.
    """
    n, joints, height, width = logits.shape
    flat = logits.float().flatten(2)
    peak = flat.argmax(2)
    column, row = peak % width, peak // width
    x = column + 0.5 + _vertex(logits.float(), row, column, along_x=True)
    y = row + 0.5 + _vertex(logits.float(), row, column, along_x=False)
    unit = torch.stack([x / width, y / height], 2)
    probability = flat.softmax(2).reshape(n, joints, height, width)
    size = 2 * _NEIGHBOURS + 1
    near = F.avg_pool2d(probability, size, 1, _NEIGHBOURS, divisor_override=1)
    scores = near.flatten(2).gather(2, peak[:, :, None])[:, :, 0].clamp(0, 1)
    return geometry.to_photo(unit.to(geometry.origin)), scores


def _vertex(logits: Tensor, row: Tensor, column: Tensor, *, along_x: bool) -> Tensor:
    """``[N, J]`` offset in cells from the peak to the top of the parabola along one axis."""
    padded = F.pad(logits, (1, 1, 1, 1), mode="replicate").flatten(2)
    width = logits.shape[3] + 2
    centre = (row + 1) * width + column + 1
    step = 1 if along_x else width

    def at(index: Tensor) -> Tensor:
        return padded.gather(2, index[:, :, None])[:, :, 0]

    before, here, after = at(centre - step), at(centre), at(centre + step)
    bend = before - 2 * here + after
    offset = torch.where(bend < 0, (before - after) / (2 * bend.clamp(max=-1e-6)), 0 * bend)
    return offset.clamp(-0.5, 0.5)
