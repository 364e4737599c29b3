"""Models: the catalogue as a table, and the chosen one in detail."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.models import lecture_set, model_card, own_network
from pages.shared import catalogue, frame, model_picker, own_networks, state
from pages.shared.state import Field
from vision_core import models
from vision_core.models import Card

_ALL = "all"
_WHERE = {"bundled": "bundled", "cached": "on disk", "downloadable": "download", "own": "yours"}
# Pixels; together they fit beside the sidebar at 1,280.
_WIDTHS = {
    "model": 284,
    "task": 190,
    "weights": 84,
    "parameters": 112,
    "megabytes": 58,
    "score": 66,
    "measure": 112,
}


def main() -> None:
    """The page: filters, the table, the card."""
    words = frame.top()
    kinds = (_ALL, *(task for task in model_picker.TASK_WORDS if models.cards(task)))
    kind = Field("kind", _ALL, state.one_of(kinds))
    here = Field("here", False, state.flag, lambda v: str(int(v)))
    names = [c.name for c in catalogue.cards()]
    # The model of the pages before, where one was chosen.
    first = next((name for name in (state.held("model"),) if name in names), models.cards()[0].name)
    card = Field("card", first, own_networks.parser(names))
    state.use(kind, here, card)
    words.html(
        frame.words(
            "Models",
            "Every network that ConvScope can load. **Bundled** ones were trained from scratch for "
            "it. The others come from torchvision and are downloaded when you ask for one. Choose "
            "a model and open its layers to see where its multiply-adds are spent. You can bring a "
            "network of **your own** too.",
        )
    )
    with st.sidebar:
        st.radio(
            "Task",
            kinds,
            key="kind",
            format_func=lambda k: "All" if k == _ALL else model_picker.TASK_WORDS[k],
        )
        st.toggle("Only those here", key="here", help="Bundled, or downloaded before.")
        lecture_set.show()
    own_network.show()
    chosen = st.session_state["kind"]
    shown = [
        c
        for c in catalogue.cards(None if chosen == _ALL else chosen)
        if not st.session_state["here"] or models.status(c) != "downloadable"
    ]
    if shown:
        _table(shown)
        model_card.show(catalogue.card(st.session_state["card"]))
    else:
        st.info("No model of this task is on this machine yet.", icon=":material/cloud_off:")
    state.write(frame.PRESENT, kind, here, card)
    state.show_notes()


def _table(shown: list[Card]) -> None:
    """The catalogue; the selected row is the card below, the first where that is not shown."""
    names = [c.name for c in shown]
    if st.session_state["card"] not in names:
        state.put("card", names[0])
    wanted = [names.index(st.session_state["card"])]
    st.session_state["_models_shown"] = names
    held = st.session_state.get("models_table")
    if held is None or list(held["selection"]["rows"]) != wanted:
        st.session_state["models_table"] = {"selection": {"rows": wanted}}
    st.dataframe(
        pd.DataFrame([_row(c) for c in shown]),
        key="models_table",
        hide_index=True,
        on_select=_row_selected,
        selection_mode="single-row-required",
        width="stretch",
        height=min(38 + 35 * len(shown), 248),
        row_height=35,
        column_config={
            **{name: st.column_config.TextColumn(width=wide) for name, wide in _WIDTHS.items()},
            "parameters": st.column_config.NumberColumn(
                "parameters (M)", format="%.2f", width=_WIDTHS["parameters"]
            ),
            "megabytes": st.column_config.NumberColumn(
                "MB", format="%.1f", width=_WIDTHS["megabytes"]
            ),
            "score": st.column_config.NumberColumn(format="%.4g", width=_WIDTHS["score"]),
        },
    )


def _row_selected() -> None:
    rows = list(st.session_state["models_table"]["selection"]["rows"])
    names = st.session_state.get("_models_shown", [])
    if rows and rows[0] < len(names):
        state.put("card", names[rows[0]])


def _row(card: Card) -> dict[str, object]:
    best = card.scores[0] if card.scores else None
    return {
        "model": card.title,
        "task": model_picker.TASK_WORDS[card.task],
        "weights": _WHERE[models.status(card)],
        "parameters": card.parameters / 1e6,
        "megabytes": card.bytes / 2**20,
        "score": best.value if best else None,
        "measure": best.metric if best else "",
    }
