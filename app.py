"""ConvScope: navigation over the pages in ``pages/``; start with ``streamlit run app.py``."""

from __future__ import annotations

import streamlit as st

from pages.widgets import shell, state

st.set_page_config(
    page_title="ConvScope",
    page_icon="assets/icon.png",
    layout="wide",
    initial_sidebar_state=290,
)
page = st.navigation(
    {
        "": [
            st.Page("pages/home.py", title="Start", icon=":material/home:", default=True),
            st.Page("pages/predictions.py", title="Predictions", icon=":material/frame_person:"),
            st.Page("pages/compare.py", title="Compare", icon=":material/compare:"),
            st.Page("pages/models.py", title="Models", icon=":material/inventory_2:"),
        ],
        "Look inside": [
            st.Page(
                "pages/attribution.py", title="Attribution", icon=":material/network_intelligence:"
            ),
            st.Page("pages/activations.py", title="Activations", icon=":material/stacks:"),
            st.Page("pages/filters.py", title="Filters", icon=":material/grid_on:"),
            st.Page(
                "pages/receptive_field.py",
                title="Receptive field",
                icon=":material/center_focus_strong:",
            ),
            st.Page("pages/relu_rules.py", title="ReLU rules", icon=":material/rule:"),
        ],
        "Operators": [
            st.Page("pages/convolution.py", title="Convolution", icon=":material/apps:"),
            st.Page(
                "pages/transposed_convolution.py",
                title="Transposed convolution",
                icon=":material/open_in_full:",
            ),
            st.Page("pages/pooling.py", title="Pooling", icon=":material/compress:"),
            st.Page("pages/roi_pooling.py", title="RoI pooling", icon=":material/crop:"),
        ],
    },
    position="top",
)
shell.dress()
state.open_page(page.url_path)
with shell.app():
    page.run()
shell.dress_for_stage()
shell.device_note()
