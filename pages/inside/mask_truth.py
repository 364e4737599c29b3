"""The mask that training would ask for of a proposal, where a COCO file says true masks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st

from pages.inside.parts import Asked
from pages.shared import truth
from pages.shared.plain import plain
from vision_core.comparison.shapes import true_mask
from vision_core.inside.report import label_ids
from vision_core.inside.taught_mask import TaughtMask, TrueMatch, match, taught_mask


class FoundMask(NamedTuple):
    """The true box that a proposal is compared with, its class, and the mask target."""

    box: np.ndarray
    label: str
    match: TrueMatch
    taught: TaughtMask


def find(asked: Asked, proposal: np.ndarray) -> FoundMask | None:
    """The mask target of a proposal; ``None`` where no true mask is given for its true box.

    Raises:
        UserError: the file's segmentation cannot be read.
    """
    given = truth.current(asked.photo)
    if given is None or not len(given.labels):
        return None
    found = match(asked.here, proposal, given.boxes)
    mask = true_mask(given, found.index, asked.photo.width, asked.photo.height)
    if mask is None or found.iou == 0:
        return None
    label = given.labels[found.index]
    taught = taught_mask(asked.here, proposal, mask, label_ids(asked.here, [label])[0])
    return FoundMask(np.asarray(given.boxes[found.index], np.float64), label, found, taught)


def explain(found: FoundMask | None) -> None:
    """Where the target comes from, and whether training would use this proposal at all."""
    if found is None:
        st.caption(
            "Training target: if the pasted mask were the truth, training would cut this out of it "
            "with the proposal (dashed), which the box head has not moved yet. A COCO file with "
            "polygons or run lengths as truth gives the target of the true mask."
        )
        return
    used = (
        f"at least the limit {found.match.limit:g}, so training uses it"
        if found.match.positive
        else f"below the limit {found.match.limit:g}, so training does not use it"
    )
    loss = (
        "The network does not know this class."
        if found.taught.loss is None
        else f"The mask loss of this proposal is **{found.taught.loss:.4f}** (mean binary "
        "cross-entropy over the cells, for the true class alone)."
    )
    st.caption(
        f"Training target: the true mask of {plain(found.label)}, cut out by the proposal (dashed) "
        f"with RoI Align. The proposal overlaps the true box with IoU {found.match.iou:.3f}: "
        f"{used}. {loss}"
    )
