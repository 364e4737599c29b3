"""All subsets of the residual blocks of a network, run one by one.

Veit, Wilber and Belongie, "Residual Networks Behave Like Ensembles of Relatively Shallow Networks"
(2016): written out, a network of n residual blocks is a collection of 2**n paths, since each block
is gone through or gone around. Skipping a block removes half of the paths.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import median
from typing import Any

from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference import ClassificationTrace, DetectionTrace, PartSource, predict
from vision_core.inference.detection import forget_features
from vision_core.inference.families import network
from vision_core.labels import comparable
from vision_core.models import Model
from vision_core.records import Prediction
from vision_core.surgery.operate import fingerprint, operate, traced
from vision_core.surgery.parts import blocks_of
from vision_core.surgery.plan import Plan, Skip
from vision_core.surgery.report import same_share

MOST_BLOCKS = 12
"""Blocks whose subsets are run at most: 4,096 passes."""
USUAL_BLOCKS = 8
"""Blocks that are taken where nobody chose: the last ones with an identity shortcut."""


@dataclass(frozen=True)
class Subset:
    """What the network says with some blocks skipped.

    Attributes:
        skipped: names of the blocks that are left out, in the order in which they run.
        value: of what ranks the subsets, 0 to 1: see ``meaning``.
        top: the best class of a classifier; empty for other networks.
        sure: over several photos, the mean probability of the right class; it ranks subsets that
            are right equally often.
    """

    skipped: tuple[str, ...]
    value: float
    top: str = ""
    sure: float = 0.0


def usual(model: Model) -> tuple[str, ...]:
    """The blocks whose subsets are run where nobody chose: identity shortcuts, eight at most."""
    return tuple(b.name for b in blocks_of(model.module) if b.identity)[-USUAL_BLOCKS:]


def passes(count: int) -> int:
    """How many forward passes the subsets of so many blocks take.

    Raises:
        UserError: there are more than ``MOST_BLOCKS``.
    """
    if count > MOST_BLOCKS:
        raise UserError(
            f"{count} blocks have {2**count:,} subsets, which is too many to run; choose "
            f"{MOST_BLOCKS} blocks or fewer."
        )
    return int(2**count)


def subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every subset once, the smallest first."""
    for size in range(len(names) + 1):
        yield from combinations(names, size)


def meaning(model: Model, label: str) -> str:
    """What ranks the subsets of a network, in words."""
    if model.card.task == "classification":
        return f"probability of {label}"
    if model.card.task == "segmentation":
        return "share of the pixels with the class that the whole network gives"
    if model.card.task == "pose":
        return "object keypoint similarity with the joints of the whole network"
    return "F1 against the boxes of the whole network"


def unravel(
    model: Model, photo: Photo, names: Sequence[str], label: str | None = None
) -> Iterator[Subset]:
    """Run the network with every subset of some blocks skipped.

    One private copy serves all passes; nothing runs before the first step is asked for.

    Args:
        model: a shared model with residual blocks.
        photo: the photo.
        names: of the blocks, in any order.
        label: the class whose probability counts for a classifier; its best class if left out.

    Yields:
        each of the ``2**n`` subsets once, the whole network first.

    Raises:
        UserError: too many blocks, no such block or class, or the whole network finds nothing.
    """
    passes(len(set(names)))
    whole = predicted(model, photo)
    wanted = target(whole, label)
    for cut, skipped in _switched(model, names):
        yield _subset(cut, photo, whole, wanted, skipped)


def unravel_known(
    model: Model, photos: Sequence[tuple[Photo, Collection[str]]], names: Sequence[str]
) -> Iterator[Subset]:
    """Rank the subsets of a classifier's blocks by how often it is right.

    Args:
        model: a shared classifier with residual blocks.
        photos: each with the class names that are right for it.
        names: of the blocks, in any order.

    Yields:
        each subset once, the whole network first: ``value`` is the share of photos whose best
        class is right, ``sure`` the mean probability of the right classes together.

    Raises:
        UserError: too many blocks, or the network is no classifier or knows none of the photos.
    """
    passes(len(set(names)))
    if model.card.task != "classification":
        raise UserError("Only a classifier can be right about a whole photo; choose resnet_s.")
    known = [(photo, right) for photo, right in photos if positions(model, right)]
    if not known:
        raise UserError(f"{model.name} knows no class of these photos, so no answer is right.")
    for cut, skipped in _switched(model, names):
        hits, sure = 0, 0.0
        for photo, right in known:
            found = traced(cut, photo)
            assert isinstance(found, ClassificationTrace)
            at = positions(model, right)
            hits += int(found.probabilities.argmax()) in at
            sure += float(found.probabilities[at].sum())
        yield Subset(skipped, hits / len(known), f"{hits} of {len(known)}", sure / len(known))


def positions(model: Model, names: Collection[str]) -> list[int]:
    """Where classes of these names stand among those of a network."""
    wanted = {comparable(name) for name in names}
    return [i for i, label in enumerate(model.labels) if comparable(label) in wanted]


def _switched(model: Model, names: Sequence[str]) -> Iterator[tuple[Model, tuple[str, ...]]]:
    """One private copy of a network, switched to each subset in turn."""
    chosen = [b.name for b in blocks_of(model.module) if b.name in set(names)]
    copied: Any = operate(model, Plan(tuple(Skip(name) for name in names)))
    parts = {name: copied.module.get_submodule(name) for name in chosen}
    for skipped in subsets(chosen):
        for name, part in parts.items():
            part.skipped = name in skipped
        # Features are kept by fingerprint, so that each subset needs one of its own.
        mark = fingerprint(model.fingerprint, Plan(tuple(Skip(name) for name in skipped)))
        yield replace(copied, fingerprint=mark), skipped


def _subset(
    model: Model, photo: Photo, whole: Prediction, label: str, skipped: tuple[str, ...]
) -> Subset:
    """Run the copy as it is switched now."""
    if isinstance(whole.trace, ClassificationTrace):
        found = traced(model, photo)
        assert isinstance(found, ClassificationTrace)
        at = list(found.info.labels).index(label)
        return Subset(skipped, float(found.probabilities[at]), found.top(1)[0][0])
    share = same_share(whole, predicted(model, photo), model.card)
    if skipped:
        forget_features(network(model), photo)
    if share is None:
        raise UserError(
            "The whole network finds nothing on this photo that the subsets could be compared "
            "with; choose another photo."
        )
    return Subset(skipped, share)


def predicted(model: Model, photo: Photo) -> Prediction:
    """What a network says at its own thresholds, with the joints of a pose network."""
    found = traced(model, photo)
    if model.card.task == "pose" and isinstance(found, DetectionTrace):
        return predict(found, parts=PartSource(model, photo, found))
    return predict(found)


def target(whole: Prediction, label: str | None) -> str:
    """The class whose probability ranks the subsets of a classifier; empty for other networks.

    Raises:
        UserError: the network does not know the class.
    """
    if not isinstance(whole.trace, ClassificationTrace):
        return ""
    if label is None:
        return whole.trace.top(1)[0][0]
    for name in whole.trace.info.labels:
        if comparable(name) == comparable(label):
            return name
    raise UserError(f"{whole.trace.info.model} has no class {label!r} to rank the subsets by.")


def ranked(found: Sequence[Subset]) -> list[Subset]:
    """The subsets, best value first, then the surest; of equal ones those that skip less first."""
    return sorted(found, key=lambda s: (-s.value, -s.sure, len(s.skipped)))


def by_depth(found: Sequence[Subset]) -> list[tuple[int, float, float, float]]:
    """For each number of skipped blocks: the number, and lowest, median and highest value."""
    sizes: dict[int, list[float]] = {}
    for one in found:
        sizes.setdefault(len(one.skipped), []).append(one.value)
    return [(n, min(v), median(v), max(v)) for n, v in sorted(sizes.items())]
