"""Sections "Head" and "Masks": what the second stage sees of a proposal, and what it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.components.canvas import Overlay
from pages.inside import mask_truth
from pages.inside.parts import DASHED, SOLID, Asked, OnPhoto, map_picture, truth_editor
from pages.shared import charts, tile_view
from vision_core.errors import UserError
from vision_core.figures.charts import class_distribution
from vision_core.figures.colours import GROUND_TRUTH, INPUT, OUTPUT, rgb
from vision_core.figures.encode import png
from vision_core.figures.saliency import MapPanel, panels
from vision_core.inside.head import (
    HeadView,
    joint_maps,
    look,
    mask_probabilities,
    mask_target,
    needs_head,
)
from vision_core.inside.opened import network_boxes, photo_boxes
from vision_core.records import Thresholds
from vision_core.selection import select
from vision_core.selection.masks import whole_mask

_STRONGEST = 16
_POINT = 1.0
"""Half a side of a sampling point on the photo, pixels."""


def second_stage(asked: Asked) -> OnPhoto:
    """What the box head says of the best proposal that holds the place."""
    needs_head(asked.here)
    row = _proposal(asked)
    given = asked.here.trace.source_boxes_net
    view = look(asked.here, given[row])
    order = np.argsort(-view.scores)
    pairs = [(view.labels[i], float(view.scores[i])) for i in order]
    charts.show(class_distribution(pairs), "inside_classes", "Scores of all classes")
    grid = view.points.shape
    st.markdown(
        f"Proposal {row + 1} of {len(given)}, cut from level **{view.level_name}** into "
        f"{view.crop.shape[1]} x {view.crop.shape[2]} cells of {view.crop.shape[0]} channels. "
        f"Each cell is the mean of {grid[2]} x {grid[3]} sampling points (dots on the photo)."
    )
    best = next(int(i) for i in order if i > 0)
    code = ", ".join(
        f"{name} {value:+.3f}"
        for name, value in zip(("dx", "dy", "dw", "dh"), view.codes[best], strict=True)
    )
    st.markdown(f"The class **{view.labels[best]}** would move it by {code} (drawn solid).")
    with st.expander("The crop of features"):
        _crop(view)
    with st.expander("The box of every class"):
        _boxes(view, order)
    points = view.points.reshape(-1, 2)
    return OnPhoto(
        [view.box, view.boxes[best]],
        ["proposal", view.labels[best]],
        [INPUT, OUTPUT],
        [DASHED, SOLID],
        "A proposal with its sampling points, and the box after the regression of its best class",
        crowd=np.concatenate([points - _POINT, points + _POINT], 1).astype(np.float32),
    )


def _proposal(asked: Asked) -> int:
    """The proposal with the best objectness that holds the place.

    Raises:
        UserError: none does.
    """
    net = network_boxes(asked.here, np.array([[*asked.at, *asked.at]]))[0][:2]
    given = asked.here.trace.source_boxes_net
    holds = ((given[:, :2] <= net) & (given[:, 2:] >= net)).all(1)
    if not holds.any():
        raise UserError("No proposal holds this place; click nearer to an object.")
    return int(np.flatnonzero(holds)[0])  # best objectness first


def _crop(view: HeadView) -> None:
    """The strongest channels of the crop as tiles, or all of them."""
    strength = np.abs(view.crop).mean(axis=(1, 2))
    every = st.toggle("All channels", key="inside_all_channels")
    order = np.argsort(-strength, kind="stable")[: None if every else _STRONGEST]
    tiles = np.stack([map_picture(view.crop[c], 28) for c in order])
    words = [f"channel {c}, mean magnitude {strength[c]:.3g}" for c in order]
    ids = [int(c) for c in order]
    tile_view.show("inside_crop", tiles, words, ids, -1, 8, "channels of the crop", 0.45)
    st.caption("Strongest first; vermilion is positive, blue negative, each on its own scale.")


def _boxes(view: HeadView, order: np.ndarray) -> None:
    """Before and after the regression of each class; the background has none."""
    x1, y1, x2, y2 = (f"{v:.0f}" for v in view.box)
    st.caption(f"The proposal is {x1}, {y1}, {x2}, {y2} in pixels of the photo.")
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "class": view.labels[i],
                    "score": float(view.scores[i]),
                    **dict(zip(("dx", "dy", "dw", "dh"), map(float, view.codes[i]), strict=True)),
                    "box after": ", ".join(f"{v:.0f}" for v in view.boxes[i]),
                }
                for i in order
                if i > 0
            ]
        ),
        hide_index=True,
        width="stretch",
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in ("score", "dx", "dy", "dw", "dh")
        },
    )


def parts(asked: Asked) -> OnPhoto:
    """The mask or the joints of the best detection that holds the place."""
    here = asked.here
    heads = getattr(here.module, "roi_heads", None)
    if heads is None or not (heads.has_mask() or heads.has_keypoint()):
        raise UserError(
            f"{here.net.name} has neither a mask head nor a keypoint head; choose the task "
            "Boxes and masks."
        )
    chosen = select(here.trace, Thresholds.torchvision(here.net)).detections
    x, y = asked.at
    x1, y1, x2, y2 = np.asarray(chosen.boxes, np.float64).reshape(-1, 4).T
    holds = np.flatnonzero((x1 <= x) & (x <= x2) & (y1 <= y) & (y <= y2))
    if not len(holds):
        raise UserError("No detection holds this place; click on an object that is found.")
    candidate = int(chosen.candidate[holds[0]])
    draw = _mask if heads.has_mask() else _joints
    return draw(asked, candidate)


def _mask(asked: Asked, candidate: int) -> OnPhoto:
    """The 28 x 28 map, its threshold, the pasted result, and what training would ask for."""
    here, trace = asked.here, asked.here.trace
    label = int(trace.label_ids[candidate])
    name = trace.info.labels[label]
    values = mask_probabilities(here, trace.boxes_net[candidate], label)
    st.slider("Mask threshold", 0.0, 1.0, step=0.05, key="cut")
    cut = float(st.session_state["cut"])
    width, height = trace.info.photo_size
    whole = whole_mask(values, trace.boxes[candidate], height, width, cut)
    proposal = trace.source_boxes_net[trace.source[candidate]]
    st.markdown(
        f"The mask head gives the class **{name}** {values.shape[0]} x {values.shape[1]} "
        f"probabilities. {int((values >= cut).sum())} of {values.size} are at least {cut:g}; "
        f"pasted into the box they are **{int(whole.sum()):,} pixels** of the photo."
    )
    found = mask_truth.find(asked, proposal)
    target = mask_target(here, proposal, whole) if found is None else found.taught.target
    shown = [("Probabilities", values), (f"At least {cut:g}", (values >= cut).astype(np.float32))]
    shown.append(("Training target", target))
    charts.show(
        panels([MapPanel(t, map_picture(v, 280), 1.0) for t, v in shown], 3, 230, brief=True),
        "inside_mask",
        "The map of the mask head, the same above the threshold, and a training target",
    )
    mask_truth.explain(found)
    truth_editor(asked)
    true = [] if found is None else [found.box]
    return OnPhoto(
        [trace.boxes[candidate], photo_boxes(here, proposal[None])[0], *true],
        [name, "proposal", *([f"true {found.label}"] if found else [])],
        [OUTPUT, INPUT, *([GROUND_TRUTH] if found else [])],
        [SOLID, DASHED, *([SOLID] if found else [])],
        f"The mask of {name} above the threshold, its box and its proposal",
        overlay=Overlay(f"mask-{trace.info.id}-{candidate}-{cut:g}", lambda: png(_tinted(whole))),
    )


def _tinted(whole: np.ndarray) -> np.ndarray:
    """A mask in one colour, uint8 RGBA."""
    picture = np.zeros((*whole.shape, 4), np.uint8)
    picture[whole] = (*rgb(OUTPUT), 140)
    return picture


def _joints(asked: Asked, candidate: int) -> OnPhoto:
    """The heat map of every joint."""
    trace = asked.here.trace
    maps = joint_maps(asked.here, trace.boxes_net[candidate])
    peaks = maps.reshape(len(maps), -1).max(1)
    tiles = np.stack([map_picture(m / m.max(), 112) for m in maps])
    words = [f"{name}: highest cell {p:.0%}" for name, p in zip(trace.joints, peaks, strict=True)]
    tile_view.show(
        "inside_joints", tiles, words, list(range(len(maps))), -1, 6, "heat maps of joints", 0.45
    )
    st.caption(
        f"One map of {maps.shape[1]} x {maps.shape[2]} for each joint, a softmax over all its "
        "cells, each drawn on its own scale; the joint lies at the highest cell."
    )
    name = trace.label(candidate)
    return OnPhoto(
        [trace.boxes[candidate]], [name], [OUTPUT], [SOLID], f"The box of a {name} with joints"
    )
