"""ConvScope: navigation over the pages in ``pages/``; start with ``streamlit run app.py``."""

from __future__ import annotations

import streamlit as st

from pages import navigation
from pages.shared import shell, state

st.set_page_config(
    page_title="ConvScope",
    page_icon="assets/icon.png",
    layout="wide",
    initial_sidebar_state=290,
)
page = st.navigation(navigation.menu(), position="top")
shell.dress()
state.open_page(page.url_path)
page.run()
shell.dress_for_stage()
shell.device_note()
