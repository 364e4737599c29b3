"""Everything that decides which candidates are shown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from vision_core.errors import UserError

Nms = Literal["hard", "soft-linear", "soft-gaussian", "none"]
NMS_VARIANTS: tuple[str, ...] = get_args(Nms)


@dataclass(frozen=True)
class Thresholds:
    """Everything that decides which candidates are shown.

    Attributes:
        score: a candidate survives when its score is strictly greater, 0 to 1.
        iou: hard and linear soft NMS act where the IoU is strictly greater, 0 to 1.
        nms: ``hard``, ``soft-linear``, ``soft-gaussian`` (Bodla et al. 2017) or ``none``.
        sigma: width of the Gaussian decay, greater than 0.
        agnostic: suppress across classes instead of within each class.
        max_detections: how many are kept at the most, 1 or more.
        classes: names of the classes to show; ``None`` shows all. Applied last.

    Raises:
        UserError: a value outside its range.
    """

    score: float = 0.5
    iou: float = 0.5
    nms: Nms = "hard"
    sigma: float = 0.5
    agnostic: bool = False
    max_detections: int = 100
    classes: frozenset[str] | None = None

    def __post_init__(self) -> None:
        for name in ("score", "iou"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise UserError(f"The {name} threshold must lie between 0 and 1, not {value!r}.")
        if self.nms not in NMS_VARIANTS:
            raise UserError(f"NMS must be one of {', '.join(NMS_VARIANTS)}, not {self.nms!r}.")
        if not self.sigma > 0 or not math.isfinite(self.sigma):
            raise UserError(f"Sigma must be a number greater than 0, not {self.sigma!r}.")
        if self.max_detections < 1:
            raise UserError(f"Max detections must be 1 or more, not {self.max_detections!r}.")

    @classmethod
    def torchvision(cls, model: Any) -> Thresholds:
        """The thresholds that the model's own ``forward`` would apply.

        Args:
            model: a ``vision_core.models.Model`` of a detector, or a torchvision detection module.

        Raises:
            UserError: the model has no such thresholds (it is no detector).
        """
        from vision_core.inference.families import default_thresholds

        return default_thresholds(model)

    def as_dict(self) -> dict[str, Any]:
        """The thresholds as JSON-ready values, classes sorted by name."""
        classes = None if self.classes is None else sorted(self.classes)
        return {
            "score": self.score,
            "iou": self.iou,
            "nms": self.nms,
            "sigma": self.sigma,
            "agnostic": self.agnostic,
            "max_detections": self.max_detections,
            "classes": classes,
        }
