"""The convolutional twin against the classifier itself: equal where no padding is needed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vision_core import models, samples
from vision_core.errors import UserError
from vision_core.images import from_array
from vision_core.race.overfeat import NETWORKS, Slider
from vision_core.race.sliding import fcn_cost, slide


@pytest.fixture(scope="module", params=NETWORKS)
def slider(request) -> Slider:
    return Slider(models.load(request.param, device="cpu"))


def picture(height: int, width: int) -> torch.Tensor:
    return torch.randn(3, height, width, generator=torch.Generator().manual_seed(0))


def test_on_a_single_crop_the_map_is_the_classifier(slider) -> None:
    side = slider.grid.crop
    x = picture(side, side)
    with torch.inference_mode():
        wanted = slider.model.module(x[None])[0]
    made = slider.scores(x)
    assert made.shape == (len(wanted), 1, 1)
    torch.testing.assert_close(made[:, 0, 0], wanted, atol=1e-4, rtol=1e-4)


def test_a_place_is_the_unpadded_classifier_on_its_receptive_field(slider) -> None:
    """Exactly where the receptive field lies within the photo, and there alone."""
    grid = slider.grid
    height, width = grid.field + 3 * grid.stride, grid.field + 5 * grid.stride
    x = picture(height, width)
    made = slider.scores(x)
    rows, columns = made.shape[1:]
    inside = grid.inside(rows, columns, height, width)
    assert 0 < inside.sum() < inside.numel()
    for row in range(rows):
        for column in range(columns):
            top, left = (grid.start + grid.stride * n for n in (row, column))
            if not inside[row, column]:
                assert min(top, left) < 0 or top + grid.field > height or left + grid.field > width
                continue
            patch = x[:, top : top + grid.field, left : left + grid.field]
            alone = slider.scores(patch, unpadded=True)
            assert alone.shape[1:] == (1, 1)
            torch.testing.assert_close(made[:, row, column], alone[:, 0, 0], atol=1e-3, rtol=1e-3)


def test_the_receptive_field_is_no_larger_than_what_moves_a_place(slider) -> None:
    """A pixel just outside changes nothing; one at its corner region does (by gradients)."""
    grid = slider.grid
    side = grid.field + 4 * grid.stride
    x = picture(side, side).requires_grad_()
    coarse = slider._trunk(slider.model.module, x[None])
    blocks = coarse[..., 2 : 2 + grid.crop // grid.stride, 2 : 2 + grid.crop // grid.stride]
    blocks.square().sum().backward()
    assert x.grad is not None
    touched = x.grad.abs().sum(0).nonzero()
    low, high = touched.amin(0), touched.amax(0)
    first = grid.start + 2 * grid.stride
    assert (low >= max(first, 0)).all() and (high < first + grid.field).all()


def test_crops_are_what_the_classifier_says_of_them(slider) -> None:
    grid = slider.grid
    x = picture(grid.crop + 2 * grid.stride, grid.crop + grid.stride)
    made = torch.cat(list(slider.cropped(x, 3, 2)))
    with torch.inference_mode():
        last = slider.model.module(x[None, :, 2 * grid.stride :, grid.stride :])[0]
    assert made.shape[0] == 6
    torch.testing.assert_close(made[5], last, atol=1e-4, rtol=1e-4)
    # with the zeros of its own padding a crop differs from the map
    assert not torch.allclose(slider.scores(x).flatten(1).T, made, atol=1e-3)


def test_one_pass_costs_less_than_its_crops(slider) -> None:
    grid = slider.grid
    one, crop = slider.multiply_adds(grid.crop, grid.crop)
    assert one == crop, "on a single crop the two are the same work"
    whole, _ = slider.multiply_adds(grid.crop + 4 * grid.stride, grid.crop + 4 * grid.stride)
    assert crop < whole < 25 * crop


def test_the_shared_network_stays_as_it_is(slider) -> None:
    before = {name: value.clone() for name, value in slider.model.module.state_dict().items()}
    slider.scores(picture(slider.grid.field, slider.grid.field), unpadded=True)
    after = slider.model.module.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    convs = [m for m in slider.model.module.modules() if isinstance(m, torch.nn.Conv2d)]
    assert any(max(m.padding) for m in convs) and not any(m._forward_hooks for m in convs)


def test_a_network_that_pools_everything_is_refused() -> None:
    with pytest.raises(UserError, match="no dense layers over places"):
        Slider(models.load("resnet_s", device="cpu"))


def test_a_photo_is_slid_over_in_both_ways(slider) -> None:
    photo = samples.sample("cat")
    steps = list(slide(slider.model, photo, 256))
    first, last = steps[0], steps[-1]
    assert first.done == 0 and last.done == last.places == last.inside.size
    assert len(steps) == 1 + -(-last.places // 32), "in batches"
    np.testing.assert_array_equal(first.whole, last.whole)
    for made in (last.whole, last.crops):
        np.testing.assert_allclose(made.sum(0), 1, atol=1e-5)
    assert last.multiply_adds[1] % last.places == 0
    assert last.multiply_adds[0] < last.multiply_adds[1]
    grid, (width, height) = last.grid, last.size
    assert last.whole.shape[1:] == (
        (height - grid.crop) // grid.stride + 1,
        (width - grid.crop) // grid.stride + 1,
    )


def test_a_strip_is_refused(slider) -> None:
    strip = from_array(np.zeros((10, 900, 3), np.uint8), "strip.png")
    with pytest.raises(UserError, match="too long and thin"):
        next(slide(slider.model, strip, 320))


def test_a_pixel_of_a_sliding_window_costs_hundreds_of_times_that_of_fcn(slider) -> None:
    _, crop = slider.multiply_adds(slider.grid.crop, slider.grid.crop)
    assert crop / fcn_cost() > 300
