"""``alexnet_s``: a large first kernel, overlapping max pooling, dropout; 90 classes."""

from __future__ import annotations

from torch import Tensor, nn

from vision_core.models.zoo.everyday import LABELS


def conv(channels_in: int, channels: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Convolution, BatchNorm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )


class AlexNetS(nn.Module):
    """Five convolutions and three fully connected layers (Krizhevsky, Sutskever, Hinton, 2012).

    ``forward`` takes normalised pictures ``(N, 3, H, W)`` and returns logits ``(N, 90)`` in the
    order of ``LABELS``. As in the paper the first kernel is 11x11 with stride 4, and each max
    pooling reads 3x3 windows that overlap, two pixels apart. Deviations: narrower layers, one
    tower instead of two, and batch normalisation in place of local response normalisation.
    """

    def __init__(self, classes: int = len(LABELS)) -> None:
        super().__init__()
        self.features = nn.Sequential(
            conv(3, 48, 11, stride=4),
            nn.MaxPool2d(3, stride=2, padding=1),
            conv(48, 96, 5),
            nn.MaxPool2d(3, stride=2, padding=1),
            conv(96, 128, 3),
            conv(128, 128, 3),
            conv(128, 96, 3),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.classifier = nn.Sequential(
            nn.Dropout(0.3),
            nn.Linear(96 * 4 * 4, 384),
            nn.ReLU(inplace=True),
            nn.Dropout(0.3),
            nn.Linear(384, 256),
            nn.ReLU(inplace=True),
            nn.Linear(256, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.pool(self.features(x)).flatten(1))
