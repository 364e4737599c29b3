"""The settings of the methods: their state, their controls, and what a method is given."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.shared import state
from pages.shared.state import Field
from vision_core import methods
from vision_core.inference import Trace
from vision_core.methods import Method, Setting

_LONGEST_SLIDER = 1000  # values; a number is typed beyond


def fields() -> tuple[Field, ...]:
    """A field of the state for each setting that the page offers."""
    return tuple(_field(setting) for setting in _offered())


def controls() -> None:
    """Draw a control for each of them."""
    for setting, titles in _offered().items():
        label = setting.label or f"{', '.join(titles)}: {setting.title}"
        least, most = setting.kind(setting.least), setting.kind(setting.most)
        if setting.kind is bool:
            st.toggle(label, key=setting.name)
        elif setting.choices:
            st.selectbox(label, setting.choices, key=setting.name)
        elif (setting.most - setting.least) / setting.step > _LONGEST_SLIDER:
            st.number_input(label, least, most, key=setting.name)
        else:
            st.slider(label, least, most, step=setting.kind(setting.step), key=setting.name)


def given(method: Method, trace: Trace) -> dict[str, Any]:
    """What the controls tell a method about a photo."""
    told: dict[str, Any] = {}
    for setting in method.on_page:
        value = setting.kind(st.session_state[setting.name])
        told[setting.name] = min(value, *trace.info.network_size) if setting.in_input else value
    return told


def _offered() -> dict[Setting, list[str]]:
    """The settings with the titles of the methods that take them; those of one name are one."""
    found: dict[Setting, list[str]] = {}
    for takers in methods.settings().values():
        shown = [(method.title, setting) for method, setting in takers if setting in method.on_page]
        if shown:
            found[shown[0][1]] = [title for title, _ in shown]
    return found


def _field(setting: Setting) -> Field:
    if setting.kind is bool:
        return Field(setting.name, setting.on_page, state.flag, lambda on: "1" if on else "0")
    if setting.choices:
        return Field(setting.name, setting.on_page, state.one_of(setting.choices))
    if setting.kind is int:
        parse = state.whole(int(setting.least), int(setting.most))
        return Field(setting.name, setting.on_page, parse)
    parse_number = state.number(setting.least, setting.most)
    return Field(setting.name, setting.on_page, parse_number, "{:g}".format)
