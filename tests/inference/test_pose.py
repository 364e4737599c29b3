"""Top-down pose geometry: crops and joints must agree to a fraction of a pixel."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_core.inference import pose

CELLS = pose.CROP // 4


def peaked(unit: torch.Tensor, sigma: float = 1.5) -> torch.Tensor:
    """``[N, J, 32, 32]`` logits of Gaussians centred on ``unit`` (0..1 along the crop)."""
    cells = (torch.arange(CELLS) + 0.5) / CELLS
    x = (cells[None, None, None, :] - unit[..., 0, None, None]) * CELLS
    y = (cells[None, None, :, None] - unit[..., 1, None, None]) * CELLS
    return -(x**2 + y**2) / (2 * sigma**2)


def to_unit(geometry: pose.CropGeometry, xy: torch.Tensor) -> torch.Tensor:
    """Photo pixels to positions in the crop, 0..1: ``to_photo`` the other way."""
    return (xy - geometry.origin[:, None]) / geometry.side[:, None, None]


@settings(deadline=None, max_examples=60)
@given(
    corner=st.tuples(st.floats(-100, 300), st.floats(-100, 300)),
    size=st.tuples(st.floats(0.5, 400), st.floats(0.5, 400)),
    place=st.tuples(st.floats(0.06, 0.94), st.floats(0.06, 0.94)),
)
def test_joint_comes_back(corner, size, place) -> None:  # type: ignore[no-untyped-def]
    box = torch.tensor([[*corner, corner[0] + size[0], corner[1] + size[1]]])
    geometry = pose.geometry_of(box)
    joints = geometry.to_photo(torch.tensor(place).expand(1, 14, 2))
    found, score = pose.decode_heatmaps(peaked(to_unit(geometry, joints)), geometry)
    assert (found - joints).abs().max() < 0.5
    assert ((score > 0) & (score <= 1)).all()


def test_pixels_land_where_geometry_says() -> None:
    """A bright dot in the photo is bright in the crop at the place that ``to_unit`` names."""
    image = torch.tensor(pose.MEAN)[:, None, None].expand(3, 120, 160).clone()
    image[:, 70:74, 90:94] = 1.0
    crops, geometry = pose.crop_boxes(image, torch.tensor([[40.0, 30, 140, 110]]))
    bright = crops[0].sum(0)
    y, x = torch.meshgrid(torch.arange(pose.CROP), torch.arange(pose.CROP), indexing="ij")
    total = bright.sum()
    centre = torch.stack([(x + 0.5).mul(bright).sum(), (y + 0.5).mul(bright).sum()]) / total
    expected = to_unit(geometry, torch.tensor([[[92.0, 72.0]]]))[0, 0] * pose.CROP
    assert (centre - expected).abs().max() < 0.3


@pytest.mark.parametrize(
    "box",
    [[-50.0, -50, 40, 40], [5, 5, 6, 6], [5, 5, 5, 5], [200, 200, 260, 300], [0, 0, 5000, 10]],
)
def test_odd_boxes_give_whole_crops(box: list[float]) -> None:
    crops, geometry = pose.crop_boxes(torch.rand(3, 80, 100), torch.tensor([box]))
    assert crops.shape == (1, 3, pose.CROP, pose.CROP)
    assert torch.isfinite(crops).all() and (geometry.side >= pose.EXPANSION).all()


def test_outside_is_zero() -> None:
    crops, _ = pose.crop_boxes(torch.rand(3, 80, 100), torch.tensor([[300.0, 300, 350, 350]]))
    assert (crops == 0).all()


def test_no_boxes() -> None:
    crops, geometry = pose.crop_boxes(torch.rand(3, 8, 8), torch.zeros(0, 4))
    xy, scores = pose.decode_heatmaps(torch.zeros(0, 14, CELLS, CELLS), geometry)
    assert crops.shape == (0, 3, pose.CROP, pose.CROP)
    assert xy.shape == (0, 14, 2) and scores.shape == (0, 14)


def test_large_crop_is_averaged() -> None:
    """Fine stripes become grey rather than a moving pattern."""
    stripes = torch.arange(1024) % 2 * 1.0
    photo = stripes.expand(3, 1024, 1024)
    crops, _ = pose.crop_boxes(photo, torch.tensor([[112.0, 112, 912, 912]]))
    contrast = 0.5 / torch.tensor(pose.STD)  # of the stripes themselves
    assert (crops[0].std(dim=(1, 2)) < contrast / 10).all()


def test_flat_map_is_unsure() -> None:
    geometry = pose.geometry_of(torch.tensor([[0.0, 0, 10, 10]]))
    xy, scores = pose.decode_heatmaps(torch.zeros(1, 14, CELLS, CELLS), geometry)
    assert torch.isfinite(xy).all() and (scores < 0.05).all()


def test_tables_name_each_joint() -> None:
    mirrored = [pose.JOINTS[i] for i in pose.MIRRORED]
    swap = {"left": "right", "right": "left"}
    for joint, other in zip(pose.JOINTS, mirrored, strict=True):
        side, _, rest = joint.partition("_")
        assert other == (f"{swap[side]}_{rest}" if side in swap else joint)
    assert {i for pair in pose.SKELETON for i in pair} == set(range(14))
    assert len(set(pose.COCO_FROM_LSP.values())) == len(pose.COCO_FROM_LSP) == 12
