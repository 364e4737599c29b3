"""True masks of COCO files, against pycocotools."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from vision_core.comparison.annotations import read_coco
from vision_core.comparison.shapes import region, true_mask
from vision_core.errors import UserError
from vision_core.export import rle

WIDTH, HEIGHT = 61, 47


def blobs(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for _ in range(seed * 4):
        x, y = rng.integers(0, WIDTH), rng.integers(0, HEIGHT)
        mask[y : y + rng.integers(1, 20), x : x + rng.integers(1, 20)] ^= True
    return mask


@pytest.mark.parametrize("seed", range(6))
def test_run_lengths_are_those_of_pycocotools(seed):
    mask = blobs(seed)
    code = rle(mask)
    np.testing.assert_array_equal(region(code, WIDTH, HEIGHT), mask)
    runs = np.diff(np.flatnonzero(np.diff(np.r_[-1, mask.ravel(order="F"), -1])))
    counts = ([0] if mask[0, 0] else []) + runs.tolist()
    told = {"size": [HEIGHT, WIDTH], "counts": counts}
    np.testing.assert_array_equal(region(told, WIDTH, HEIGHT), mask)
    expected = coco_mask.decode(coco_mask.frPyObjects(told, HEIGHT, WIDTH))
    np.testing.assert_array_equal(expected.astype(bool), mask)


def test_polygons_are_filled_as_pycocotools_does_it():
    polygons = [[3, 4, 40.5, 6, 33, 40], [30, 30, 58, 31, 58, 45, 29, 44], [-5, 10, 8, 10, 8, 18]]
    each = coco_mask.decode(coco_mask.frPyObjects(polygons, HEIGHT, WIDTH))
    found = region(polygons, WIDTH, HEIGHT)
    np.testing.assert_array_equal(found, each.any(2))
    assert 500 < found.sum() < WIDTH * HEIGHT


def coco(*shapes: object) -> bytes:
    notes = [
        {"image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 20], "segmentation": shape}
        for shape in shapes
    ]
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": WIDTH, "height": HEIGHT}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": notes,
    }
    return json.dumps(content).encode()


def test_a_mask_comes_with_its_box_and_is_scaled_to_the_photo():
    mask = blobs(2)
    truth = read_coco(coco([], rle(mask)), 2 * WIDTH, 2 * HEIGHT)
    assert true_mask(truth, 0, 2 * WIDTH, 2 * HEIGHT) is None
    found = true_mask(truth, 1, 2 * WIDTH, 2 * HEIGHT)
    np.testing.assert_array_equal(found, mask.repeat(2, 0).repeat(2, 1))
    same = read_coco(coco(rle(mask)), WIDTH, HEIGHT)
    np.testing.assert_array_equal(true_mask(same, 0, WIDTH, HEIGHT), mask)


@pytest.mark.parametrize(
    "shape",
    [
        [[1, 2, 3, 4]],
        [[1, 2, 3, 4, 5, float("nan")]],
        [[0, 0, 1e9, 0, 5, 5]],
        [[0, 0, 4e5, 0, 0, 4e5]],
        [["a", 1, 2, 3, 4, 5]],
        [7],
        "text",
        {"size": [HEIGHT, WIDTH]},
        {"size": [WIDTH, HEIGHT], "counts": [WIDTH * HEIGHT]},
        {"size": [HEIGHT, WIDTH], "counts": [5, 5]},
        {"size": [HEIGHT, WIDTH], "counts": [-5, WIDTH * HEIGHT + 5]},
        {"size": [HEIGHT, WIDTH], "counts": [10**30]},
        {"size": [HEIGHT, WIDTH], "counts": "ooooooooooooooo"},
        {"size": [HEIGHT, WIDTH], "counts": "\x00é"},
        {"size": 3, "counts": []},
    ],
)
def test_what_is_no_region_is_told_in_a_sentence(shape):
    with pytest.raises(UserError, match="segmentation of the COCO file"):
        region(shape, WIDTH, HEIGHT)
    boxes = read_coco(coco(shape), WIDTH, HEIGHT)
    assert len(boxes.labels) == 1, "the boxes of such a file still count"


def test_a_mask_that_is_too_large_is_refused():
    with pytest.raises(UserError, match="too large"):
        region([[0, 0, 9, 0, 9, 9]], 20_000, 20_000)
