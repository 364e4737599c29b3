"""Percentage of correct keypoints."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vision_core.inference.pose import JOINTS

_DIAGONALS = (("left_shoulder", "right_hip"), ("right_shoulder", "left_hip"))


def torso_lengths(joints: Tensor, names: Sequence[str] = JOINTS) -> Tensor:
    """Return ``[N]`` distances from left shoulder to right hip, or the other diagonal.

    NaN where neither diagonal of ``joints [N, J, 3]`` is labelled, or has a name.
    """
    lengths = torch.full([len(joints)], torch.nan, dtype=joints.dtype)
    for shoulder, hip in reversed(_DIAGONALS):
        if shoulder not in names or hip not in names:
            continue
        a, b = joints[:, names.index(shoulder)], joints[:, names.index(hip)]
        both = (a[:, 2] > 0) & (b[:, 2] > 0)
        lengths = torch.where(both, (a[:, :2] - b[:, :2]).norm(dim=1), lengths)
    return lengths


def correct_joints(
    xy: Tensor, joints: Tensor, threshold: float = 0.2, names: Sequence[str] = JOINTS
) -> tuple[Tensor, Tensor]:
    """Which joints are correct, and which are counted: both bool ``[N, J]``. See ``pck``."""
    torso = torso_lengths(joints, names)
    counted = (joints[:, :, 2] > 0) & ~torso.isnan()[:, None]
    distance = (xy - joints[:, :, :2]).norm(dim=2)
    return (distance <= threshold * torso.nan_to_num()[:, None]) & counted, counted


def pck(
    xy: Tensor, joints: Tensor, threshold: float = 0.2, names: Sequence[str] = JOINTS
) -> Tensor:
    """Percentage (as a share) of correct keypoints per joint.

    Yang and Ramanan, "Articulated Human Detection with Flexible Mixtures of Parts" (2013): a
    joint is correct if it lies within ``threshold`` times the torso of its label.

    Args:
        xy: ``[N, J, 2]`` predictions.
        joints: ``[N, J, 3]`` labels, the last column 0 where there is none.
        threshold: share of the torso's length.
        names: of the J joints.

    Returns:
        ``[J + 1]``: each joint's share, and over all labelled joints together. Persons without a
        labelled torso are left out; a joint without labels gives NaN.
    """
    correct, counted = correct_joints(xy, joints, threshold, names)
    each = correct.sum(0) / counted.sum(0)
    return torch.cat([each, (correct.sum() / counted.sum())[None]])
