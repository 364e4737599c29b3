"""ConvScope: navigation over the pages in ``pages/``; start with ``streamlit run app.py``."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages import navigation
from pages.shared import shell, state

# First of all: it closes a dialog of Streamlit's that a fresh server's first page begins with.
shell.dress(navigation.ENTRIES)
# Before the navigation: else the browser loads a page's own icon from the network.
icon = Path(__file__).resolve().parent / "assets" / "icon.png"
st.set_page_config(
    page_icon=str(icon),
    layout="wide",
    initial_sidebar_state=290,
    menu_items={"About": shell.ABOUT},
)
page = st.navigation(navigation.menu(), position="top")
st.set_page_config(page_title=navigation.tab_title(page.url_path))
st.html(navigation.place_in_menu(page.url_path))
state.open_page(page.url_path)
page.run()
shell.dress_for_stage()
shell.warm_up()
