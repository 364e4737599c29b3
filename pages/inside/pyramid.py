"""Section "Pyramid": every feature map as a picture, and which of them serves a box."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pandas as pd
import streamlit as st

from pages.components.canvas import Overlay
from pages.inside.parts import DASHED, SOLID, Asked, OnPhoto, map_picture
from pages.shared import charts
from vision_core.figures.colours import OUTPUT
from vision_core.figures.encode import indexed_png
from vision_core.figures.saliency import MapPanel, own_limit, panels, signed_colours
from vision_core.inside.anchors import describe
from vision_core.inside.coordinates import follow
from vision_core.inside.levels import Served, served
from vision_core.inside.opened import Level, Opened, network_boxes
from vision_core.inside.pictures import cells, level_values, strongest_channels

_MOST_CELLS = 2500
"""Cells drawn as a grid on the photo; a finer grid would cover it."""
_SHADES = 24
"""Steps of a veil's colour on each side of zero."""
_LEVEL = 6
"""Compression of a veil."""
_SHOWN = 240
"""Longest side of a map among all levels, about as large as it is shown."""
_RULES = {
    "mapper": "The level follows from the size of the box (Lin et al. 2017, equation 1).",
    "ranges": "A level serves the boxes whose largest distance l, t, r or b from the point lies in "
    "its range (Tian et al. 2020).",
    "anchors": "There is no rule for sizes: the level whose anchor has the greatest IoU serves.",
    "one": "There is one map for boxes of every size.",
}


def show(asked: Asked) -> OnPhoto:
    """Maps, the chosen level's grid, and the level that serves the box."""
    here = asked.here
    level = pick_level(here)
    channel = _channel(here, level)
    names = [f"level {one.name}" for one in here.levels]
    maps = [level_values(here, one, channel) for one in here.levels]
    small = [_small(values) for values in maps]
    what = "mean of all channels" if channel is None else f"channel {channel}"
    tall, wide = map_picture(small[0]).shape[:2]
    charts.show(
        panels(
            [
                MapPanel(
                    f"{name}: {values.shape[1]} x {values.shape[0]}",
                    cv2.resize(map_picture(drawn), (wide, tall), interpolation=cv2.INTER_NEAREST),
                    own_limit(values),
                )
                for name, values, drawn in zip(names, maps, small, strict=True)
            ],
            min(2, len(maps)),
            210,
            brief=True,
        ),
        "inside_levels",
        f"Every level of the feature pyramid, {what}",
    )
    box = asked.box or _best_box(asked)
    found = served(here, network_boxes(here, np.array([box]))[0])
    _table(here, found)
    grid = cells(here, level)
    if len(grid) > _MOST_CELLS:
        st.caption(f"The {len(grid):,} cells of this level are too fine to be drawn as a grid.")
    return OnPhoto(
        [list(box)],
        ["the box" if asked.box else "box of the best anchor"],
        [OUTPUT],
        [SOLID if asked.box else DASHED],
        f"{names[level.index]}, {what}, over the photo, and a box",
        crowd=grid.astype(np.float32) if len(grid) <= _MOST_CELLS else None,
        overlay=_overlay(here, level, channel),
    )


def pick_level(here: Opened) -> Level:
    """The level that is laid over the photo."""
    last = len(here.levels) - 1
    st.session_state["level"] = min(int(st.session_state["level"]), last)
    if last:
        st.segmented_control(
            "Level on the photo",
            range(last + 1),
            key="level",
            required=True,
            format_func=lambda i: f"{here.levels[i].name} (stride {here.levels[i].stride[0]:g})",
        )
    return here.levels[int(st.session_state["level"])]


def _channel(here: Opened, level: Level) -> int | None:
    """The channel that is shown; ``None`` for the mean of all."""
    most = min(one.channels for one in here.levels)
    strongest = [c for c in strongest_channels(here, level) if c < most]
    chosen = int(st.session_state["map_channel"])
    if chosen >= most:
        st.session_state["map_channel"] = chosen = -1
    options = [-1, *strongest] + ([chosen] if chosen not in (-1, *strongest) else [])
    st.selectbox(
        "Channel (the strongest of this level)",
        options,
        key="map_channel",
        format_func=lambda c: "mean of all channels" if c < 0 else f"channel {c}",
    )
    return None if chosen < 0 else chosen


def _best_box(asked: Asked) -> tuple[float, ...]:
    """What the network made of the best anchor at the place."""
    place = follow(asked.here, *asked.at)
    found = [a for at in place.levels for a in describe(asked.here, at.anchors)]
    best = max(found, key=lambda a: a.score)
    x1, y1, x2, y2 = best.box
    # one that was clipped to a line still has a size for the rule
    return x1, y1, max(x2, x1 + 1.0), max(y2, y1 + 1.0)


def _table(here: Opened, found: Served) -> None:
    st.markdown(_RULES[found.rule] + " Drag a box on the photo to ask for its level.")
    if found.terms:
        st.code("\n".join(str(term) for term in found.terms), language=None)
    if found.rule == "one":
        return
    anchors = found.rule == "anchors"
    unit = "largest distance" if found.rule == "ranges" else "sqrt(w h)"
    st.dataframe(
        pd.DataFrame(
            [
                {"level": row.name, "serves": row.serves, "best IoU": row.low}
                if anchors
                else {
                    "level": row.name,
                    "serves": row.serves,
                    f"{unit} from": f"{row.low:g}",
                    "to": "any" if math.isinf(row.high) else f"{row.high:g}",
                }
                for row in found.rows
            ]
        ),
        hide_index=True,
        width="stretch",
    )
    if not found.levels:
        st.caption("No level serves a box of this size.")


def _overlay(here: Opened, level: Level, channel: int | None) -> Overlay:
    """The level's map over the photo, half transparent."""
    name = f"{here.trace.info.id}-{level.index}-{channel}"
    return Overlay(f"level-{name}", lambda: veil(here, level, level_values(here, level, channel)))


def veil(here: Opened, level: Level, values: np.ndarray, limit: float | None = None) -> bytes:
    """A map at the photo's place as a PNG file: the colour's strength is its opacity.

    Args:
        here: the opened detector.
        level: whose cells the values belong to.
        values: float [rows, columns], without the padding.
        limit: the magnitude with the full colour; the map's own where left out.
    """
    width, height = here.trace.info.network_size
    limit = own_limit(values) if limit is None else limit
    share = np.clip(values / limit, -1, 1) if limit > 0 else np.zeros_like(values)
    ids = np.round((np.nan_to_num(share) + 1) * _SHADES).astype(np.uint8)
    reach = (round(level.stride[0] * values.shape[1]), round(level.stride[1] * values.shape[0]))
    whole = cv2.resize(ids, reach, interpolation=cv2.INTER_NEAREST)
    return indexed_png(np.ascontiguousarray(whole[:height, :width]), _shades(), _LEVEL)


def _shades() -> np.ndarray:
    """The colours of a veil, uint8 [256, 4]."""
    share = np.clip(np.arange(256) / _SHADES - 1, -1, 1)
    opacity = (40 + 170 * np.abs(share)).astype(np.uint8)
    return np.dstack([signed_colours(share[None], 1.0), opacity[None]])[0]


def _small(values: np.ndarray) -> np.ndarray:
    """A map no larger than it is shown, so that a fine one is not sent cell by cell."""
    rows, columns = values.shape
    times = _SHOWN / max(rows, columns)
    if times >= 1:
        return values
    size = (max(1, round(columns * times)), max(1, round(rows * times)))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA))
