"""All subsets of the residual blocks: told what they cost, run step by step, ranked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import charts, engine, state
from pages.shared.plain import plain
from pages.shared.runs import Runs
from pages.surgery import dials
from vision_core import samples
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
    positions,
    ranked,
    target,
    unravel,
    unravel_known,
    usual,
)

Found = tuple[Subset, ...]
_RANKED = {"photo": "This photo", "samples": "Sample photos"}
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
    return (chosen, state.Field("path_rank", "photo", state.one_of(_RANKED))) if blocks else ()


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
    known = _known(model) if _on_samples(model) else []
    key = (*engine.key_of(model, photo), names) if not known else (model.fingerprint, names)
    found = _done().get(key)
    if found is None:
        each = sum(whole.trace.info.timing_ms.values()) / 1000 * max(1, len(known))
        steps = (
            partial(unravel_known, model, known, names)
            if known
            else partial(unravel, model, photo, names)
        )
        found = _ask(steps, passes(len(names)), each, max(1, len(known)), key)
    if found is not None:
        value = (
            f"share of the {len(known)} sample photos whose class is right"
            if known
            else _value(model, whole)
        )
        _ranking(found, value, words)


def _value(model: Model, whole: Prediction) -> str:
    return meaning(model, target(whole, None))


def _on_samples(model: Model) -> bool:
    """Whether the subsets are ranked by how often they are right; asked of classifiers only."""
    if model.card.task != "classification":
        return False
    st.segmented_control(
        "Ranked on",
        list(_RANKED),
        key="path_rank",
        required=True,
        format_func=_RANKED.__getitem__,
        help="This photo: by the probability of the class that the whole network gives. Sample "
        "photos: by how often the best class is right, on those whose class the network knows.",
    )
    return st.session_state["path_rank"] == "samples"


def _known(model: Model) -> list[tuple[Photo, tuple[str, ...]]]:
    """The sample photos that show a class of the network."""
    return [
        (samples.sample(one.name), one.shows)
        for one in samples.SAMPLES
        if positions(model, one.shows)
    ]


def _ask(
    steps: Callable[[], Iterator[Subset]], count: int, each: float, photos: int, key: Any
) -> Found | None:
    """The button with the cost; while it runs, a bar and a way to stop."""
    running = st.session_state.get("_paths_on") == key
    row = st.container(horizontal=True, gap="small", vertical_alignment="center")
    # It stays while it runs: the browser would keep one that is gone beside Stop, to the end.
    begin = row.empty()
    begin.button(
        f"Run all {count:,} subsets",
        key="paths_start",
        type="secondary" if running else "primary",  # a pale primary one shows no words
        icon=":material/account_tree:",
        on_click=_start,
        args=(key,),
        disabled=running,
    )
    if not running:
        row.caption(
            f"{count * photos:,} passes of the network, about {max(1, round(count * each))} s; "
            "you can stop."
        )
        return None
    stop = row.empty()
    stop.button("Stop", key="paths_stop", icon=":material/stop:", on_click=_start, args=(None,))
    bar = row.progress(0.0, text=f"0 of {count:,}")
    found: Found = ()
    drawn = 0
    try:
        for found in _runs().follow(key, lambda: _collected(steps(), count, key)):
            if len(found) - drawn >= max(1, count // _STEPS):
                drawn = len(found)
                bar.progress(drawn / count, text=f"{drawn:,} of {count:,}")
    except Exception:
        _start(None)  # or every later run of the page would fail again
        raise
    _start(None)
    for place in (begin, stop, bar):
        place.empty()
    return found


def _start(key: Any) -> None:
    st.session_state["_paths_on"] = key


def _collected(steps: Iterator[Subset], count: int, key: Any) -> Iterator[Found]:
    """More and more subsets; all of them are kept for everybody."""
    found: list[Subset] = []
    for one in steps:
        found.append(one)
        if len(found) == count:
            _done().put(key, tuple(found))
        yield tuple(found)


def _says(one: Subset) -> str:
    """What the last column of the table holds."""
    return "right" if one.sure else "says"


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
                **({_says(one): one.top} if one.top else {}),
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
        + (" So few photos tell little: one photo is a large share." if whole.sure else "")
    )
