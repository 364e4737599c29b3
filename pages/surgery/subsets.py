"""All subsets of the residual blocks: told what they cost, run step by step, ranked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import charts, engine, state
from pages.shared.plain import plain
from pages.shared.runs import Runs
from pages.surgery import dials
from vision_core.figures import surgery as figures
from vision_core.images import Photo
from vision_core.inference.cache import ByteLRU
from vision_core.models import Model
from vision_core.records import Prediction
from vision_core.surgery.parts import blocks_of
from vision_core.surgery.unravel import (
    MOST_BLOCKS,
    Subset,
    by_depth,
    meaning,
    passes,
    ranked,
    target,
    unravel,
    usual,
)

Found = tuple[Subset, ...]
_EACH_BYTES = 400
_STEPS = 50  # redrawings of the bar at most


@st.cache_resource(show_spinner=False)
def _done() -> ByteLRU[Found]:
    """Subsets that were run to the end, for everybody."""
    return ByteLRU(16 * 2**20, lambda found: _EACH_BYTES * len(found), "subsets of blocks")


@st.cache_resource(show_spinner=False)
def _runs() -> Runs[Found]:
    return Runs()


def fields(model: Model) -> tuple[state.Field, ...]:
    """The blocks whose subsets are run; none for a network without blocks."""
    blocks = [block.name for block in blocks_of(model.module)]
    chosen = state.Field("path_blocks", list(usual(model)), state.some_of(blocks), ",".join)
    return (chosen,) if blocks else ()


def show(model: Model, photo: Photo, whole: Prediction) -> None:
    """The blocks and the cost; after the button a bar, then the ranking.

    Args:
        model: the untouched network; the dials do not count here.
        photo: the photo.
        whole: what the untouched network says.
    """
    blocks = [block.name for block in blocks_of(model.module)]
    if not blocks:
        st.info(
            "This network has no residual blocks to skip; choose resnet_s.", icon=":material/block:"
        )
        return
    words = dials.shortened(blocks)
    st.multiselect(
        "Blocks whose subsets are run",
        blocks,
        key="path_blocks",
        format_func=words.__getitem__,
        max_selections=MOST_BLOCKS,
        help="At first those whose shortcut hands on its input as it is. The dials above do not "
        "count here: every subset starts from the untouched network.",
    )
    names = tuple(name for name in blocks if name in st.session_state["path_blocks"])
    if not names:
        st.caption("Choose a block.")
        return
    label = target(whole, None)
    key = (*engine.key_of(model, photo), names)
    found = _done().get(key)
    if found is None:
        found = _ask(model, photo, whole, names, key)
    if found is not None:
        _ranking(found, meaning(model, label), words)


def _ask(
    model: Model, photo: Photo, whole: Prediction, names: tuple[str, ...], key: Any
) -> Found | None:
    """The button with the cost; while it runs, a bar and a way to stop."""
    count = passes(len(names))
    each = sum(whole.trace.info.timing_ms.values()) / 1000
    if st.session_state.get("_paths_on") != key:
        row = st.container(horizontal=True, gap="small", vertical_alignment="center")
        row.button(
            f"Run all {count:,} subsets",
            key="paths_start",
            type="primary",
            icon=":material/account_tree:",
            on_click=_start,
            args=(key,),
        )
        row.caption(
            f"{count:,} passes of the network, about {max(1, round(count * each))} s; you can stop."
        )
        return None
    place = st.empty()
    with place.container():
        st.button("Stop", key="paths_stop", icon=":material/stop:", on_click=_start, args=(None,))
        bar = st.progress(0.0, text=f"0 of {count:,}")
    found: Found = ()
    drawn = 0
    try:
        for found in _runs().follow(key, lambda: _steps(model, photo, names, key)):
            if len(found) - drawn >= max(1, count // _STEPS):
                drawn = len(found)
                bar.progress(drawn / count, text=f"{drawn:,} of {count:,}")
    except Exception:
        _start(None)  # or every later run of the page would fail again
        raise
    _start(None)
    place.empty()
    return found


def _start(key: Any) -> None:
    st.session_state["_paths_on"] = key


def _steps(model: Model, photo: Photo, names: tuple[str, ...], key: Any) -> Iterator[Found]:
    """More and more subsets; all of them are kept for everybody."""
    found: list[Subset] = []
    count = passes(len(names))
    for one in unravel(model, photo, names):
        found.append(one)
        if len(found) == count:
            _done().put(key, tuple(found))
        yield tuple(found)


def _ranking(found: Found, value: str, words: dict[str, str]) -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        points = [(len(one.skipped), one.value) for one in found]
        middle = [(skipped, median) for skipped, _, median, _ in by_depth(found)]
        charts.show(
            figures.by_depth(points, middle, value),
            "subsets_chart",
            f"The {value} by the number of skipped blocks",
        )
    with right:
        rows = [
            {
                "skipped": ", ".join(words[name] for name in one.skipped) or "nothing",
                "value": one.value,
                **({"says": one.top} if one.top else {}),
            }
            for one in ranked(found)
        ]
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            width="stretch",
            key="subsets_rows",
            height=300,
            column_config={"value": st.column_config.NumberColumn(format="%.3f", width="small")},
        )
    whole = found[0]
    better = sum(one.value > whole.value for one in found)
    st.caption(
        f"Ranked by the {plain(value)}. The whole network has {whole.value:.3f}; {better} of "
        f"{len(found) - 1:,} shorter networks have more. Each skipped block halves the number of "
        "paths through the network."
    )
