"""A page on which everybody waits for a device that is never free; for tests/pages/test_leaving.py.

With ``?free`` in its address it waits for nothing.
"""

from __future__ import annotations

import threading
import time

import streamlit as st

from pages.shared import counters, engine
from vision_core import devices

counters.SECONDS = 0.2  # between two times at which the numbers are told


@st.cache_resource
def take_the_device() -> None:
    """Hold the one turn, as a pass that does not end."""
    engine.engine()
    taken = threading.Event()

    def hold() -> None:
        with devices.forward_slot():
            taken.set()
            time.sleep(3600)

    threading.Thread(target=hold, daemon=True).start()
    taken.wait()


take_the_device()
st.write("waits")
if "free" not in st.query_params:
    with devices.forward_slot():
        st.write("never")
