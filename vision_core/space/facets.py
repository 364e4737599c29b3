"""Several facets of a unit: what excites it in groups, and where its pictures start.

Nguyen, Yosinski and Clune, "Multifaceted Feature Visualization" (2016): a unit that answers to
several kinds of things has a picture for each. The pictures of a gallery that excite it are grouped
(features of a layer, t-SNE to two dimensions, k-means), and for each group activation maximisation
starts from the mean of the few pictures closest to its centre. The paper's PCA to 50 axes is left
out: ``MOST`` points differ along fewer axes than that, so that it would only turn them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.transforms.functional import center_crop, normalize, resize

from vision_core import devices
from vision_core.attribution.question import Question
from vision_core.errors import UserError
from vision_core.features.activations import map_layers
from vision_core.images import Photo
from vision_core.inference.families import network
from vision_core.inference.presets import prepared
from vision_core.records.targets import ClassTarget, UnitTarget
from vision_core.space.clusters import in_a_plane, kmeans
from vision_core.space.patches import Fields
from vision_core.space.vectors import BATCH

MOST = 48
"""Pictures that are grouped at most, those that excite the unit most."""
COUNTS = (2, 6)
"""Range of the number of facets."""
CLOSEST = 5
"""Pictures closest to a group's centre, whose mean is the start; 15 of a thousand in the paper."""
LEAST = 3
"""Pictures that excite the unit, for each facet at least."""
_BEST = 5


@dataclass(frozen=True, eq=False)
class Excited:
    """The K pictures of a gallery that excite a target, most first.

    Attributes:
        rows: of the gallery.
        scores: float32 [K]: of a class its logit, of a unit the peak of its channel.
        places: row and column of that peak; (0, 0) for a class.
        features: float32 [K, D], by which they are grouped.
        asked: pictures of the gallery in all.
    """

    rows: tuple[int, ...]
    scores: np.ndarray
    places: tuple[tuple[int, int], ...]
    features: np.ndarray
    asked: int


@dataclass(frozen=True)
class Searching:
    """How far a search through a gallery is; ``excited`` at the end of it."""

    done: int
    total: int
    excited: Excited | None = None


@dataclass(frozen=True, eq=False)
class Facet:
    """A group of pictures that excite a target.

    Attributes:
        members: of ``Excited``, those closest to the group's centre first.
        rows: the same as rows of the gallery.
        scores: of each.
        used: so many of them, from the first, make the start.
        start: float32 [1, 3, h, w], their mean as the network's input.
    """

    members: tuple[int, ...]
    rows: tuple[int, ...]
    scores: tuple[float, ...]
    used: int
    start: Tensor


class Gallery:
    """Pictures as inputs of one question.

    Args:
        question: whose target is a class or a unit.
        model: of the question.
        pictures: the gallery.

    Raises:
        UserError: another target.
    """

    def __init__(self, question: Question, model: Any, pictures: Sequence[Photo]) -> None:
        if not isinstance(question.target, ClassTarget | UnitTarget):
            raise UserError("Facets are those of a class or of a unit.")
        self.question, self.pictures = question, pictures
        self._net, self._fields, self._model = network(model), Fields(model), model

    def search(self) -> Iterator[Searching]:
        """Run the network over the pictures and keep those that excite the target.

        A picture excites a class that is among its five best, and a unit whose channel is above 0
        somewhere. A picture is described by the last hidden layer for a class, and for a
        unit by the layer below, averaged over what the unit at the peak can see.
        """
        total = len(self.pictures)
        look = self._class if isinstance(self.question.target, ClassTarget) else self._units
        below = self._below()
        parts: list[tuple[np.ndarray, ...]] = []
        batch = BATCH if self.question.input.shape[-1] <= 256 else 1
        for at in range(0, total, batch):
            shown = self.pictures[at : at + batch]
            with torch.inference_mode(False), torch.no_grad():
                parts.append(look(torch.stack([self.input_of(p) for p in shown]), below))
            yield Searching(min(at + batch, total), total)
        if not parts:
            return
        scores, counts, places, features = (np.concatenate(p) for p in zip(*parts, strict=True))
        order = np.argsort(-scores, kind="stable")
        rows = [int(i) for i in order if counts[i]][:MOST]
        spots = tuple((int(places[i, 0]), int(places[i, 1])) for i in rows)
        found = Excited(tuple(rows), scores[rows], spots, features[rows], total)
        yield Searching(total, total, found)

    def input_of(self, picture: Photo) -> Tensor:
        """A picture as the network is given it, float32 [3, h, w], of the question's size.

        A classifier's preset makes it. Other networks take any size: there the middle of the
        picture, at the sides' ratio of the photo's, fills what the photo fills.
        """
        net, like = self._net, self.question.input[0]
        if hasattr(net.preset, "crop_size") and net.detector is None:
            return prepared(net, picture)
        high, wide = self.question.window.height, self.question.window.width
        scale = min(picture.height / high, picture.width / wide)
        size = [max(1, round(high * scale)), max(1, round(wide * scale))]
        x = center_crop(devices.image_tensor(picture, like.device), size)
        x = resize(x, [high, wide], antialias=True)
        x = normalize(x, list(self.question.mean), list(self.question.std))
        whole = torch.zeros_like(like)
        whole[:, :high, :wide] = x
        return whole

    def facets(self, excited: Excited, count: int, seed: int = 0) -> list[Facet]:
        """Groups of the pictures, the largest first, with their starts.

        Args:
            excited: as ``search`` found it.
            count: of facets.
            seed: of k-means.

        Raises:
            UserError: too few pictures excite the target, or the count is out of its range.
        """
        if not COUNTS[0] <= count <= COUNTS[1]:
            raise UserError(f"The number of facets must lie from {COUNTS[0]} to {COUNTS[1]}.")
        enough(excited, count)
        points = in_a_plane(excited.features)
        groups = kmeans(points, count, seed)
        made = []
        for group in range(count):
            members = groups.members(group, points)
            rows = tuple(excited.rows[i] for i in members)
            scores = tuple(float(excited.scores[i]) for i in members)
            closest = members[:CLOSEST]
            mean = torch.stack([self.aligned(excited, i) for i in closest]).mean(0)
            made.append(Facet(tuple(members), rows, scores, len(closest), mean[None]))
        return made

    def aligned(self, excited: Excited, i: int) -> Tensor:
        """A picture as it enters the mean, float32 [3, h, w].

        For a unit it is moved, by whole pixels, so that its peak comes to lie at the unit, and
        only what the unit can see is left; the rest has the mean colour, which is 0.
        """
        with torch.inference_mode(False), torch.no_grad():
            x = self.input_of(self.pictures[excited.rows[i]])
        target = self.question.target
        if not isinstance(target, UnitTarget):
            return x
        down, right = self._steps
        row, column = excited.places[i]
        x = _moved(x, round((target.row - row) * down), round((target.column - column) * right))
        left, top, end, bottom = self._seen(target.row, target.column)
        kept = torch.zeros_like(x)
        kept[:, top:bottom, left:end] = x[:, top:bottom, left:end]
        return kept

    def _class(self, x: Tensor, _: str) -> tuple[np.ndarray, ...]:
        question, target = self.question, self.question.target
        assert question.logits is not None and isinstance(target, ClassTarget)
        index = question.labels.index(target.label)
        hidden: list[Tensor] = []
        last = [m for m in question.module.modules() if isinstance(m, nn.Linear)][-1:]
        with devices.forward_slot():
            handles = [m.register_forward_pre_hook(lambda _, a: hidden.append(a[0])) for m in last]
            try:
                logits = question.logits(question.module, x)
            finally:
                for handle in handles:
                    handle.remove()
        told = hidden[0] if hidden else logits
        likely = (logits > logits[:, index : index + 1]).sum(1) < _BEST
        nowhere = np.zeros((len(x), 2), np.int64)
        return _numpy(logits[:, index]), _numpy(likely), nowhere, _numpy(told.flatten(1))

    def _units(self, x: Tensor, below: str) -> tuple[np.ndarray, ...]:
        target = self.question.target
        assert isinstance(target, UnitTarget)
        _, kept = self.question.run(x, [below])
        maps = kept[target.layer][0][:, target.channel]
        peaks, at = maps.flatten(1).max(1)
        places = np.stack([_numpy(at) // maps.shape[-1], _numpy(at) % maps.shape[-1]], 1)
        self._size = (maps.shape[-2], maps.shape[-1])
        features = [
            self._mean(under, int(row), int(column))
            for under, (row, column) in zip(kept[below][0], places, strict=True)
        ]
        return _numpy(peaks), _numpy(peaks > 0), places, np.stack(features)

    def _mean(self, under: Tensor, row: int, column: int) -> np.ndarray:
        """The layer below, averaged over what a unit can see, float32 [C]."""
        (high, wide), (h, w) = self.question.input.shape[-2:], under.shape[-2:]
        left, top, right, bottom = self._seen(row, column)
        first, rows = top * h // high, max(-(-bottom * h // high), top * h // high + 1)
        start, columns = left * w // wide, max(-(-right * w // wide), left * w // wide + 1)
        return _numpy(under[:, first:rows, start:columns].float().mean((1, 2)))

    @property
    def _steps(self) -> tuple[float, float]:
        """Pixels of the input from a unit to the next one, down and to the right."""
        high, wide = self.question.input.shape[-2:]
        return high / self._size[0], wide / self._size[1]

    def _seen(self, row: int, column: int) -> tuple[int, int, int, int]:
        """What a unit can see of the input; all of it where the network cannot be followed."""
        high, wide = self.question.input.shape[-2:]
        target = self.question.target
        assert isinstance(target, UnitTarget)
        try:
            box = self._fields.of_input(
                self.question.module, self.question.input, target.layer, row, column
            )
        except UserError:
            return 0, 0, wide, high
        x1, y1 = min(max(box[0], 0), wide - 1), min(max(box[1], 0), high - 1)
        return x1, y1, min(max(box[2], x1 + 1), wide), min(max(box[3], y1 + 1), high)

    def _below(self) -> str:
        """The layer that comes before a unit's own and is no part of it; its own for the first."""
        target = self.question.target
        if not isinstance(target, UnitTarget):
            return ""
        names = list(map_layers(self._model, self.pictures[0])) if self.pictures else []
        if target.layer not in names:
            return target.layer
        before = names[: names.index(target.layer)]
        outside = [n for n in before if not n.startswith(f"{target.layer}.")]
        return outside[-1] if outside else target.layer


def enough(excited: Excited, count: int) -> None:
    """Whether so many facets can be made.

    Raises:
        UserError: too few pictures excite the target.
    """
    there, needed = len(excited.rows), LEAST * count
    if there < needed:
        noun = "picture excites" if there == 1 else "pictures excite"
        raise UserError(
            f"Only {there} of the {excited.asked} {noun} it, and {count} facets need {needed}; "
            "choose fewer facets, another channel or class, or a larger gallery."
        )


def _moved(x: Tensor, down: int, right: int) -> Tensor:
    """A picture [3, h, w] moved by whole pixels; what comes in is 0."""
    high, wide = x.shape[-2:]
    out = torch.zeros_like(x)
    if abs(down) < high and abs(right) < wide:
        rows, columns = slice(max(down, 0), high + min(down, 0)), slice(max(-down, 0), None)
        into, source = slice(max(right, 0), wide + min(right, 0)), slice(max(-right, 0), None)
        part = x[:, columns, source]
        out[:, rows, into] = part[:, : high - abs(down), : wide - abs(right)]
    return out


def _numpy(x: Tensor) -> np.ndarray:
    return np.asarray(x.detach().cpu().numpy())
