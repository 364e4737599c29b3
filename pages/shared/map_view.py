"""Maps as pictures beside the photo: scales, titles, remarks, downloads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.components import canvas
from pages.shared import charts, growing, map_area, shell, state, stills, targets
from pages.shared.growing import MapSlot
from pages.shared.map_words import in_words, remarks
from vision_core import methods
from vision_core.attribution import Attribution, Target
from vision_core.attribution.words import meaning, quantity
from vision_core.figures import jpeg
from vision_core.figures.colours import NEGATIVE, POSITIVE, class_colour
from vision_core.figures.encode import data_url
from vision_core.figures.saliency import (
    Encoded,
    MapPanel,
    by_colour,
    encoded,
    over_photo,
    own_limit,
    panels,
    scale_words,
    signed_colours,
)
from vision_core.images import Photo
from vision_core.inference import DetectionTrace, Trace
from vision_core.inference.cache import ByteLRU
from vision_core.records.targets import BoxTarget, JointTarget

_STILL = 720
"""Pixels of the longer side of a map that is still growing, at most."""


def pictures(
    photo: Photo,
    trace: Trace,
    target: Target,
    places: list[MapSlot],
    told: list[str],
    below: Callable[[list[Attribution]], None] | None = None,
) -> list[Attribution]:
    """The photo with what is explained, and the maps with linked zoom.

    Args:
        photo: the photo.
        trace: what the network said of it.
        target: what is explained.
        places: of the maps; those that are still to be made grow before the reader's eyes.
        told: gets a sentence for each method that failed on the way.
        below: draws what belongs below the maps, given them; the rows are low then.

    Returns:
        the maps.
    """
    left, right = st.columns([2, 5], gap="medium")
    with left:
        canvas.picture(
            photo,
            scene(photo, trace, target),
            key="explained",
            present=shell.presenting(),
            tallest="20rem",
            on_pick=lambda pick: picked(trace, pick),
        )
        said = targets.in_words(trace, target)
        words = f"{quantity(target)} of {said}"
        score = _metric(st, words, places)
        if meant := meaning(target, trace):
            st.caption(meant)
        if isinstance(trace, DetectionTrace):
            st.caption("Click a box to explain it.")
    with right:
        home = map_area.area(photo, max(len(places), 1), "maps")
        grown = Stills(photo, left, lambda: _metric(score, words, places), home)
        if any(place.steps is not None for place in places):
            told += growing.grow(places, grown.show, grown.tell)
            _metric(score, words, places)
        found = [place.map for place in places if place.map is not None]
        if found:
            chart(photo, found, "maps", grown.at)
            if below is not None:
                below(found)
            grown.done(LEGEND + hidden([in_words(a) for a in found]))
        else:
            grown.at.info("Choose at least one method.", icon=":material/tune:")
            grown.done("")
        for sentence in dict.fromkeys(s for a in found for s in remarks(a, said)):
            st.caption(sentence)
    return found


class Stills:
    """Maps of which some are still growing, drawn where the script is when they are first shown.

    Args:
        photo: the photo.
        aside: where something may stand that nobody sees.
        also: is called whenever the maps are drawn.
        home: the place for the maps and nothing else.

    Attributes:
        at: the place of the chart.
    """

    def __init__(
        self,
        photo: Photo,
        aside: Any = None,
        also: Callable[[], Any] = lambda: None,
        home: Any = st,
    ) -> None:
        step = max(1, -(-max(photo.width, photo.height) // _STILL))
        self._photo, self._aside, self._also = photo, aside, also
        self._loader: Any = None
        # no st.empty: it would clear what stands there from the last run before it is filled
        self.at: Any = home
        self._home = home
        self._below: Any = st
        self._part = (slice(None, None, step),) * 2
        self._small = replace(photo, pixels=np.ascontiguousarray(photo.pixels[self._part]))
        self._thumbs: dict[Attribution, Attribution] = {}
        self._drawn: dict[tuple[Attribution, float], str] = {}

    def show(self, places: list[MapSlot]) -> None:
        """Draw all the places."""
        maps = [place.map for place in places if place.map is not None]
        self._thumbs = {
            a: self._thumbs.get(a) or replace(a, values=a.values[self._part]) for a in maps
        }
        limits = dict(zip(maps, _limits(list(self._thumbs.values())), strict=True))
        self._drawn = {(a, v): self._url(a, v) for a, v in limits.items()}
        shown = []
        for place in places:
            a = place.map
            note, url = place.words, ""
            if a is not None:
                scale = scale_words(limits[a], map_area.two_rows())
                note = ", ".join(filter(None, (_layer(a), place.words, scale)))
                url = self._drawn[a, limits[a]]
            shown.append(stills.Still(place.title, note, url))
        if shown:
            html = stills.grid(shown, map_area.columns(self._photo, len(shown)), map_area.ROW)
            self.at = _filled(self.at, html, self._home)
        if self._aside is not None and any(place.map and place.words for place in places):
            # at the first partial map, when the style that hides it is surely there
            self._loader = self._aside.plotly_chart(
                go.Figure(), key=stills.LOADER, alt="Nothing yet"
            )
            self._aside = None
        self._also()

    def tell(self, words: str, share: float) -> None:
        """Say how far it is; one who moved a control meanwhile is let go here."""
        line = stills.progress(words, share)
        html = f"<div style='position: relative'>{LEGEND}{line}</div>"
        self._below = _filled(self._below, html, st)

    def done(self, below: str) -> None:
        """Leave the legend alone, or nothing."""
        if self._loader is not None:
            self._loader.empty()
        if below:
            self._below.html(below)
        elif self._below is not st:
            self._below.empty()

    def _url(self, a: Attribution, limit: float) -> str:
        if (a, limit) in self._drawn:
            return self._drawn[a, limit]
        drawn = _picture(self._small, self._thumbs[a], limit)
        picture = replace(self._small, pixels=drawn)
        return data_url(jpeg(picture), "jpeg")


def _filled(at: Any, html: str, home: Any) -> Any:
    """Put HTML into a home of elements, or into the place of one; returns the place."""
    made = at.html(html)
    return made if at is home else at


def _metric(at: Any, words: str, places: list[MapSlot]) -> Any:
    """The number that is explained, as soon as a map tells it; returns its place."""
    scores = [f"{place.map.score:.3f}" for place in places if place.map is not None]
    if places:
        made = at.metric(words, scores[0] if scores else "…")
        return made if at is st else at
    if at is not st:
        at.empty()
    return at


LEGEND = (
    f"<div class='quiet'><span style='color:{POSITIVE}'>■</span> raises the score &nbsp; "
    f"<span style='color:{NEGATIVE}'>■</span> lowers it &nbsp; white: no effect, or not seen</div>"
)


def hidden(sentences: list[str]) -> str:
    """Sentences for those who do not see the pictures, as HTML that takes no room."""
    return f"<p class='unseen'>{escape(' '.join(sentences))}</p>"


def chart(photo: Photo, found: list[Attribution], key: str, at: Any = st) -> None:
    """The maps on their scales, zoom and pan linked."""
    shown = [
        MapPanel(methods.method(a.method).title, _file(photo, a, limit), limit, _layer(a))
        for a, limit in zip(found, _limits(found), strict=True)
    ]
    figure = panels(shown, map_area.columns(photo, len(shown)), map_area.ROW, map_area.two_rows())
    what = "Maps of what raises or lowers the score. " + " ".join(in_words(a) for a in found)
    charts.show(figure, key, what.rstrip("."), at=at, config=charts.ZOOMS, height="stretch")


def _layer(a: Attribution) -> str:
    """The layer of a map for the words above it: its last parts where there is little room."""
    name = str(a.settings.get("layer", ""))
    return f"…{name[-14:]}" if map_area.two_rows() and len(name) > 15 else name


def scene(photo: Photo, trace: Trace, target: Target) -> canvas.Scene:
    """The detections on the photo, the explained one with a full outline."""
    said = targets.in_words(trace, target)
    if not isinstance(trace, DetectionTrace):
        return canvas.Scene(description=f"{photo.name}, explained for {said}.")
    found = targets.boxes(trace)
    chosen = getattr(target, "candidate", -1)
    ids = [int(c) for c in found.candidate]
    dashes: list[tuple[int, ...]] = [() if i == chosen else (3, 2) for i in ids]
    return canvas.Scene(
        boxes=np.round(found.boxes, 1).tolist(),
        ids=ids,
        labels=list(found.labels),
        scores=found.scores.round(3).tolist(),
        dashes=dashes,
        colours=[class_colour(n) for n in found.labels],
        description=f"{photo.name} with {len(ids)} detections; explained is {said}.",
    )


def picked(trace: Trace, pick: dict[str, int]) -> None:
    """Explain the box that was clicked."""
    at = pick.get("id", -1)
    if at < 0 or not isinstance(trace, DetectionTrace):
        return
    now = targets.chosen(trace)
    state.put(
        "target",
        str(
            JointTarget(at, now.joint)
            if isinstance(now, JointTarget)
            else BoxTarget(at, getattr(now, "part", "score"))
        ),
    )


def _limits(found: list[Attribution]) -> list[float]:
    """The end of each map's scale; on one scale are only maps of one unit."""
    limits = [own_limit(a.signed) for a in found]
    if st.session_state["scale"] == "own":
        return limits
    return [
        max(v for v, b in zip(limits, found, strict=True) if _unit(b) == _unit(a)) for a in found
    ]


def _picture(photo: Photo, a: Attribution, limit: float) -> np.ndarray:
    if a.values.ndim == 3 and st.session_state["show"] == "colour":
        drawn = by_colour(a.values, own_limit(a.values))
    else:
        drawn = signed_colours(a.signed, limit)
    return over_photo(photo, drawn, float(st.session_state["over"]))


@st.cache_resource(show_spinner=False)
def _files() -> ByteLRU[Encoded]:
    """Maps as files, for all readers: a class looks at the same ones, and moves other controls."""
    return ByteLRU(64 * 2**20, lambda file: len(file.url), "drawn maps")


def _file(photo: Photo, a: Attribution, limit: float) -> Encoded:
    values = hashlib.blake2b(a.values.tobytes()).digest()
    key = (photo.sha256, values, limit, *(st.session_state[name] for name in ("show", "over")))
    return _files().get_or_make(key, lambda: encoded(_picture(photo, a, limit)))


def _unit(a: Attribution) -> str:
    return methods.method(a.method).unit
