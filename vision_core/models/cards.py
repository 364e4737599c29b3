"""Model cards: what each network of the catalogue is, without building it.

Full-size models come from what torchvision's weights enums tell (``snapshot``), bundled ones from
the JSON files beside their weights in ``assets/weights``. No PyTorch is needed for either.
"""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from vision_core.errors import UserError
from vision_core.models import snapshot, table
from vision_core.models.papers import Paper

TASKS = ("detection", "instance", "keypoint", "pose", "segmentation", "classification")
ASSETS = Path(__file__).resolve().parents[2] / "assets" / "weights"

# What stands in for a task that a bundled network cannot do itself.
_STAND_INS = {"instance": "detection", "keypoint": "pose"}
BUNDLED = (
    "fcos_s",
    "faster_rcnn_s",
    "yolo_s",
    "mask_rcnn_s",
    "fcn_voc_s",
    "fcn_s",
    "fcn_deconv_s",
    "segnet_s",
    "pose_heatmap_s",
    "pose_regression_s",
    "resnet_s",
    "vgg_s",
    "alexnet_s",
)
_NOT_A_CLASS = ("__background__", "background", "no person", "N/A")


class Score(NamedTuple):
    """A published or measured result, e.g. ``("box AP", 37.0, "COCO-val2017")``."""

    metric: str
    value: float
    dataset: str


@dataclass(frozen=True)
class Card:
    """One model of the catalogue.

    Attributes:
        name: what the user types; torchvision's builder name, or the bundled network's name.
        title: what people call it.
        task: one of ``TASKS``.
        family: family of heads: faster_rcnn, mask_rcnn, keypoint_rcnn, retinanet, fcos, ssd,
            ssdlite, fcn, deeplabv3, lraspp, classifier or pose_heatmap.
        labels: class names; a label id is an index. COCO's unused ids are ``N/A``.
        parameters: how many numbers were learned.
        bytes: size of the weights file; rounded by torchvision to 1 kB for full-size models.
        licence: of code and weights.
        paper: where the architecture was published; ``None`` for own designs.
        scores: results with metric and dataset.
        bundled: whether the weights lie in this repository.
        weights: ``ENUM.MEMBER`` of torchvision, ``None`` for bundled models.
        url: where the weights are downloaded, ``None`` for bundled models.
        filename: of the weights.
        sha256: hexadecimal digest of the file, of full-size models its first 8 or 10 digits.
        joints: joint names of keypoint and pose models.
        skeleton: pairs of joint indices.
        input: what the network is given, in words.
        limits: what it cannot do, in words.
        extra: other facts of a bundled model's card (data, training, history ...).
        architecture: of somebody's own network: the model whose architecture it has.
    """

    name: str
    title: str
    task: str
    family: str
    labels: tuple[str, ...]
    parameters: int
    bytes: int
    licence: str
    paper: Paper | None
    scores: tuple[Score, ...]
    bundled: bool
    weights: str | None
    url: str | None
    filename: str
    sha256: str
    joints: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    input: str = ""
    limits: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)
    architecture: str = ""

    @property
    def builder(self) -> str:
        """Name of the function that builds the architecture."""
        return self.architecture or self.name

    @property
    def own(self) -> bool:
        """Whether it is somebody's own network, which no catalogue knows."""
        return bool(self.architecture)

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels a user can meet, without background and unused ids."""
        return tuple(label for label in self.labels if label not in _NOT_A_CLASS)


def cards(task: str | None = None) -> tuple[Card, ...]:
    """The catalogue, bundled models first, optionally of one task only.

    Raises:
        UserError: there is no such task.
    """
    if task is not None and task not in TASKS:
        raise UserError(f"There is no task {task!r}; choose one of {', '.join(TASKS)}.")
    return tuple(c for c in _all() if task in (None, c.task))


def card(name: str) -> Card:
    """The card of a model.

    Raises:
        UserError: there is no such model; the message suggests names that look alike.
    """
    for entry in _all():
        if entry.name == name:
            return entry
    near = difflib.get_close_matches(str(name), [c.name for c in _all()], n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "see python -m vision_core models."
    raise UserError(f"There is no model called {str(name)!r}; {hint}")


def default_card(task: str = "detection") -> Card:
    """The model that a page or command takes when the user names none: bundled if there is one."""
    return cards(task)[0]


def bundled_alternative(entry: Card) -> Card | None:
    """A bundled model that does the same task, or the nearest to it, or ``None``."""
    for task in (entry.task, _STAND_INS.get(entry.task)):
        for other in cards(task) if task else ():
            if other.bundled and other.name != entry.name:
                return other
    return None


@functools.cache
def _all() -> tuple[Card, ...]:
    return bundled_cards(ASSETS) + full_size_cards()


def bundled_cards(folder: Path) -> tuple[Card, ...]:
    """The cards of the JSON files in a folder, in the order of ``BUNDLED``."""
    found = [_from_json(json.loads(f.read_text("utf-8"))) for f in sorted(folder.glob("*.json"))]
    rank = {name: i for i, name in enumerate(BUNDLED)}
    return tuple(sorted(found, key=lambda c: (rank.get(c.name, len(rank)), c.name)))


def full_size_cards() -> tuple[Card, ...]:
    """The cards of torchvision's models, in the order of the table."""
    return tuple(_from_torchvision(row) for row in table.ROWS)


_JSON_FIELDS = (
    "name",
    "title",
    "task",
    "family",
    "parameters",
    "bytes",
    "licence",
    "sha256",
    "input",
    "limits",
)


def _from_json(data: dict[str, Any]) -> Card:
    plain = {key: data[key] for key in _JSON_FIELDS if data.get(key) is not None}
    taken = {*_JSON_FIELDS, "file", "labels", "joints", "skeleton", "scores", "paper"}
    paper = data.get("paper")
    return Card(
        **plain,
        labels=tuple(data["labels"]),
        paper=Paper(**paper) if isinstance(paper, dict) else None,
        scores=tuple(
            Score(s["metric"], s["value"], " ".join(filter(None, (s["dataset"], s.get("split")))))
            for s in data.get("scores") or ()
        ),
        bundled=True,
        weights=None,
        url=None,
        filename=data.get("file") or f"{data['name']}.safetensors",
        joints=tuple(data.get("joints") or ()),
        skeleton=tuple((int(a), int(b)) for a, b in data.get("skeleton") or ()),
        extra={k: v for k, v in data.items() if k not in taken},
    )


def _from_torchvision(row: table.Row) -> Card:
    facts = snapshot.facts()
    own = facts["models"][row.builder]
    filename = own["url"].rpartition("/")[2]
    data = "ImageNet-1K" if row.task == "classification" else "COCO"
    return Card(
        name=row.builder,
        title=row.title,
        task=row.task,
        family=row.family,
        labels=tuple(facts["categories"][own["categories"]]),
        parameters=own["parameters"],
        bytes=own["bytes"],
        licence=table.LICENCES["SWAG" if "SWAG" in own.get("licence", "") else data],
        paper=row.paper,
        scores=tuple(
            Score(table.METRICS[metric], value, dataset)
            for dataset, values in own["metrics"].items()
            for metric, value in values.items()
        ),
        bundled=False,
        weights=own["weights"],
        url=own["url"],
        filename=filename,
        sha256=filename.rpartition("-")[2].partition(".")[0],
        joints=tuple(own.get("joints", ())),
        skeleton=table.COCO_SKELETON if row.task == "keypoint" else (),
        input=table.INPUTS[row.task].format(**own),
        limits=table.LIMITS[row.task],
    )
