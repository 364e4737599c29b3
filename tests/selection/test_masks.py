from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.models.detection.roi_heads import paste_masks_in_image

from vision_core.selection.masks import paste_mask

HEIGHT, WIDTH = 61, 83


def pasted(mask: np.ndarray, box: np.ndarray) -> np.ndarray:
    whole = np.zeros((HEIGHT, WIDTH), np.float32)
    y, x, patch = paste_mask(mask, box, HEIGHT, WIDTH)
    whole[y : y + patch.shape[0], x : x + patch.shape[1]] = patch
    return whole


@given(
    x=st.floats(0, 70, width=32),
    y=st.floats(0, 50, width=32),
    w=st.floats(1, 80, width=32),
    h=st.floats(1, 60, width=32),
    seed=st.integers(0, 10_000),
)
def test_equals_torchvision(x, y, w, h, seed) -> None:
    box = np.array([x, y, min(x + w, WIDTH), min(y + h, HEIGHT)], np.float32)
    mask = np.random.default_rng(seed).random((28, 28), dtype=np.float32)
    theirs = paste_masks_in_image(
        torch.tensor(mask)[None, None], torch.tensor(box)[None], (HEIGHT, WIDTH)
    )[0, 0].numpy()
    ours = pasted(mask, box)
    assert np.abs(ours - theirs).max() < 1e-5
    unsure = np.abs(theirs - 0.5) < 1e-5
    assert ((ours >= 0.5) == (theirs >= 0.5))[~unsure].all()


@pytest.mark.parametrize(
    "box",
    [
        [200, 200, 300, 300],
        [70, 65, 80, 100],
        [-50, -50, -10, -10],
        [np.nan, 0, 5, 5],
        [20, 20, 10, 10],
    ],
)
def test_a_box_outside_the_picture_leaves_nothing(box) -> None:
    assert not pasted(np.ones((28, 28), np.float32), np.array(box, np.float32)).any()


def test_a_huge_box_costs_only_the_pixels_that_are_seen() -> None:
    _, _, patch = paste_mask(
        np.ones((28, 28), np.float32), np.array([-1e6, -1e6, 1e6, 1e6]), HEIGHT, WIDTH
    )
    assert patch.shape == (HEIGHT, WIDTH) and np.allclose(patch, 1)
