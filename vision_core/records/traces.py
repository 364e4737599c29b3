"""What a network said about a photo, before any threshold: immutable, on the CPU, shareable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vision_core.records.thresholds import Thresholds

if TYPE_CHECKING:
    from vision_core.records.selections import Selection


@dataclass(frozen=True)
class Cut:
    """One step of the funnel from anchors to candidates.

    Attributes:
        name: ``anchors``, ``rpn_pre_nms``, ``tiny``, ``rpn_score``, ``rpn_nms``,
            ``rpn_post_nms``, ``proposals_x_classes``, ``score_floor``, ``level_topk``,
            ``class_topk``, ``candidates`` ...
        count: how many are left after it.
        limit: the number or threshold that cut, ``None`` where nothing cuts.
        text: what the step does, in words a student reads.
    """

    name: str
    count: int
    limit: float | None
    text: str


@dataclass(frozen=True, eq=False)
class TraceInfo:
    """What every trace knows about where it came from.

    Attributes:
        model: name of the model.
        family: family of heads, as on the model's card.
        fingerprint: identifies the weights.
        labels: class names; a label id is an index into them.
        photo_sha256: of the photo's bytes.
        photo_name: file name of the photo.
        photo_size: (width, height) of the decoded photo.
        network_size: (width, height) of the network's resized input, without padding.
        device: where the network ran.
        timing_ms: milliseconds by stage, in the order in which the stages ran.
        notes: what had to be done to the photo before this network could see it.
    """

    model: str
    family: str
    fingerprint: str
    labels: tuple[str, ...]
    photo_sha256: str
    photo_name: str
    photo_size: tuple[int, int]
    network_size: tuple[int, int]
    device: str
    timing_ms: Mapping[str, float]
    notes: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Short text that differs whenever model, weights, photo or device differ."""
        return f"{self.model}-{self.fingerprint[:12]}-{self.photo_sha256[:16]}-{self.device}"


# Where the box of an anchor left the funnel, in the order of their codes in `AnchorField.fate`.
ANCHOR_FATES = (
    "rpn_pre_nms",
    "tiny",
    "rpn_score",
    "rpn_nms",
    "rpn_post_nms",
    "score_floor",
    "level_topk",
    "class_topk",
    "source",
)


@dataclass(frozen=True, eq=False)
class AnchorField:
    """Every anchor or location of one photo: what answers for a place without any candidate.

    Attributes:
        anchors_net: float32 [A, 4], network pixels.
        boxes_net: float32 [A, 4], what the network made of each anchor, clipped, network pixels.
        scores: float32 [A]; ``score_name`` says of what.
        level: uint8 [A], pyramid level.
        fate: uint8 [A], an index into ``ANCHOR_FATES``; ``source`` is one that candidates or
            proposals came from.
        score_name: ``objectness`` of an RPN, or the best class score.
    """

    anchors_net: np.ndarray
    boxes_net: np.ndarray
    scores: np.ndarray
    level: np.ndarray
    fate: np.ndarray
    score_name: str = "best class score"

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        return sum(v.nbytes for v in vars(self).values() if isinstance(v, np.ndarray))


@dataclass(frozen=True, eq=False)
class DetectionTrace:
    """Every candidate box of a detector above the floor, in the order torchvision holds them.

    Attributes:
        info: where it came from.
        boxes: float32 [N, 4], clipped, in photo pixels.
        boxes_net: float32 [N, 4], clipped, in network pixels.
        scores: float32 [N], each greater than ``floor``.
        label_ids: int64 [N].
        source: int64 [N], row of ``class_scores`` and ``source_*`` behind each candidate: a
            proposal of a two-stage network, an anchor or location of a one-stage one.
        level: int64 [N], pyramid level, 0 is the finest.
        class_scores: float32 [S, C], the scores of all classes (for two-stage networks and SSD
            with the background in column 0), after the activation and before any product.
        source_boxes_net: float32 [S, 4], proposal or anchor box in network pixels.
        source_objectness: float32 [S], RPN probability, centerness, confidence of a cell's box,
            or 1 where there is none.
        source_index: int64 [S], index among all anchors (-1 if unknown).
        funnel: the stages from anchors to candidates.
        floor: candidates at or below this score are not held.
        defaults: thresholds that the model's own forward would apply.
        skeleton: pairs of joint indices, for keypoint models.
        joints: joint names, for keypoint models.
        group: int64 [N], the level (or, for SSD, the class) within which torchvision's top-k put
            the candidates in order; ``None`` for two-stage networks, which have no such step.
        position: int64 [N], place in the flattened head output that the top-k was taken from.
        topk: how many candidates of a group the top-k let pass at the most.
        edge_ties: groups whose top-k cut a candidate of the same score as its last one.
        field: all anchors, for questions about places without a candidate.
    """

    info: TraceInfo
    boxes: np.ndarray
    boxes_net: np.ndarray
    scores: np.ndarray
    label_ids: np.ndarray
    source: np.ndarray
    level: np.ndarray
    class_scores: np.ndarray
    source_boxes_net: np.ndarray
    source_objectness: np.ndarray
    source_index: np.ndarray
    funnel: tuple[Cut, ...]
    floor: float
    defaults: Thresholds
    joints: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    group: np.ndarray | None = None
    position: np.ndarray | None = None
    topk: int | None = None
    edge_ties: frozenset[int] = frozenset()
    field: AnchorField | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def label(self, candidate: int) -> str:
        """The class name of a candidate."""
        return self.info.labels[int(self.label_ids[candidate])]

    def distribution(self, candidate: int) -> list[tuple[str, float]]:
        """All class scores of the place a candidate came from, best first.

        Ids that COCO never used ("N/A") are left out; the background is called background.
        """
        row = self.class_scores[self.source[candidate]]
        pairs = zip(self.info.labels, row.tolist(), strict=True)
        named = [(n.strip("_"), p) for n, p in pairs if n != "N/A"]
        return sorted(named, key=lambda pair: -pair[1])

    def select(self, thresholds: Thresholds) -> Selection:
        """Apply thresholds; see ``vision_core.selection.select``."""
        from vision_core.selection import select

        return select(self, thresholds)

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, for caches that count bytes."""
        arrays = (np.ndarray, AnchorField)
        return sum(v.nbytes for v in vars(self).values() if isinstance(v, arrays))


@dataclass(frozen=True, eq=False)
class SegmentationTrace:
    """Semantic segmentation: logits of the network and the class of every photo pixel.

    Attributes:
        info: where it came from.
        logits: float32 [C, h, w] at the network's size.
        class_map: uint8 [H, W] at the photo's size: logits upsampled bilinearly, then argmax.
    """

    info: TraceInfo
    logits: np.ndarray
    class_map: np.ndarray

    def probabilities_at(self, x: int, y: int) -> list[tuple[str, float]]:
        """Softmax over the classes at one photo pixel, best first.

        Raises:
            IndexError: the pixel lies outside the photo.
        """
        values = _softmax(self._logits_at(x, y))
        return sorted(zip(self.info.labels, values.tolist(), strict=True), key=lambda p: -p[1])

    def _logits_at(self, x: int, y: int) -> np.ndarray:
        """Bilinear, pixel centres: ``F.interpolate(align_corners=False)`` at one pixel, [C]."""
        width, height = self.info.photo_size
        if not (0 <= x < width and 0 <= y < height):
            raise IndexError(f"pixel ({x}, {y}) lies outside the {width}x{height} photo")
        rows, columns = self.logits.shape[1:]
        y0, y1, wy = _neighbours(rows, height, y)
        x0, x1, wx = _neighbours(columns, width, x)
        top = self.logits[:, y0, x0] * (1 - wx) + self.logits[:, y0, x1] * wx
        bottom = self.logits[:, y1, x0] * (1 - wx) + self.logits[:, y1, x1] * wx
        return np.asarray(top * (1 - wy) + bottom * wy)

    def unsure(self, below: float) -> np.ndarray:
        """Whether each photo pixel's class has a probability under ``below``, bool [H, W]."""
        from vision_core.inference.segmentation import confidence

        if below <= 0:
            return np.zeros(self.class_map.shape, bool)
        return confidence(self) < below

    def pixel_counts(self, but: np.ndarray | None = None) -> dict[str, int]:
        """Photo pixels per class name, classes that do not occur left out.

        Args:
            but: bool [H, W], pixels that do not count.
        """
        counted = self.class_map if but is None else self.class_map[~but]
        totals = np.bincount(counted.ravel(), minlength=len(self.info.labels))
        return {n: int(c) for n, c in zip(self.info.labels, totals, strict=True) if c}

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, for caches that count bytes."""
        return self.logits.nbytes + self.class_map.nbytes


@dataclass(frozen=True, eq=False)
class ClassificationTrace:
    """Logits and probabilities of a classifier.

    Attributes:
        info: where it came from.
        logits: float32 [C].
        probabilities: float32 [C], softmax of the logits.
        seen_box: (x1, y1, x2, y2), the part of the photo that the network saw, photo pixels.
        likely_from: the probability from which the best class counts as likely, 0..1.
    """

    info: TraceInfo
    logits: np.ndarray
    probabilities: np.ndarray
    seen_box: tuple[float, float, float, float]
    likely_from: float = 0.0

    @property
    def likely(self) -> bool:
        """Whether the best class reaches ``likely_from``; if not, none of them is likely."""
        return float(self.probabilities.max()) >= self.likely_from

    @property
    def sentence(self) -> str:
        """The answer in one sentence: the best class, or that none of the classes is likely."""
        label, probability = self.top(1)[0]
        if self.likely:
            return f"Most likely {label}: {probability:.0%}."
        return (
            f"None of these {len(self.probabilities):,} classes is likely: the best, {label}, has "
            f"{probability:.0%}, and under {self.likely_from:.0%} an answer is not to be relied on."
        )

    def top(self, k: int = 5) -> list[tuple[str, float]]:
        """The k most probable classes, best first."""
        order = np.argsort(-self.probabilities, kind="stable")[:k]
        return [(self.info.labels[i], float(self.probabilities[i])) for i in order]

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, for caches that count bytes."""
        return self.logits.nbytes + self.probabilities.nbytes


Trace = DetectionTrace | SegmentationTrace | ClassificationTrace


def _neighbours(size: int, target: int, at: int) -> tuple[int, int, np.float32]:
    """The two source indices of one of ``target`` samples, and the weight of the second."""
    place = max(np.float32(at + 0.5) * np.float32(size / target) - np.float32(0.5), np.float32(0))
    low = min(int(place), size - 1)
    return low, min(low + 1, size - 1), np.float32(place - low)


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())
