"""What a network knows, and what to do when it finds nothing."""

from __future__ import annotations

import streamlit as st

from pages.shared import model_picker
from pages.shared.plain import plain
from pages.shared.thresholds import class_names
from vision_core import models
from vision_core.inference import DetectionTrace
from vision_core.models import Card

_NAMED = 10  # classes that are named one by one
_TASKS = ("detection", "instance")  # whose models find objects of any class


def line(trace: DetectionTrace) -> None:
    """The classes that the network can find, in one line."""
    st.caption(f"Knows: {names(class_names(trace))}.")


def names(known: list[str]) -> str:
    """The first of some class names, and how many more there are."""
    rest = len(known) - _NAMED
    shown = ", ".join(plain(name) for name in known[:_NAMED])
    return f"{shown} and {rest} more" if rest > 0 else shown


def nothing(card: Card, trace: DetectionTrace) -> None:
    """What to do when no detection is left: the threshold, the classes, another model."""
    best = float(trace.scores.max()) if len(trace) else 0.0
    near = (
        f"The best candidate, {plain(trace.label(int(trace.scores.argmax())))}, has a score of "
        f"{best:.2f}: lower the score threshold to see it. "
        if len(trace)
        else ""
    )
    st.info(
        f"Nothing found. {near}This network can only find: {names(class_names(trace))}.",
        icon=":material/search_off:",
    )
    other = broader(card)
    if other is not None:
        where = "" if models.status(other) != "downloadable" else ", a download"
        st.button(
            f"Try {other.title} ({len(other.classes)} classes{where})",
            on_click=model_picker.use,
            args=(other,),
            key="broader",
            icon=":material/swap_horiz:",
        )


def broader(card: Card) -> Card | None:
    """A model that finds objects of more classes; those on this machine come first."""
    others = [
        c for task in _TASKS for c in models.cards(task) if len(c.classes) > len(card.classes)
    ]
    ready = {c.name: models.status(c) != "downloadable" for c in others}
    return max(others, key=lambda c: (ready[c.name], len(c.classes), -c.bytes), default=None)
