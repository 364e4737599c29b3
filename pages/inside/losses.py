"""Section "Losses": the imbalance of the anchors, and box losses with their gradients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.components.canvas import Mark
from pages.inside import training
from pages.inside.parts import SOLID, Asked, OnPhoto, true_boxes
from pages.shared import charts
from pages.shared.plain import sentence
from vision_core.errors import UserError
from vision_core.figures.colours import GROUND_TRUTH, KERNEL, OUTPUT
from vision_core.figures.inside import losses_over_distance
from vision_core.inside.losses import NAMES, BoxLoss, box_losses, curves, weighted
from vision_core.inside.report import nearest_true

_ARROW = 0.12
"""Length of the longer gradient arrow, as a share of the photo's shorter side."""
_CORNER = 2.0


def show(asked: Asked) -> OnPhoto:
    """Box losses; the imbalance of the class loss in its own tab.

    Raises:
        UserError: there is no true box.
    """
    boxes, focal = st.tabs(["Box losses", "Imbalance and focal loss"])
    balance = None
    with focal:
        try:
            balance = training.balance(asked)
            training.show_balance(balance.made)
        except UserError as error:
            st.info(sentence(str(error)), icon=":material/block:")
    with boxes:
        return _box_losses(asked, balance)


def _box_losses(asked: Asked, balance: training.Balance | None) -> OnPhoto:
    true_all, _, _ = true_boxes(asked)
    predicted, true = _pair(asked, true_all)
    found = box_losses(predicted, true)
    st.segmented_control("Loss", NAMES, key="loss", required=True)
    name = str(st.session_state["loss"])
    chosen = next(one for one in found if one.name == name)
    _table(found)
    far = np.linspace(-1.5, 1.5, 121) * (true[2] - true[0])
    charts.show(
        losses_over_distance(far, curves(predicted, true, far), name),
        "inside_losses",
        f"{name} and 1 - IoU while the predicted box slides to the right",
    )
    if balance is not None:
        _weight(balance, chosen)
    marks, links = _arrows(asked, predicted, chosen)
    return OnPhoto(
        [predicted, true],
        ["predicted", "true"],
        [OUTPUT, GROUND_TRUTH],
        [SOLID, SOLID],
        f"A predicted and a true box; arrows show where gradient descent on {name} moves two "
        "corners",
        marks=marks,
        links=links,
    )


def _pair(asked: Asked, true_all: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The predicted box, dragged or else a shifted true one, and the true box nearest to it.

    Raises:
        UserError: there is no true box.
    """
    if not len(true_all):
        raise UserError("There is no true box yet; drag one on the photo in Training.")
    if asked.box is not None:
        predicted = np.asarray(asked.box, np.float64)
        return predicted, nearest_true(predicted, true_all)
    true = true_all[0]
    width, height = true[2:] - true[:2]
    st.caption(
        "Drag a box on the photo: it is the predicted box. Until then it is a true box, moved."
    )
    shifted = true + np.array([0.15 * width, 0.1 * height, 0.25 * width, 0.05 * height])
    size = (asked.photo.width, asked.photo.height)
    return shifted.clip(0, [*size, *size]), true


def _table(found: tuple[BoxLoss, ...]) -> None:
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "loss": one.name,
                    "value": one.value,
                    **dict(zip(("d/dx1", "d/dy1", "d/dx2", "d/dy2"), one.gradient, strict=True)),
                }
                for one in found
            ]
        ),
        hide_index=True,
        width="stretch",
        column_config={
            n: st.column_config.NumberColumn(format="%.4g")
            for n in ("value", "d/dx1", "d/dy1", "d/dx2", "d/dy2")
        },
    )
    st.caption(
        "L2, L1 and smooth L1 compare the coordinates in pixels. The arrows on the photo point "
        "against the gradient: where a step of gradient descent moves each corner."
    )


def _weight(balance: training.Balance, chosen: BoxLoss) -> None:
    """A multi-task loss: the class loss of this photo for each positive, plus weight times box."""
    st.slider("Weight of the box loss", 0.0, 10.0, step=0.1, key="weight")
    weight = float(st.session_state["weight"])
    both = weighted(balance.made.cross_entropy / balance.positives, chosen.value, weight)
    st.markdown(
        f"The class loss of all anchors is {both['class']:.4g} for each positive (cross-entropy). "
        f"With the box loss, {weight:g} x {chosen.value:.4g} = {both['box']:.4g}, the sum is "
        f"{both['total']:.4g}; **{both['box_share']:.0%}** of it is the box."
    )


def _arrows(
    asked: Asked, predicted: np.ndarray, chosen: BoxLoss
) -> tuple[list[Mark], list[tuple[int, int, str]]]:
    """Lines from the two corners along the negative gradient, the longer one of fixed length."""
    ways = np.asarray(chosen.corners, np.float64)
    longest = float(np.hypot(*ways.T).max())
    if longest == 0:
        return [], []
    ways *= _ARROW * min(asked.photo.width, asked.photo.height) / longest
    marks: list[Mark] = []
    links = []
    for corner, way in zip((predicted[:2], predicted[2:]), ways, strict=True):
        for x, y in (corner, corner + way):
            square = [float(x - _CORNER), float(y - _CORNER)]
            marks.append(Mark([*square, square[0] + 2 * _CORNER, square[1] + 2 * _CORNER], KERNEL))
        links.append((len(marks) - 2, len(marks) - 1, ""))
    return marks, links
