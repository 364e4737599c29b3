"""The small network that is taught: convolutions with ReLU and pooling, then one linear layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vision_core.teaching.settings import LearningSettings

FIRST_KERNEL = {True: 3, False: 5}
"""Of the first layer, by whether the picture is small (at most 16 pixels)."""
GRID = 4
"""Cells along a side of the last map, to which larger ones are averaged."""


class SeededDropout(nn.Module):
    """Dropout (Srivastava et al. 2014) that takes its chance from a generator of its own.

    PyTorch's own draws from the one generator of the process, so that two users who learn at the
    same time would each disturb the other's numbers.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability
        self.generator = torch.Generator()

    def forward(self, x: Tensor) -> Tensor:
        """Features ``[N, F]``; in training mode some are zero and the others larger."""
        if not self.training or self.probability == 0:
            return x
        keep = torch.rand(x.shape, generator=self.generator, dtype=x.dtype) >= self.probability
        return x * keep / (1 - self.probability)


class PlainNet(nn.Module):
    """``depth`` times convolution, maybe BatchNorm, ReLU and 2x2 max pooling; then a linear layer.

    ``forward`` takes ``[N, C, H, W]`` in 0..1 and returns logits ``[N, classes]``.

    Args:
        settings: width, depth, dropout, BatchNorm; the seed of the first weights.
        channels: of the pictures, 1 or 3.
        side: pixels along a side of the pictures.
        classes: how many.
    """

    def __init__(self, settings: LearningSettings, channels: int, side: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        inputs, map_side = channels, side
        for index in range(settings.depth):
            outputs = settings.width * 2**index
            kernel = FIRST_KERNEL[side <= 16] if index == 0 else 3
            parts: list[nn.Module] = [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)]
            if settings.batch_norm:
                parts.append(nn.BatchNorm2d(outputs))
            parts.append(nn.ReLU())
            if map_side >= 2:
                parts.append(nn.MaxPool2d(2))
                map_side //= 2
            self.layers.append(nn.Sequential(*parts))
            inputs = outputs
        if map_side > GRID:
            self.layers.append(nn.AdaptiveAvgPool2d(GRID))
            map_side = GRID
        self.dropout = SeededDropout(settings.dropout)
        self.fc = nn.Linear(inputs * map_side**2, classes)
        first_weights(self, settings.seed)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.fc(self.dropout(x.flatten(1)))


def first_weights(network: nn.Module, seed: int) -> None:
    """Random weights from a seed: He et al. (2015) before a ReLU, small ones in linear layers."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            linear = isinstance(module, nn.Linear)
            nn.init.kaiming_normal_(
                module.weight, nonlinearity="linear" if linear else "relu", generator=generator
            )
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def parameters_of(network: nn.Module) -> int:
    """How many numbers are taught: parameters with a gradient."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
