"""PCK and OKS of one person, joint by joint, with every number filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vision_core.comparison.people import TruePerson
from vision_core.errors import UserError
from vision_core.metrics.oks import similarities, spreads
from vision_core.metrics.pck import correct_joints, torso_lengths
from vision_core.metrics.pixels import Formula

_LISTED = 4
"""Terms of a sum that are written out."""


@dataclass(frozen=True, eq=False)
class JointScores:
    """A person's joints against the true ones; of the labelled joints that both know.

    Attributes:
        names: of the K joints.
        true, found: float64 ``[K, 2]``, photo pixels.
        distances: float64 ``[K]``, pixels.
        share: of the torso within which a joint is correct.
        torso: from shoulder to the other hip, pixels; NaN where they are not labelled.
        correct: bool ``[K]``; none without a torso.
        area: s^2 of OKS, square pixels.
        spreads: float64 ``[K]``: COCO's k; NaN for joints that it has not.
        terms: float64 ``[K]``: what each joint adds to OKS, 0 to 1; NaN as above.
    """

    names: tuple[str, ...]
    true: np.ndarray
    found: np.ndarray
    distances: np.ndarray
    share: float
    torso: float
    correct: np.ndarray
    area: float
    spreads: np.ndarray
    terms: np.ndarray

    @property
    def radius(self) -> float:
        """Pixels within which a joint is correct; NaN without a torso."""
        return self.share * self.torso

    @property
    def pck(self) -> float | None:
        """Share of correct joints; ``None`` without a torso."""
        return None if np.isnan(self.torso) else float(self.correct.mean())

    @property
    def oks(self) -> float | None:
        """Object keypoint similarity, 0 to 1; ``None`` without a joint that COCO has."""
        known = self.terms[np.isfinite(self.terms)]
        return float(known.mean()) if len(known) else None

    def reach(self, least: float = 0.5) -> np.ndarray:
        """Distance at which a joint's term has fallen to ``least``: float64 ``[K]``, pixels."""
        reach: np.ndarray = self.spreads * np.sqrt(2 * self.area * np.log(1 / least))
        return reach

    def formulas(self) -> tuple[Formula, ...]:
        """PCK and OKS."""
        hits, known = int(self.correct.sum()), self.terms[np.isfinite(self.terms)]
        listed = [f"{term:.2f}" for term in known[:_LISTED]]
        terms = " + ".join([*listed, "..."] if len(known) > _LISTED else listed)
        return (
            Formula(
                f"PCK@{self.share:g}",
                "correct joints / labelled joints",
                f"{hits} / {len(self.names)}" if self.pck is not None else "no torso",
                self.pck,
            ),
            Formula(
                "OKS",
                "Σ exp(-d² / (2 s² k²)) / joints",
                f"({terms}) / {len(known)}" if len(known) else "no joint of COCO",
                self.oks,
            ),
        )


def joint_scores(
    names: Sequence[str], xy: np.ndarray, person: TruePerson, share: float = 0.2
) -> JointScores:
    """Score one person's joints.

    Args:
        names: of the predicted joints.
        xy: ``[J, 2]`` predictions, photo pixels.
        person: where the joints really are.
        share: of the torso within which a joint is correct.

    Raises:
        UserError: the two have no labelled joint in common.
    """
    labelled = dict(zip(person.names, person.labelled.tolist(), strict=True))
    shared = tuple(name for name in names if labelled.get(name))
    if not shared:
        raise UserError("None of the true joints is one that the network finds; place one more.")
    true = person.xy[[person.names.index(n) for n in shared]].astype(np.float64)
    found = np.asarray(xy, np.float64)[[list(names).index(n) for n in shared]]
    label = torch.from_numpy(np.column_stack([true, np.ones(len(shared))]))[None]
    correct, _ = correct_joints(torch.from_numpy(found)[None], label, share, shared)
    distances = np.linalg.norm(found - true, axis=1)
    return JointScores(
        shared,
        true,
        found,
        distances,
        share,
        float(torso_lengths(label, shared)[0]),
        correct[0].numpy(),
        person.scale,
        spreads(shared),
        similarities(distances, person.scale, shared),
    )
