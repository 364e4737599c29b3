"""The state of the session and of the page, and the address bar that says the same.

A field is read from the address before its widget exists and written after all widgets ran, so
that its default may depend on the model. A value that cannot be used gives the default and a note.
Streamlit's own ``bind="query-params"`` drops bad values silently and wants the default beforehand.

Streamlit forgets a widget when the page changes, and the menu empties the address. The value of
every field is therefore kept here, by its name, whether its widget is drawn or not. Photo, model,
thresholds and the Present switch belong to the session: they go along to every page, and stand in
its address also where the page has no widget for them. The address that a link or the back button
brings is obeyed for those groups of fields that it names; what it does not name goes along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pages.shared import browser
from pages.shared.addresses import Addresses
from pages.shared.plain import sentence, short

# What belongs to the session: groups of fields, each obeyed or kept as a whole.
_ALONG = {
    "photo": ("source", "photo", "file"),
    "model": ("task", "model"),
    "device": ("device",),
    "present": ("present",),
    "thresholds": tuple(
        "score iou nms sigma agnostic max classes mask joint opacity captions".split()
    ),
}
_GROUP = {name: group for group, names in _ALONG.items() for name in names}


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


@dataclass
class _Memory:
    """What a session remembers.

    Attributes:
        page: where it is.
        visit: how many pages were opened so far.
        addresses: what stands in the address bar, and stood there.
        asked: what the address asked for and no field has taken yet.
        kept: value and field by name; the field is ``None`` until one was used.
        chosen: names of fields whose value somebody chose: no other default takes its place.
        given: names of the widgets that were given their value on this page.
        forgotten: names whose value in the session state no field is to have any more.
        notes: sentences on what could not be had.
    """

    page: str | None = None
    visit: int = 0
    addresses: Addresses = field(default_factory=Addresses)
    asked: dict[str, str] = field(default_factory=dict)
    kept: dict[str, tuple[Any, Field | None]] = field(default_factory=dict)
    chosen: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def _memory() -> _Memory:
    return st.session_state.setdefault("_memory", _Memory())


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


class Unusable(ValueError):
    """A value of the address that cannot be had; it says why in a whole sentence."""


def one_of(options: Iterable[str]) -> Callable[[str], str]:
    """A parser of one of some words."""
    words = tuple(options)

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError("one of " + ", ".join(words[:12]) + " …" * (len(words) > 12))
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


def open_page(page: str | None = None) -> None:
    """Look whether the page or the address changed: the menu, a link, the back button.

    Args:
        page: that runs now; ``None``: the same as before.
    """
    memory, address = _memory(), st.query_params.to_dict()
    memory.given &= browser.named()  # what it has not seen may be lost, and is given again
    moved = page is not None and page != memory.page
    if moved:
        memory.page = page
        memory.visit += 1
        memory.given, memory.notes = set(), []
        memory.asked = {n: text for n, text in memory.asked.items() if n in _GROUP}
    by_hand = not moved and memory.addresses.moved(memory.kept, memory.forgotten)
    if memory.addresses.follow(address, by_hand):
        named = {_GROUP.get(name) for name in address}
        for name in {*memory.asked, *memory.kept}:
            if not moved or _GROUP.get(name) in named:
                _forget(name)
        memory.asked |= address
        memory.notes = []


def _forget(name: str) -> None:
    memory = _memory()
    memory.asked.pop(name, None)
    memory.kept.pop(name, None)
    memory.chosen.discard(name)
    if name in _GROUP:
        st.session_state.pop(name, None)
    else:  # it stays until it is used again, for callbacks of a page that is being left
        memory.forgotten.add(name)


def visit() -> int:
    """The number of this visit to a page; coming back to a page is another visit."""
    return _memory().visit


def use(*fields: Field) -> None:
    """Give every field's widget its value, before the widget is made.

    A value that the address asks for comes first, once; then what the session holds; then the
    default. A value that nobody chose follows the default when another model has another one.
    """
    memory = _memory()
    for one in fields:
        kept, was = memory.kept.get(one.name, (None, None))
        before = None if one.name in memory.forgotten else st.session_state.get(one.name)
        before = kept if before is None else before
        memory.forgotten.discard(one.name)
        if was is not None and before is not None:
            _notice(was, before, before != kept)
        if one.name in memory.asked:
            value = _parsed(one, memory.asked.pop(one.name))
        elif before is None or (
            was is not None and before == was.default and one.name not in memory.chosen
        ):
            value = one.default
        else:
            value = before if _fits(one, before) else one.default
        if before is not None and value != before:
            memory.chosen.discard(one.name)
        memory.kept[one.name] = (value, one)
        # A new page makes a new widget, which has no value of its own although its key has one.
        if one.name not in memory.given or st.session_state.get(one.name) != value:
            memory.given.add(one.name)
            st.session_state[one.name] = value


def _notice(was: Field, value: Any, moved: bool) -> None:
    """Remember whether somebody chose a value: any other than the default, and any model.

    Args:
        was: the field of the value.
        value: it has now.
        moved: whether its widget was moved since the field was last used.
    """
    chosen = _memory().chosen
    if value != was.default or (moved and _GROUP.get(was.name) == "model"):
        chosen.add(was.name)
    elif moved:
        chosen.discard(was.name)


def put(name: str, value: Any) -> None:
    """Set a field from a callback, also one whose widget is not on the page now."""
    memory = _memory()
    was = memory.kept.get(name, (None, None))[1]
    if was is not None:
        _notice(was, value, moved=True)
    memory.kept[name] = (value, was)
    memory.forgotten.discard(name)
    memory.addresses.field_set = True
    st.session_state[name] = value


def reset(*fields: Field) -> None:
    """Put fields back to their defaults; for callbacks."""
    for one in fields:
        put(one.name, one.default)
        _memory().chosen.discard(one.name)


def held(name: str) -> Any:
    """The session's value of a field that this page may have no widget for; ``None``: none yet."""
    return _memory().kept.get(name, (None, None))[0]


def write(*fields: Field) -> None:
    """Put the fields that differ from their defaults into the address, if that changes it.

    So do those that go along from page to page. What the address asked for and no field has
    taken yet stays, until its field is used.
    """
    memory = _memory()
    for one in fields:
        value = st.session_state.get(one.name)
        if value is None:  # a widget that lost its value: it is not the user's choice
            value = memory.kept.get(one.name, (one.default, one))[0]
        memory.kept[one.name] = (value, one)
    address = {**_chosen(_GROUP.keys() | {f.name for f in fields}), **memory.asked}
    memory.addresses.written(address)
    if address != st.query_params.to_dict():
        st.query_params.from_dict(address)


def link(**more: str) -> dict[str, str]:
    """The parameters of a link to another page: what goes along, and what it shall show there."""
    asked = {name: text for name, text in _memory().asked.items() if name in _GROUP}
    return {**_chosen({*_GROUP}), **asked, **more}


def _chosen(names: set[str]) -> dict[str, str]:
    """The texts of those of some fields whose value is not the default."""
    return {
        name: one.show(value)
        for name, (value, one) in _memory().kept.items()
        if name in names and one is not None and value != one.default
    }


def note(text: str) -> None:
    """Add a note, which is no Markdown; it stands there until the address changes again."""
    notes = _memory().notes
    if text not in notes:
        notes.append(text)


def show_notes() -> None:
    """Show what the address asked for and could not be given."""
    for text in _memory().notes:
        st.info(sentence(text), icon=":material/link:")


def _fits(one: Field, value: Any) -> bool:
    """Whether a value from another model's controls means anything in these."""
    try:
        one.parse(one.show(value))
    except (ValueError, TypeError):
        return False
    return True


def _parsed(one: Field, text: str) -> Any:
    try:
        return one.parse(text)
    except Unusable as told:
        note(str(told))
        return one.default
    except ValueError as error:
        wanted = str(error)
        wanted = "a number" if wanted.startswith(("could not", "invalid literal")) else wanted
        note(
            f"The address asks for {one.name} = “{short(text, 40)}”, but it takes {wanted}; "
            f"the default ({one.show(one.default)}) is used."
        )
        return one.default
