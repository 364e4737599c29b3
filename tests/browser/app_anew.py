"""The app, with a way to begin a new session without loading its page anew.

At ``/?anew`` the session forgets everything and nothing but the menu is drawn; everywhere else this
is ``app.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / "app.py"
if str(APP.parent) not in sys.path:
    sys.path.insert(0, str(APP.parent))

import streamlit as st  # noqa: E402

from pages import navigation  # noqa: E402

if "anew" in st.query_params:
    st.session_state.clear()
    st.navigation(navigation.menu(), position="top")
else:
    exec(compile(APP.read_text("utf-8"), APP, "exec"), {**globals(), "__file__": str(APP)})
