"""The state of a page in the address bar: a link reopens the same view.

A field is read from the address before its widget exists and written after all widgets ran, so
that its default may depend on the model. A value that cannot be used gives the default and a note.
Streamlit's own ``bind="query-params"`` drops bad values silently and wants the default beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import streamlit as st

_WRITTEN = "_address_written"
_ASKED = "_address_asked"  # what a link asked for
_TAKEN = "_address_taken"  # the names of it that fields have used
_KEPT = "_address_kept"  # (value, default) by name; widgets that are not shown lose theirs
_NOTES = "_address_notes"
# What the address says about photo and model; a link to another page takes it along.
_PICKERS = ("source", "photo", "file", "task", "model", "device")


@dataclass(frozen=True)
class Field:
    """One value of a page's state; its name is the address parameter and the widget's key.

    Attributes:
        name: of the parameter and of the key in the session state.
        default: what stands where nothing else was chosen; it is left out of the address.
        parse: text to value; raises ``ValueError`` when it cannot be used.
        show: value to text.
    """

    name: str
    default: Any
    parse: Callable[[str], Any] = str
    show: Callable[[Any], str] = str


def number(low: float, high: float) -> Callable[[str], float]:
    """A parser of numbers from low to high, both included."""

    def parse(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return value

    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    """A parser of whole numbers from low to high, both included."""

    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return parse


def one_of(options: Iterable[str]) -> Callable[[str], str]:
    """A parser of one of some words."""
    words = tuple(options)

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError("one of " + ", ".join(words[:12]))
        return text

    return parse


def some_of(options: Iterable[str]) -> Callable[[str], list[str]]:
    """A parser of words separated by commas."""
    single = one_of(options)
    return lambda text: [single(word) for word in text.split(",") if word]


def flag(text: str) -> bool:
    """A parser of ``1`` and ``0``."""
    if text not in ("0", "1"):
        raise ValueError("0 or 1")
    return text == "1"


def open_page() -> None:
    """Look whether the address changed under us: a link, the back button or a new session."""
    address = st.query_params.to_dict()
    if address and address != st.session_state.get(_WRITTEN):
        st.session_state[_ASKED] = dict(address)
        st.session_state[_TAKEN] = set()
        st.session_state[_NOTES] = []
        st.session_state[_WRITTEN] = address


def use(*fields: Field) -> None:
    """Give every field's widget its value, before the widget is made.

    A value that the address asks for comes first, once; then what the session holds; then the
    default. A value that equals the default follows it when another model has another default.
    """
    kept = st.session_state.setdefault(_KEPT, {})
    taken = st.session_state.setdefault(_TAKEN, set())
    asked = st.session_state.get(_ASKED)
    for field in fields:
        before = st.session_state.get(field.name, kept.get(field.name, (field.default,) * 2)[0])
        if asked is not None and field.name not in taken:
            taken.add(field.name)
            value = _parsed(field, asked[field.name]) if field.name in asked else field.default
        elif before == kept.get(field.name, (None, field.default))[1]:
            value = field.default
        else:
            value = before if _fits(field, before) else field.default
        kept[field.name] = (value, field.default)
        if field.name not in st.session_state or st.session_state[field.name] != value:
            st.session_state[field.name] = value


def put(name: str, value: Any) -> None:
    """Set a field from a callback, also one whose widget is not on the page now."""
    kept = st.session_state.setdefault(_KEPT, {})
    kept[name] = (value, kept.get(name, (None, None))[1])
    st.session_state[name] = value


def reset(*fields: Field) -> None:
    """Put fields back to their defaults; for callbacks."""
    for field in fields:
        put(field.name, field.default)


def write(*fields: Field) -> None:
    """Put the fields that differ from their defaults into the address, if that changes it.

    What the address asked for and no field has taken yet stays, until its field is used.
    """
    kept = st.session_state.setdefault(_KEPT, {})
    taken = st.session_state.setdefault(_TAKEN, set())
    asked = st.session_state.get(_ASKED) or {}
    address = {name: text for name, text in asked.items() if name not in taken}
    for field in fields:
        value = st.session_state.get(field.name, field.default)
        kept[field.name] = (value, field.default)
        if value != field.default:
            address[field.name] = field.show(value)
    st.session_state[_WRITTEN] = address
    if address != st.query_params.to_dict():
        st.query_params.from_dict(address)


def explain_link(label: str, target: str) -> None:
    """A link to the Attribution page for a target, with the photo and model of this page."""
    address = {name: text for name, text in st.query_params.items() if name in _PICKERS}
    st.page_link(
        "pages/attribution.py", label=label, icon=":material/network_intelligence:",
        query_params={**address, "target": target},
    )


def note(text: str) -> None:
    """Add a note that stands at the top of the page until the address changes again."""
    notes = st.session_state.setdefault(_NOTES, [])
    if text not in notes:
        notes.append(text)


def show_notes() -> None:
    """Show what the address asked for and could not be given."""
    for text in st.session_state.get(_NOTES, []):
        st.info(text, icon=":material/link:")


def _fits(field: Field, value: Any) -> bool:
    """Whether a value from another model's controls means anything in these."""
    try:
        field.parse(field.show(value))
    except (ValueError, TypeError):
        return False
    return True


def _parsed(field: Field, text: str) -> Any:
    try:
        return field.parse(text)
    except ValueError as error:
        wanted = str(error)
        if wanted.startswith(("could not convert", "invalid literal")):
            wanted = "a number"
        note(
            f"The address asks for {field.name} = “{text[:40]}”, but it takes {wanted}; "
            f"the default ({field.show(field.default)}) is used."
        )
        return field.default
