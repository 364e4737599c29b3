"""Fields that are written many times a second: an address that lags behind does not take them back.

The browser sends its address with every message. While a hand draws, the next message is on its way
before the address of the last one has arrived, and would look like the back button.
"""

from __future__ import annotations

import time

import streamlit as st

from pages.shared import state

LAG = 3.0
"""Seconds for which an address may still bring a text that was replaced."""


def put(name: str, text: str) -> None:
    """Set a field from a callback, and remember what stood there before."""
    now = time.monotonic()
    _, old = st.session_state.get(f"_quick_{name}", ("", {}))
    old = {t: at for t, at in old.items() if now - at < LAG}
    old[current(name)] = now
    old.pop(text, None)
    st.session_state[f"_quick_{name}"] = (text, old)
    state.put(name, text)


def current(name: str) -> str:
    """The field's text, or the newer one where the address lags behind."""
    text = str(st.session_state.get(name, ""))
    latest, old = st.session_state.get(f"_quick_{name}", (text, {}))
    return str(latest) if time.monotonic() - old.get(text, -LAG) < LAG else text


def settle(*names: str) -> None:
    """Give fields that lag behind their newer text; after they were used, before they are read."""
    for name in names:
        if (text := current(name)) != st.session_state.get(name, ""):
            state.put(name, text)
