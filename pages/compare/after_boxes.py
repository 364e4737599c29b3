"""Below the columns of detectors: rows of the differences, curves, ground truth, wipe, cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pages.compare import common, saliency
from pages.compare.columns import JudgedColumn, Made, partners
from pages.compare.sides import Side
from pages.components import wipe
from pages.shared import charts, state, truth
from vision_core import figures
from vision_core.comparison.boxes import KINDS, BoxComparison, agreement_curve
from vision_core.comparison.differences import between, mask_overlaps
from vision_core.comparison.report import at_any_score
from vision_core.comparison.truth import Truth, judge
from vision_core.figures import differences
from vision_core.images import Photo
from vision_core.metrics.curve import curve

_SCORES = np.linspace(0, 1, 41)
_TABS = (
    "Differences",
    "Agreement",
    "Ground truth",
    "Joints",
    "Wipe",
    "Attribution",
    "Time and size",
)


def show(
    photo: Photo,
    sides: Sequence[Side],
    shown: Sequence[JudgedColumn],
    made: Made,
    there: Truth | None,
) -> None:
    """The tabs; what takes time is made only in the one that is open."""
    pair = str(st.session_state["pair"]) if len(shown) > 1 else ""
    two = [s for letter in pair for s in shown if s.side.letter == letter]
    comparison = made.get((pair[0], pair[1])) if pair else None
    joints = len(two) == 2 and all(s.made.keypoints is not None for s in two)
    titles = [
        t
        for t in _TABS
        if (t != "Joints" or joints) and (len(two) == 2 or t in ("Ground truth", _TABS[-1]))
    ]
    for title, tab in zip(
        titles, st.tabs(titles, key="compare_tabs", on_change="rerun"), strict=True
    ):
        if not tab.open:
            continue
        with tab:
            if title == "Ground truth":
                _truth(photo, shown, there)
            elif title == "Time and size":
                common.cost({s.side.letter: s.column for s in shown})
            elif title == "Attribution":
                saliency.show(photo, [s.side for s in shown], _best(shown, made))
            elif comparison is not None:
                _of_two(title, photo, two, comparison)
    common.files(photo, sides, {s.side.letter: s.column for s in shown}, there)


def _of_two(title: str, photo: Photo, two: list[JudgedColumn], comparison: BoxComparison) -> None:
    a, b = two
    if title == "Differences":
        _rows(a, b, comparison)
    elif title == "Agreement":
        _agreement(a, b)
    elif title == "Joints":
        _joints(a, b, comparison)
    else:
        wipe.show(_picture(photo, a), _picture(photo, b), (a.side.title, b.side.title), key="wipe")


def _rows(a: JudgedColumn, b: JudgedColumn, comparison: BoxComparison) -> None:
    """Every pair as a row; a chosen row picks its boxes on the pictures."""
    only = st.session_state["only"]
    found = [p for p in comparison.pairs if only in (None, p.kind)]
    if not found:
        st.info("Nothing of this kind at these thresholds.", icon=":material/search_off:")
        return
    letters = a.side.letter.upper(), b.side.letter.upper()
    words = dict(
        zip(
            KINDS,
            ("both", "another class", "shifted", f"only {letters[0]}", f"only {letters[1]}"),
            strict=True,
        )
    )

    def side(of: JudgedColumn, row: int | None, letter: str) -> dict[str, object]:
        if row is None:
            return {f"{letter} says": "", f"{letter} score": ""}
        return {
            f"{letter} says": of.kept.labels[row],
            f"{letter} score": f"{of.kept.scores[row]:.3f}",
        }

    frame = pd.DataFrame(
        [
            {
                "what": words[p.kind],
                **side(a, p.a, letters[0]),
                **side(b, p.b, letters[1]),
                "IoU": f"{p.iou:.3f}" if p.iou else "",
            }
            for p in found
        ]
    )
    if a.made.masks is not None and b.made.masks is not None:
        overlaps = mask_overlaps(a.made, b.made, found)
        frame["mask IoU"] = ["" if v is None else f"{v:.3f}" for v in overlaps]
    picks = [
        f"{a.side.letter}{a.kept.candidate[p.a]}"
        if p.a is not None
        else f"{b.side.letter}{b.kept.candidate[p.b]}"
        for p in found
    ]

    def picked() -> None:
        rows = list(st.session_state["pairs"]["selection"]["rows"])
        state.put("picked", picks[rows[0]] if rows and rows[0] < len(picks) else "")

    st.dataframe(
        frame,
        key="pairs",
        hide_index=True,
        width="stretch",
        on_select=picked,
        selection_mode="single-row",
        height=min(40 + 35 * len(frame), 300),
    )
    st.caption(
        "Matched one to one: first the same class at an IoU of 0.5 or more, then another "
        "class there, then the same class with an IoU of at least 0.1 (shifted). Choose a "
        "row, or click a box, to see its partner."
    )
    common.names()


def _agreement(a: JudgedColumn, b: JudgedColumn) -> None:
    f1 = agreement_curve(at_any_score(a.column), at_any_score(b.column), _SCORES)
    now = [s.selection.thresholds.score for s in (a, b)]
    charts.show(
        differences.agreement(_SCORES, f1, now[0]),
        "agreement",
        "F1 between the two models by score threshold",
    )
    mark = "" if now[0] == now[1] else f" The mark is at the threshold of {a.side.title}."
    st.caption(
        "F1 between the two models while one score threshold for both rises. Where both "
        f"keep nothing, they agree.{mark}"
    )


def _joints(a: JudgedColumn, b: JudgedColumn, comparison: BoxComparison) -> None:
    """How far the joints of every person that both found are apart."""
    matched = comparison.of("both")
    if not matched:
        st.info("No person was found by both.", icon=":material/person_off:")
        return
    joints_a, joints_b = a.made.keypoints, b.made.keypoints
    assert joints_a is not None and joints_b is not None
    made = between(a.column, b.column)["joints"]
    people = {
        f"person {n}, OKS {person['oks']:.2f}" if person["oks"] is not None else f"person {n}": {
            name.replace("_", " "): far for name, far in person["distances"].items()
        }
        for n, person in enumerate(made["persons"], 1)
    }
    st.dataframe(pd.DataFrame(people).style.format("{:.3f}"), width="stretch", key="joints")
    alone = sorted(set(joints_a.names) ^ set(joints_b.names))
    st.caption(
        "Distance of each joint in units of the root of the box's area; OKS is COCO's object "
        f"keypoint similarity of one against the other. Both know {len(made['shared'])} joints"
        + (f"; only one knows {', '.join(n.replace('_', ' ') for n in alone)}." if alone else ".")
    )


def _truth(photo: Photo, shown: Sequence[JudgedColumn], there: Truth | None) -> None:
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.caption("Press “Draw true boxes” above the pictures, then drag boxes on any of them.")
        truth.edit(photo)
    with right:
        if there is None:
            st.info(
                "Draw the true boxes to score the models.",
                icon=":material/fact_check:",
            )
            return
        made = [curve(at_any_score(s.column), there) for s in shown]
        now = [judge(s.kept, there, rule="voc") for s in shown]
        points = [(n.recall, n.precision) for n in now]
        charts.show(
            differences.precision_recall(
                [
                    f"{s.side.title}, AP (Pascal VOC 2010) {c.average_precision:.2f}"
                    for s, c in zip(shown, made, strict=True)
                ],
                [(c.recall, c.precision) for c in made],
                points,
            ),
            "pr",
            "Precision by recall",
        )
        st.caption(
            "IoU 0.5, matched by Pascal VOC's rule: a detection whose best true box is taken is "
            "false. The points are the present thresholds. AP (Pascal VOC 2010) is the area under "
            "the curve of this one photo; it pools the classes: all are in one list, while a data "
            "set's AP is the mean over its classes."
        )


def _picture(photo: Photo, shown: JudgedColumn) -> np.ndarray:
    return figures.draw(
        photo, shown.selection, masks=shown.made.masks, keypoints=shown.made.keypoints
    )


def _best(shown: Sequence[JudgedColumn], made: Made) -> dict[str, int]:
    """The candidate to explain by letter: the picked one, else the best."""
    found = {s.side.letter: int(s.kept.candidate[0]) for s in shown if len(s.kept)}
    return {**found, **partners(shown, made)}
