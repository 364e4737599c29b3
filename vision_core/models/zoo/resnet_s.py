"""``resnet_s``: a small residual classifier of everyday things."""

from __future__ import annotations

from torch import Tensor, nn

from vision_core.models.zoo.everyday import LABELS
from vision_core.models.zoo.trunk import WIDE, WIDE_DEPTHS, Trunk


class ResNetS(nn.Module):
    """Residual trunk, average over all positions, one linear layer (He et al., 2016).

    ``forward`` takes normalised pictures ``(N, 3, H, W)`` and returns logits ``(N, classes)`` in
    the order of ``everyday.LABELS``; softmax makes them probabilities.
    """

    def __init__(self, classes: int = len(LABELS)) -> None:
        super().__init__()
        self.trunk = Trunk(WIDE_DEPTHS, WIDE)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(self.trunk.out_widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        features = self.trunk(x)[-1]
        return self.fc(self.pool(features).flatten(1))
