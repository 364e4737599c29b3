"""Two models or two methods on one signed scale, and where their maps differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from pages.compare.sides import Side
from pages.shared import charts, maps, targets
from pages.shared.guard import guarded
from pages.shared.map_words import SCALES
from vision_core import methods
from vision_core.attribution import Attribution, Target
from vision_core.attribution.sanity import similarity
from vision_core.figures.saliency import MapPanel, over_photo, own_limit, panels, signed_colours
from vision_core.images import Photo
from vision_core.inference import ClassificationTrace, DetectionTrace
from vision_core.labels import comparable
from vision_core.records.targets import BoxTarget, ClassTarget

_OVER = 0.85  # how much of a map covers the photo


def show(photo: Photo, sides: Sequence[Side], candidates: Mapping[str, int] | None = None) -> None:
    """Two maps, their difference, and the rank correlation.

    Args:
        photo: the photo.
        sides: to choose from, each with a result.
        candidates: of detectors, the box that is explained, by letter.
    """
    by_letter = {s.letter: s for s in sides}
    chosen = [_choose(place, by_letter, at) for at, place in enumerate(st.columns(2, gap="medium"))]
    with guarded("comparing the maps"):
        first = _target(chosen[0][0], candidates or {}, None)
        second = _target(chosen[1][0], candidates or {}, first)
        with st.spinner("Computing the two maps …"):
            made = [
                _map(photo, side, target, method)
                for (side, method), target in zip(chosen, (first, second), strict=True)
            ]
        said = [
            targets.in_words(side.trace, target) if side.trace else ""
            for (side, _), target in zip(chosen, (first, second), strict=True)
        ]
        _charts(photo, chosen, made, said)


def _choose(
    place: st.delta_generator.DeltaGenerator, sides: Mapping[str, Side], at: int
) -> tuple[Side, str]:
    letters = list(sides)
    with place:
        key = f"map_side_{at}"
        if st.session_state.get(key) not in letters:
            st.session_state[key] = letters[at % len(letters)]
        left, right = st.columns(2)
        letter = left.selectbox(
            "Model" + " " * at, letters, key=key, format_func=lambda k: sides[k].title
        )
        quick = [method.name for method in methods.every() if not method.in_parts]
        method = right.selectbox(
            "Method" + " " * at,
            quick,
            key=f"map_method_{at}",
            index=quick.index("gradcam"),
            format_func=lambda name: methods.method(name).title,
        )
    return sides[letter], method


def _target(side: Side, candidates: Mapping[str, int], like: Target | None) -> Target:
    """What is explained: the picked or best box; the class of the other side if both know it."""
    trace = side.trace
    assert trace is not None
    if isinstance(trace, DetectionTrace) and side.letter in candidates:
        return BoxTarget(candidates[side.letter])
    if isinstance(trace, ClassificationTrace) and isinstance(like, ClassTarget):
        same = [n for n in trace.info.labels if comparable(n) == comparable(like.label)]
        if same:
            return ClassTarget(same[0])
    return targets.default(trace)


def _map(photo: Photo, side: Side, target: Target, method: str) -> Attribution:
    assert side.model is not None and side.trace is not None
    if methods.method(method).layered:
        return maps.film_strip(side.model, photo, side.trace, target, method, [])[0]
    return maps.of(side.model, photo, side.trace, target, method, {}, lambda *_: None)


def _charts(
    photo: Photo,
    chosen: Sequence[tuple[Side, str]],
    made: Sequence[Attribution],
    said: Sequence[str],
) -> None:
    scale = _scale(made)
    shares = [a.signed / limit if limit else a.signed for a, limit in zip(made, scale, strict=True)]
    difference = np.asarray(shares[0] - shares[1])
    shown = [
        MapPanel(
            f"{side.letter.upper()}, {methods.method(a.method).title}",
            over_photo(photo, signed_colours(a.signed, limit), _OVER),
            limit,
            words,
        )
        for (side, _), a, limit, words in zip(chosen, made, scale, said, strict=True)
    ]
    names = " - ".join(side.letter.upper() for side, _ in chosen)
    limit = own_limit(difference)
    shown.append(
        MapPanel(
            f"Difference {names}",
            over_photo(photo, signed_colours(difference, limit), _OVER),
            limit,
        )
    )
    height = int(min(max(330 * photo.height / photo.width + 50, 190), 420))
    alike = similarity(made[0].signed, made[1].signed)
    charts.show(
        panels(shown, 3, height),
        "map_difference",
        f"Two maps and their difference, rank correlation {alike.signed:.2f}",
        config=charts.ZOOMS,
    )
    left, right, words = st.columns([1, 1, 3])
    left.metric("Rank correlation, signed", f"{alike.signed:.2f}")
    right.metric("of the magnitudes", f"{alike.absolute:.2f}")
    words.caption(
        "Orange raises the score, blue lowers it. Difference = left - right, each map divided by "
        "its scale. Rank correlation (Spearman): 1 is the same order of all pixels, 0 no relation."
    )


def _scale(made: Sequence[Attribution]) -> list[float]:
    """The end of the scale of each map; one for both where they measure the same thing."""
    limits = [own_limit(a.signed) for a in made]
    same = (
        made[0].method == made[1].method
        and st.segmented_control(
            "Scale",
            ("own", "same"),
            default="own",
            key="map_scale",
            required=True,
            format_func=SCALES.__getitem__,
            help="Scores of two networks need not mean the same. Separate: each map reaches the "
            "full colour.",
        )
        == "same"
    )
    return [max(limits)] * 2 if same else limits
