"""What can be seen of a network that learns: filters, maps of a picture, confusion."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from pages.shared import charts, shell, state, tile_view
from pages.shared.plain import plain
from vision_core.figures import teaching as figures
from vision_core.figures import teaching_svg
from vision_core.figures.charts import class_distribution
from vision_core.figures.encode import data_url, png
from vision_core.figures.tiles import sheet
from vision_core.teaching.data import LearningSet
from vision_core.teaching.looks import activations, confusion, first_filters
from vision_core.teaching.network import PlainNet
from vision_core.teaching.run import LearningRun

_FRAME = 150
_MOST_TILES = 32
_MOST_BEHIND = 24


def tiles(pictures: np.ndarray, what: str, columns: int = 8, side: int = 64) -> None:
    """Small pictures in rows as one picture; ``what`` they are is told to who does not see them."""
    times = max(1, side // max(pictures.shape[1:3]))
    large = pictures.repeat(times, 1).repeat(times, 2)
    # A frame, since white is a value of its own.
    framed = np.pad(large, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=_FRAME)
    made = sheet(framed, columns, 1)
    wide = made.picture.shape[1]
    st.html(
        f"<img src='{data_url(png(made.picture), 'png')}' alt='{escape(what, quote=True)}' "
        f"style='width: 100%; max-width: {wide}px; image-rendering: pixelated; display: block'>"
    )


def examples(data: LearningSet) -> None:
    """Some pictures of the training part, as many of each class."""
    each = max(1, 20 // len(data.classes))
    own = [data.training[data.labels[data.training] == c][:each] for c in range(len(data.classes))]
    shown = np.concatenate(own)
    names = ", ".join(data.classes)
    tiles(data.pixels[shown], f"{len(shown)} pictures of {names}", 10, 72)


def _scale() -> float:
    """Of pictures that stand in for charts: as these grow before a lecture hall."""
    return charts.LARGER if shell.presenting() else 1


def curves(tracks: list[figures.Track], value: str, running: bool, key: str) -> None:
    """Loss or accuracy of some runs, drawn so that it does not flash while they learn."""
    if running:
        st.html(teaching_svg.curves(tracks, value, _scale()))
    else:
        charts.show(figures.curves(tracks, value), key, f"{value.capitalize()} by epoch")


def first_layer(run: LearningRun) -> None:
    """The filters of the first convolution."""
    weights = first_filters(run.network)
    k, channels, tall, wide = weights.shape
    st.markdown(f"**Filters of the first layer** ({k} of {tall}x{wide})")
    shown = figures.filter_tiles(weights)[:_MOST_TILES]
    tiles(shown, f"{k} filters", columns=4, side=48)
    st.caption(
        "Vermilion: positive; blue: negative; white: 0."
        if channels == 1
        else "Weights for red, green and blue as colours; grey: 0."
    )


def of_picture(run: LearningRun, chosen: int, running: bool) -> None:
    """A picture, what the network says of it, and what each layer makes of it."""
    data = run.data
    assert isinstance(run.network, PlainNet)
    left, middle, right = st.columns([1, 2, 3.4], gap="medium")
    with left:
        name = data.classes[data.labels[chosen]]
        tiles(data.pixels[chosen : chosen + 1], f"The picture: {name}", 1, 160)
        st.caption(f"It is: {plain(name)}")
    with middle:
        told = run.probabilities(np.array([chosen]))[0]
        order = np.argsort(-np.nan_to_num(told))
        pairs = [(data.classes[i], float(np.nan_to_num(told[i]))) for i in order]
        if running:
            st.html(teaching_svg.bars(pairs, scale=_scale()))
        else:
            bars = class_distribution(pairs, top=5).update_yaxes(type="category")
            charts.show(bars, "learn_says", "What the network says of it")
    with right:
        for title, maps in activations(run.network, data.pictures[chosen]):
            count, tall, wide = maps.shape
            st.caption(f"{title}, behind its ReLU: {count} maps of {tall}x{wide}")
            shown = figures.map_tiles(maps)[:_MOST_TILES]
            tiles(shown, f"{title}: {count} maps", columns=16, side=40)


def confusions(run: LearningRun, cell: str, running: bool) -> tuple[str, int | None]:
    """The confusion matrix of the validation part, and the pictures behind a cell.

    Args:
        run: what learned.
        cell: ``true-said``, two indices of classes; empty for none.

    Returns:
        the cell after this drawing, and the index of a picture that was clicked just now.
    """
    data = run.data
    said = run.probabilities(data.validation).argmax(1)
    labels = data.labels[data.validation]
    matrix = confusion(said, labels, len(data.classes))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.markdown("**Confusion matrix** of the validation part: click a cell")
        if running:
            st.html(teaching_svg.matrix(matrix, data.classes, _scale()))
        else:
            cell = _clicked(matrix, data, cell)
    with right:
        clicked = _behind(data, said, cell, matrix)
    return cell, clicked


def _clicked(matrix: np.ndarray, data: LearningSet, cell: str) -> str:
    """Draw the matrix; the cell that was clicked just now, or else the one before."""
    event = charts.show(
        figures.confusion(matrix, data.classes),
        "learn_confusion",
        "Confusion matrix",
        on_select="rerun",
        selection_mode="points",
    )
    points = list(event["selection"]["point_indices"]) if event else []
    seen = st.session_state.get("_seen_confusion")
    st.session_state["_seen_confusion"] = points
    if not points or points == seen:
        return cell
    return "-".join(str(n) for n in divmod(int(points[0]), len(data.classes)))


def _behind(data: LearningSet, said: np.ndarray, cell: str, matrix: np.ndarray) -> int | None:
    """The pictures of a cell; returns the one that was clicked just now."""
    if not cell:
        wrong = int(matrix.sum() - matrix.trace())
        st.caption(f"{wrong} of {matrix.sum()} are wrong. A click shows the pictures of a cell.")
        return None
    true, best = (int(part) for part in cell.split("-"))
    labels = data.labels[data.validation]
    found = data.validation[(labels == true) & (said == best)]
    names = plain(data.classes[true]), plain(data.classes[best])
    st.markdown(f"**{names[0]}** taken for **{names[1]}**: {len(found)}")
    if not len(found):
        return None
    shown = found[:_MOST_BEHIND]
    words = [f"{data.classes[true]}, picture {n}" for n in shown]
    ids = [int(n) for n in shown]
    now = int(st.session_state["seen"])
    clicked = tile_view.show(
        "learn_behind", data.pixels[shown], words, ids, now, 6, "pictures of the cell", 0.3
    )
    if len(found) > _MOST_BEHIND:
        st.caption(f"The first {_MOST_BEHIND} of them.")
    return clicked


def cell_of(classes: int) -> state.Field:
    """The field of the chosen cell."""

    def parse(text: str) -> str:
        parts = text.split("-")
        if len(parts) != 2 or not all(p.isdecimal() and int(p) < classes for p in parts):
            raise ValueError("two classes as true-said, counted from 0")
        return text

    return state.Field("cell", "", parse)
