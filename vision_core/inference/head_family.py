"""What a family of detection heads tells, so that its networks can be traced and explained.

Everything else works on what is told here: a family is one subclass, and one line in ``families``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList

from vision_core.inference.timing import Stopwatch
from vision_core.records import Cut


@dataclass
class Raw:
    """What a family's decoder hands to ``inference.detection``: tensors on the model's device.

    Attributes are those of ``DetectionTrace``, before the move to NumPy.
    """

    boxes_net: Tensor
    scores: Tensor
    label_ids: Tensor
    source: Tensor
    level: Tensor
    class_scores: Tensor
    source_boxes_net: Tensor
    source_objectness: Tensor
    source_index: Tensor
    funnel: list[Cut]
    field: RawField
    group: Tensor | None = None
    position: Tensor | None = None
    topk: int | None = None
    edge_ties: frozenset[int] = frozenset()


@dataclass
class RawField:
    """``records.AnchorField`` before the move to NumPy."""

    anchors_net: Tensor
    boxes_net: Tensor
    scores: Tensor
    level: Tensor
    fate: Tensor
    score_name: str = "best class score"


@dataclass(frozen=True, eq=False)
class SourceBox:
    """The anchor, location or proposal behind a candidate, in a batch of N pictures.

    Attributes:
        index: among all anchors, as ``DetectionTrace.source_index``.
        boxes: float32 ``[N, 4]``, its box in every picture, network pixels.
        label: label id of the candidate.
        size: (height, width) of the network's input, padding left out.
    """

    index: int
    boxes: Tensor
    label: int
    size: tuple[int, int]


class HeadFamily(ABC):
    """One family of detection heads.

    Attributes:
        kind: class of its networks.
        names: as on the cards of models.
        has_objectness: whether a box has an objectness beside its class scores.
        activation: what makes class probabilities of the logits, in words.
    """

    kind: type[nn.Module]
    names: tuple[str, ...]
    has_objectness = False
    activation = "softmax over all classes"

    def name(self, _module: Any) -> str:
        """The name of a network's family; one of ``names``."""
        return self.names[0]

    @abstractmethod
    def label_count(self, module: Any) -> int:
        """Number of label ids, background included where there is one."""

    def threshold_holder(self, module: Any) -> Any:
        """What holds ``score_thresh``, ``nms_thresh`` and ``detections_per_img``."""
        return module

    def score_words(self, score: float, own: float, objectness: float) -> str:
        """A candidate's score as a product with its numbers, in words; empty where it is none.

        Args:
            score: of the candidate.
            own: its class's probability after the activation.
            objectness: ``DetectionTrace.source_objectness`` of its source.
        """
        return ""

    def part_kind(self, _module: Any) -> str | None:
        """``masks`` or ``keypoints`` where a head makes them from boxes, else ``None``."""
        return None

    def part_levels(self, _module: Any) -> tuple[str, ...]:
        """Levels of the backbone that such a head pools from."""
        return ()

    @abstractmethod
    def candidates(
        self,
        module: Any,
        images: ImageList,
        features: dict[str, Tensor],
        floor: float,
        watch: Stopwatch,
    ) -> Raw:
        """Every candidate of one image above the floor, before any threshold.

        Args:
            module: the network.
            images: the transformed image, as the network's own transform made it.
            features: backbone output by level.
            floor: scores at or below are dropped.
            watch: laps of the stages.
        """

    def dense(self, module: Any, features: dict[str, Tensor]) -> Any:
        """What the head that sees the whole picture puts out."""
        return module.head(list(features.values()))

    @abstractmethod
    def logit_at(self, module: Any, features: dict[str, Tensor], source: SourceBox) -> Tensor:
        """``[N]``: the class logit of a candidate's label at its source."""

    def objectness_at(self, module: Any, features: dict[str, Tensor], source: SourceBox) -> Tensor:
        """``[N]``: the logit of the objectness; only where ``has_objectness``."""
        raise NotImplementedError(f"{type(module).__name__} has no objectness")

    @abstractmethod
    def box_at(self, module: Any, features: dict[str, Tensor], source: SourceBox) -> Tensor:
        """``[N, 4]``: the decoded box, not clipped, network pixels."""
