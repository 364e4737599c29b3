"""Totals over the records of many photos."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from vision_core.labels import comparable
from vision_core.metrics.areas import at_recalls, running
from vision_core.metrics.kinds_of_error import KINDS


class _Model:
    """Sums of one model; of each detection only its score and whether it is a hit are kept."""

    def __init__(self) -> None:
        self.photos = self.failed = self.boxes = 0
        self.doubt = 0.0
        self.kinds: Counter[str] = Counter()
        self.truth_seen = False
        self.found: dict[str, tuple[array[float], array[int]]] = {}

    def add(self, said: Mapping[str, Any]) -> None:
        if "error" in said:
            self.failed += 1
            return
        self.photos += 1
        self.boxes += said.get("count", 0)
        self.doubt += said["doubt"]
        if "kinds" not in said:
            return
        self.truth_seen = True
        self.kinds.update(said["kinds"])
        for row in said["detections"]:
            scores, hits = self.found.setdefault(comparable(row["label"]), (array("d"), array("b")))
            scores.append(row["score"])
            hits.append(row["hit"])


class Totals:
    """Sums over records that are added one at a time.

    Args:
        models: names of the models, in their order.
    """

    def __init__(self, models: Sequence[str]) -> None:
        self._sums = {name: _Model() for name in models}
        self._true: dict[str, Counter[str]] = {name: Counter() for name in models}
        self._counts: Counter[str] = Counter()
        self._apart, self._pairs = 0.0, 0

    def add(self, record: Mapping[str, Any]) -> None:
        """Take in one record of ``vision_core.gallery.run.records``."""
        if "error" in record:
            self._counts["skipped"] += 1
            return
        self._counts["photos"] += 1
        self._counts["with_truth"] += record["truth"] is not None
        if record["disagreement"] is not None:
            self._apart, self._pairs = self._apart + record["disagreement"], self._pairs + 1
        for name, sums in self._sums.items():
            sums.add(said := record["models"][name])
            if "kinds" in said:
                self._true[name].update(comparable(row["label"]) for row in record["truth"])

    def told(self) -> dict[str, Any]:
        """The sums so far, see ``totals``."""
        return {
            "photos": self._counts["photos"],
            "skipped": self._counts["skipped"],
            "with_truth": self._counts["with_truth"],
            "disagreement": self._apart / self._pairs if self._pairs else None,
            "models": [
                {"name": name, **_model(sums, self._true[name])}
                for name, sums in self._sums.items()
            ],
        }


def totals(records: Iterable[Mapping[str, Any]], models: Sequence[str]) -> dict[str, Any]:
    """Sum up records, read once.

    Args:
        records: of ``vision_core.gallery.run.records``.
        models: names of the models, in their order.

    Returns:
        ``photos``, ``skipped`` (that could not be read), ``with_truth``, ``disagreement`` (mean or
        ``None``) and ``models``: ``name``, ``photos``, ``failed``, ``boxes`` above the threshold,
        ``doubt`` (mean) and, for a detector with a truth, ``AP50`` (mean over the classes of the
        truth, as pycocotools has it; ``None`` without a true box), ``AP50_by_class``, ``true``
        (boxes by class) and ``kinds`` of error.
    """
    sums = Totals(models)
    for record in records:
        sums.add(record)
    return sums.told()


def _model(sums: _Model, true: Mapping[str, int]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "photos": sums.photos,
        "failed": sums.failed,
        "boxes": sums.boxes,
        "doubt": sums.doubt / sums.photos if sums.photos else None,
    }
    if not sums.truth_seen:
        return told
    nothing = (array("d"), array("b"))
    by_class = {}
    for name in sorted(true):
        scores, hits = sums.found.get(name, nothing)
        by_class[name] = average_precision(np.asarray(scores), np.asarray(hits), true[name])
    return {
        **told,
        "AP50": sum(by_class.values()) / len(by_class) if by_class else None,
        "AP50_by_class": by_class,
        "true": dict(sorted(true.items())),
        "kinds": {kind: sums.kinds[kind] for kind in KINDS},
    }


def average_precision(scores: np.ndarray, hits: np.ndarray, true: int) -> float:
    """Area under the precision-recall curve at 101 recalls (Lin et al. 2014).

    The walkthrough ``average_precision`` shows every term of it; this one is for many detections.

    Args:
        scores: ``[N]``; equal ones stay in their order.
        hits: ``[N]``, whether each found a free true box.
        true: how many true boxes there are, at least 1.
    """
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    return at_recalls(*running(np.asarray(hits)[order], true), 101)
