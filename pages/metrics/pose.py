"""The section "Pose": PCK with its radius on the photo, OKS with its fall-off."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
import streamlit as st

from pages.components import canvas
from pages.metrics import given, joints, quick
from pages.shared import engine, model_picker, shell, state, truth
from pages.shared.state import Field
from vision_core import figures, models
from vision_core.comparison.people import TruePerson
from vision_core.figures.colours import INPUT, VERDICTS
from vision_core.figures.joints import joint_picture
from vision_core.images import Photo
from vision_core.inference import DetectionTrace, Keypoints
from vision_core.metrics.joint_scores import JointScores, joint_scores
from vision_core.models import Model

_FIRST = "pose_heatmap_s"
_STAND_INS = ("pose_heatmap_s", "pose_regression_s")
_WORDS = {"pck": "PCK: circles", "oks": "OKS: fall-off"}
_LEAST = 0.05
"""A person with a lower score is nobody."""


def show(menu: Any, outer: tuple[Field, ...]) -> None:
    """Draw the section.

    Args:
        menu: a place for the choice of the measure.
        outer: fields of the page.
    """
    used = [
        Field("measure", "pck", state.one_of(_WORDS)),
        Field("pck_share", 0.2, state.number(0.05, 0.5), "{:g}".format),
        joints.FIELD,
    ]
    state.use(*used)
    quick.settle("joints")
    with menu:
        st.segmented_control(
            "Measure",
            tuple(_WORDS),
            key="measure",
            required=True,
            format_func=_WORDS.__getitem__,
            label_visibility="collapsed",
        )
    with st.sidebar:
        photo, card, more = given.picked(_FIRST)
    try:
        if card.task not in ("pose", "keypoint"):
            given.offer(card, "finds no joints", _FIRST)
            return
        model = None if photo is None else model_picker.load(card)
        if photo is None or model is None:
            return
        with st.spinner(f"Running {card.title}{engine.queue_words()} …"):
            found = _persons(model, photo)
        if found is None:
            st.info(f"{card.title} finds no person on this photo.", icon=":material/person_off:")
        else:
            _shown(photo, model, found)
    finally:
        state.write(*outer, *more, *used)


def _persons(model: Model, photo: Photo) -> Keypoints | None:
    """Joints of the persons above the threshold, else of the likeliest one."""
    trace = engine.trace_of(model, photo)
    assert isinstance(trace, DetectionTrace)
    kept = trace.select(trace.defaults).detections.candidate
    if not len(kept):
        every = trace.select(given.at_score(trace, 0.0)).detections
        kept = every.candidate[: int((every.scores[:1] > _LEAST).sum())]
    return engine.parts_of(model, photo, trace).keypoints(kept) if len(kept) else None


def _stand_in(model: Model, photo: Photo, found: Keypoints) -> tuple[TruePerson, str] | None:
    """What another pose network says of the first person, and its title."""
    name = next(n for n in _STAND_INS if n != model.name)
    other = _persons(engine.load_model(name, str(model.device)), photo)
    if other is None:
        return None
    first = _as_person(found, 0)
    best = max(range(len(other.xy)), key=lambda i: _oks(other, i, first))
    return _as_person(other, best), models.card(name).title


def _as_person(found: Keypoints, row: int) -> TruePerson:
    xy = found.xy[row].astype(np.float64)
    return TruePerson(found.names, xy, np.isfinite(xy).all(1))


def _oks(found: Keypoints, row: int, person: TruePerson) -> float:
    score = joint_scores(found.names, found.xy[row], person).oks
    return -1.0 if score is None else score


def _shown(photo: Photo, model: Model, found: Keypoints) -> None:
    left, right = st.columns([1, 1], gap="medium")
    with right:
        person, title = joints.person(photo, found.names), ""
        if person is None:
            other = _stand_in(model, photo, found)
            person, title = other or (_as_person(found, 0), "this network itself")
        controls = st.container()
    scores = _best(found, person)
    with left:
        _draw(photo, scores, found.names)
    with right:
        _numbers(scores)
        joints.file(photo)
    with controls:
        shown = dict(zip(scores.names, scores.true.tolist(), strict=True))
        joints.controls(photo, found.names, shown)
        if title:
            st.caption(
                f"No joint is placed yet: what **{title}** finds stands for the truth, so that "
                "the numbers say how far the two agree."
            )
    _table(scores)


def _best(found: Keypoints, person: TruePerson) -> JointScores:
    """The scores of the person that the true joints fit best."""
    share = float(st.session_state["pck_share"])
    every = [joint_scores(found.names, xy, person, share) for xy in found.xy]
    return max(every, key=lambda s: (-1.0 if s.oks is None else s.oks, -s.distances.mean()))


def _draw(photo: Photo, scores: JointScores, names: tuple[str, ...]) -> None:
    which = str(st.session_state["measure"])
    numbers = np.concatenate([scores.true.ravel(), scores.found.ravel(), [scores.share]])
    half = max(photo.width, photo.height) / 120
    canvas.picture(
        photo,
        canvas.Scene(
            boxes=[[x - half, y - half, x + half, y + half] for x, y in scores.found.tolist()],
            ids=list(range(len(scores.names))),
            labels=[_tip(scores, i) for i in range(len(scores.names))],
            scores=[None] * len(scores.names),
            colours=[_colour(scores, hit) for hit in scores.correct],
            dashes=[() if hit or scores.pck is None else (2, 1) for hit in scores.correct],
            captions=False,
            overlay=canvas.Overlay(
                f"joints-{which}-{crc32(numbers.tobytes())}-{scores.area:g}",
                lambda: figures.png(joint_picture(scores, which, photo.width, photo.height)),
            ),
            description=f"{photo.name}: {len(scores.names)} true joints and those found. "
            "Arrow keys walk them.",
            zoom=True,
            asks="move" if truth.drawing() else "",
        ),
        key="pose_photo",
        present=shell.presenting(),
        tallest="calc(100vh - 24rem)",
        on_stage="calc(100vh - 24rem)",
        on_ask=lambda at: joints.asked(photo, names, at),
    )
    st.caption(
        "Sky blue: true joints. Squares: joints found; dashed where one lies outside its circle."
        if which == "pck"
        else "Sky blue: what a joint found there would add to OKS; the ring is at 0.5. "
        "Squares: joints found."
    )


def _colour(scores: JointScores, hit: bool) -> str:
    return INPUT if scores.pck is None else VERDICTS["hit" if hit else "false"]


def _tip(scores: JointScores, i: int) -> str:
    words = f"{scores.names[i].replace('_', ' ')}: {scores.distances[i]:.1f} px"
    term = scores.terms[i]
    return words if np.isnan(term) else f"{words}, OKS term {term:.2f}"


def _numbers(scores: JointScores) -> None:
    st.slider(
        "Radius of PCK, as a share of the torso",
        0.05,
        0.5,
        step=0.01,
        key="pck_share",
        help="0.2 is usual; the torso reaches from the left shoulder to the right hip.",
    )
    first, second = scores.formulas()
    lines = ["**PCK**: a joint is correct within a share of the torso's length  "]
    if first.value is None:
        lines.append("Neither shoulder with the other hip is labelled, so there is no torso.")
    else:
        lines.append(
            f"radius = {scores.share:g} · torso = {scores.share:g} · {scores.torso:.1f} = "
            f"{scores.radius:.1f} px  "
        )
        lines.append(f"{first.name} = {first.rule} = {first.numbers} = **{first.value:.3f}**")
    lines += ["", "**OKS**: each joint counts by its distance d, gently at first  "]
    lines.append(f"s² = {scores.area:,.0f} px² (s = {scores.area**0.5:.1f} px)  ")
    if second.value is None:
        lines.append("COCO has none of these joints, so there is no OKS.")
    else:
        far = int(np.nanargmin(scores.terms))
        lines.append(
            f"{scores.names[far].replace('_', ' ')}: exp(-{scores.distances[far]:.1f}² / (2 · "
            f"{scores.area:,.0f} · {scores.spreads[far]:.3f}²)) = {scores.terms[far]:.3f}  "
        )
        lines.append(f"{second.name} = {second.rule} = {second.numbers} = **{second.value:.3f}**")
    st.markdown("\n".join(lines))
    st.caption(
        "s² is the area that a COCO file gives for the person, else that of the box around the "
        "true joints. k is how far people disagree about a joint: small for eyes, large for "
        "hips. COCO has no neck and no top of the head."
    )


def _table(scores: JointScores) -> None:
    st.dataframe(
        [
            {
                "joint": name.replace("_", " "),
                "d (px)": float(scores.distances[i]),
                "d / torso": float(scores.distances[i] / scores.torso),
                "correct": bool(scores.correct[i]),
                "k": float(scores.spreads[i]),
                "OKS term": float(scores.terms[i]),
            }
            for i, name in enumerate(scores.names)
        ],
        hide_index=True,
        width="stretch",
        height=min(38 + 35 * len(scores.names), 320),
        column_config={
            "d (px)": st.column_config.NumberColumn(format="%.1f", width="small"),
            "d / torso": st.column_config.NumberColumn(format="%.2f", width="small"),
            "correct": st.column_config.CheckboxColumn(width="small"),
            "k": st.column_config.NumberColumn(format="%.3f", width="small"),
            "OKS term": st.column_config.NumberColumn(format="%.3f", width="small"),
        },
    )
