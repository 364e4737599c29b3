"""What is explained: a class, a box, a region, a joint or a unit, by name.

As text, for the command line and the address bar::

    NAME                                      class of a classifier
    box:N[:PART]                              detection N of the list that ``predict`` prints
    joint:N:NAME                              joint NAME of detection N
    candidate:N[:PART]                        row N of a detector's trace
    candidate:N:joint:NAME                    joint NAME of that row
    region:NAME[:X1,Y1,X2,Y2]                 class NAME of a segmenter, within a box or everywhere
    unit:LAYER:C,I,J                          channel C, row I, column J of what a layer outputs

N counts from 0; PART is score, objectness, x1, y1, x2 or y2. Detections change with the thresholds,
candidates do not, so that links name candidates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vision_core.errors import UserError
from vision_core.records.selections import Detections

BOX_PARTS = ("score", "objectness", "x1", "y1", "x2", "y2")
_FORMS = "NAME, box:N:score, region:NAME, joint:N:NAME, candidate:N or unit:LAYER:C,I,J"


@dataclass(frozen=True)
class ClassTarget:
    """The logit of a class of a classifier."""

    label: str

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True)
class BoxTarget:
    """One number of one detection.

    Attributes:
        candidate: index in the trace.
        part: ``score``, the class logit; ``objectness``, the logit of the RPN or the centerness;
            ``x1``, ``y1``, ``x2``, ``y2``, an edge of the box in photo pixels, cut off at the
            photo's border as the shown box is.
    """

    candidate: int
    part: str = "score"

    def __str__(self) -> str:
        return f"candidate:{self.candidate}" + _rest(self.part)


@dataclass(frozen=True)
class RegionTarget:
    """The mean logit of a class over the pixels that a segmenter gives to it.

    Attributes:
        label: the class.
        box: only pixels inside (x1, y1, x2, y2), photo pixels; everywhere where it is ``None``.
    """

    label: str
    box: tuple[float, float, float, float] | None = None

    def __str__(self) -> str:
        if self.box is None:
            return f"region:{self.label}"
        return f"region:{self.label}:" + ",".join(f"{v:g}" for v in self.box)


@dataclass(frozen=True)
class JointTarget:
    """The heatmap's logit at the place where the network sees a joint of a person."""

    candidate: int
    joint: str

    def __str__(self) -> str:
        return f"candidate:{self.candidate}:joint:{self.joint}"


@dataclass(frozen=True)
class ListedTarget:
    """A detection by its place in the list that ``predict`` prints; see ``resolved``.

    Attributes:
        number: from 0.
        part: as of ``BoxTarget``.
        joint: the name of a joint, for its heatmap's logit; empty for the box.
    """

    number: int
    part: str = "score"
    joint: str = ""

    def __str__(self) -> str:
        if self.joint:
            return f"joint:{self.number}:{self.joint}"
        return f"box:{self.number}" + _rest(self.part)


@dataclass(frozen=True)
class UnitTarget:
    """One unit of one layer: channel, row and column; a layer of numbers has row and column 0."""

    layer: str
    channel: int
    row: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"unit:{self.layer}:{self.channel},{self.row},{self.column}"


Target = ClassTarget | BoxTarget | RegionTarget | JointTarget | ListedTarget | UnitTarget


def _rest(part: str) -> str:
    return "" if part == "score" else f":{part}"


def resolved(target: Target, found: Detections) -> Target:
    """The target with the candidate behind a listed detection; others as they are.

    Args:
        target: of a detector.
        found: the list, best first, as ``predict`` prints it.

    Raises:
        UserError: the list is shorter.
    """
    if not isinstance(target, ListedTarget):
        return target
    if target.number >= len(found):
        raise UserError(
            f"There is no detection {target.number}; at these thresholds there are "
            f"{len(found)}, counted from 0."
        )
    candidate = int(found.candidate[target.number])
    return (
        JointTarget(candidate, target.joint) if target.joint else BoxTarget(candidate, target.part)
    )


def parse(text: str) -> Target:
    """Read a target from text; see the head of this module.

    Raises:
        UserError: it has none of the forms.
    """
    kind, _, rest = text.partition(":")
    readers = {
        "box": _box,
        "candidate": _candidate,
        "region": _region,
        "joint": _joint,
        "unit": _unit,
    }
    try:
        if kind in readers and rest:
            return readers[kind](rest)
    except (ValueError, TypeError):
        raise UserError(f"The target {text!r} cannot be read; write {_FORMS}.") from None
    if not text:
        raise UserError(f"The target is empty; write {_FORMS}.")
    return ClassTarget(text)


def _box(rest: str) -> Target:
    number, _, part = rest.partition(":")
    return ListedTarget(_index(number), _part(part))


def _candidate(rest: str) -> Target:
    number, _, part = rest.partition(":")
    kind, _, joint = part.partition(":")
    if kind == "joint" and joint:
        return JointTarget(_index(number), joint)
    return BoxTarget(_index(number), _part(part))


def _part(text: str) -> str:
    if text and text not in BOX_PARTS:
        raise ValueError
    return text or "score"


def _region(rest: str) -> Target:
    label, _, numbers = rest.partition(":")
    if not numbers:
        return RegionTarget(label)
    x1, y1, x2, y2 = (float(v) for v in numbers.split(","))
    return RegionTarget(label, (x1, y1, x2, y2))


def _joint(rest: str) -> Target:
    number, joint = rest.split(":", 1)
    return ListedTarget(_index(number), joint=joint)


def _unit(rest: str) -> Target:
    layer, numbers = rest.rsplit(":", 1)
    return UnitTarget(layer, *(_index(v) for v in numbers.split(",")))


def _index(text: str) -> int:
    if (value := int(text)) < 0:
        raise ValueError
    return value


_BOXES = ("detection", "instance", "keypoint", "pose")
_KINDS = {
    "classification": "classifier: name one of its classes",
    "segmentation": "segmenter: write region:NAME",
}


def check(target: Target, card: Any) -> None:
    """Refuse a target that a network cannot have, by its card alone.

    Args:
        target: what is to be explained.
        card: a ``vision_core.models.Card`` whose labels and joints are those of the weights.

    Raises:
        UserError: another kind of network, no such class or no such joint.
    """
    if isinstance(target, UnitTarget):
        return
    wanted = {ClassTarget: ("classification",), RegionTarget: ("segmentation",)}
    if card.task not in wanted.get(type(target), _BOXES):
        kind = _KINDS.get(card.task, "detector: write box:N")
        raise UserError(f"{card.name} has no target {target}; it is a {kind}.")
    if isinstance(target, ClassTarget | RegionTarget) and target.label not in card.labels:
        shown = ", ".join(card.labels[:8]) + (" ..." if len(card.labels) > 8 else "")
        raise UserError(f"The network has no class {target.label!r}; its classes are {shown}.")
    joint = getattr(target, "joint", "")
    if joint and joint not in card.joints:
        known = ", ".join(card.joints) or "none"
        raise UserError(f"{card.name} has no joint {joint!r}; its joints: {known}.")
