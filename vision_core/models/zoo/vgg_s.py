"""``vgg_s``: 3x3 convolutions, max pooling and fully connected layers, 90 classes."""

from __future__ import annotations

from torch import Tensor, nn

from vision_core.models.zoo.everyday import LABELS
from vision_core.models.zoo.pooled_trunk import STACKS, PooledTrunk


class VGGS(nn.Module):
    """Eight convolutions and three fully connected layers (Simonyan and Zisserman, 2015).

    ``forward`` takes normalised pictures ``(N, 3, H, W)`` and returns logits ``(N, 90)`` in the
    order of ``LABELS``. Deviations from the paper: fewer and narrower layers, batch
    normalisation, and an average pooling to 2x2 before the fully connected layers.
    """

    def __init__(self, classes: int = len(LABELS)) -> None:
        super().__init__()
        self.trunk = PooledTrunk()
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.classifier = nn.Sequential(
            nn.Linear(STACKS[-1][-1] * 2 * 2, 256),
            nn.ReLU(inplace=True),
            nn.Dropout(0.3),
            nn.Linear(256, 256),
            nn.ReLU(inplace=True),
            nn.Dropout(0.3),
            nn.Linear(256, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        maps, _ = self.trunk(x)
        coarse, _ = self.trunk.pool(maps[-1])
        return self.classifier(self.pool(coarse).flatten(1))
