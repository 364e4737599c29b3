"""Transposed convolutions inside networks, against PyTorch's own layer."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from vision_core import models, samples
from vision_core.errors import UserError
from vision_core.features import transposed
from vision_core.models.zoo.streets import Transposed


def run(part: nn.ConvTranspose2d, x: torch.Tensor) -> transposed.Captured:
    with torch.no_grad():
        return transposed.captured("up", part, x, part(x))


def pair(found: transposed.Captured, channel: int, index: int) -> np.ndarray:
    """What one input channel adds to one output channel, by PyTorch."""
    x = torch.from_numpy(found.input[channel])[None, None]
    w = torch.from_numpy(found.weight[channel, index])[None, None]
    o = found.options
    made = F.conv_transpose2d(
        x, w, None, o["stride"], o["padding"], o["output_padding"], 1, o["dilation"]
    )
    return made[0, 0].numpy()


def test_the_shares_of_all_input_channels_add_up_to_the_layer() -> None:
    torch.manual_seed(0)
    part = nn.ConvTranspose2d(3, 2, 4, 2, 1)
    found = run(part, torch.randn(1, 3, 5, 6))
    for out in range(2):
        total = sum(pair(found, c, out) for c in range(3)) + found.bias[out]
        np.testing.assert_allclose(total, found.output[out], atol=1e-5)


def test_one_kernel_a_channel_as_in_the_street_segmenter() -> None:
    part = Transposed(3).deconv
    found = run(part, torch.randn(1, 3, 5, 6))
    for channel in range(3):
        assert found.output_channel(channel, 0) == channel
        np.testing.assert_allclose(pair(found, channel, 0), found.output[channel], atol=1e-6)
        np.testing.assert_allclose(found.bilinear(), found.weight[channel, 0], atol=1e-7)


def test_a_layer_inside_a_network_is_captured_and_the_network_left_alone() -> None:
    model = models.load("fcn_voc_s", random_seed=0)

    class With(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.up = model.module, nn.ConvTranspose2d(3, 2, 4, 2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.up(x)
            return self.inner(x)

    other = dataclasses.replace(model, module=With().eval())
    found = transposed.capture(other, samples.sample("cat"), "up")
    with torch.no_grad():
        expected = other.module.up(torch.from_numpy(found.input)[None])[0]
    np.testing.assert_allclose(found.output, expected, atol=1e-5)
    assert not other.module.up._forward_hooks
    with pytest.raises(UserError, match="no transposed convolution called"):
        transposed.capture(other, samples.sample("cat"), "inner")


def test_uneven_overlap_shows_in_the_phases_and_even_overlap_does_not() -> None:
    x = torch.ones(1, 1, 12, 12)
    spreads = []
    for kernel, padding in ((3, 1), (4, 1)):
        part = nn.ConvTranspose2d(1, 1, kernel, 2, padding, bias=False)
        nn.init.ones_(part.weight)
        phases = run(part, x).phases()
        spreads.append(phases.max() / phases.min())
    assert spreads[0] > 2 and spreads[1] == pytest.approx(1, abs=0.05)


def test_the_layers_of_torchvisions_heads_are_found() -> None:
    mask = torchvision.models.detection.maskrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    assert transposed.layers(mask) == ("roi_heads.mask_predictor.conv5_mask",)
    assert transposed.layers(nn.Sequential(nn.Conv2d(3, 1, 1))) == ()
