"""What surrounds every page: type sizes, the Present switch, the device note."""

from __future__ import annotations

import gc
import sys
import threading

import streamlit as st

_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 4.2rem 1.4rem 2rem; max-width: none; }
[data-testid="stSidebarHeader"] { height: auto; padding-bottom: 0; }
[data-testid="stSidebarUserContent"] { padding-bottom: 1.5rem; }
[data-testid="stSidebar"] [data-testid="stVerticalBlock"] { gap: 0.55rem; }
[data-testid="stSidebar"] [data-testid="stButtonGroup"] button { padding-inline: 0.55rem; }
h1 { font-size: 1.9rem !important; padding: 0 0 0.3rem !important; }
.fates { line-height: 1.9; }
.quiet { font-size: 0.88rem; opacity: 0.75; white-space: nowrap; }
.legend div { padding: 0.1rem 0; }
.legend.inline div { display: inline-block; margin-right: 0.8rem; }
.lede { font-size: 0.97rem; line-height: 1.4; opacity: 0.9; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 3.8rem 0.7rem 2rem; }
  [data-testid="stMarkdownContainer"] table { display: block; overflow-x: auto; }
}
</style>"""
_PRESENT = """<style>
[data-testid="stSidebar"], [data-testid="stExpandSidebarButton"] { display: none; }
html { font-size: 21px; }
[data-testid="stMainBlockContainer"] { padding-top: 3.6rem; }
.lede { display: none; }
</style>"""


def dress() -> None:
    """The look that theme options cannot give."""
    st.html(_STYLE)


def dress_for_stage() -> None:
    """What presenting changes; after the page, which reads the switch from the address."""
    if presenting():
        st.html(_PRESENT)


def presenting() -> bool:
    """Whether the page is shown to a lecture hall: no rails, larger type."""
    return bool(st.session_state.get("present", False))


def device_note() -> None:
    """Where the networks run, at the foot of the sidebar.

    On the first page of a fresh server PyTorch is still being imported, in the background, so
    that the page need not wait; the note then comes with the next page.
    """
    _warm_up()
    if "vision_core.inference" not in sys.modules:
        return
    from vision_core import devices

    device = devices.resolve(st.session_state.get("device", "auto"))
    st.sidebar.caption(f":material/memory: Networks run on {devices.describe(device)}.")


def wait_for_networks(title: str) -> None:
    """Show the page's title and what is going on while PyTorch is still being imported.

    Pages call this before they import anything that needs PyTorch: on a server that has just
    started, a link straight to them would show an empty page for seconds.

    Args:
        title: of the page.
    """
    importing = _warm_up()
    if not importing.is_alive():
        return
    with st.empty():
        with st.container():
            st.title(title)
            with st.spinner("Loading PyTorch …", show_time=True):
                importing.join()
        st.empty()


@st.cache_resource(show_spinner=False)
def _warm_up() -> threading.Thread:
    thread = threading.Thread(target=_import_networks, daemon=True)
    thread.start()
    return thread


def _import_networks() -> None:
    import vision_core.inference
    import vision_core.models  # noqa: F401

    gc.collect()
    gc.freeze()  # what stays anyway need not be walked by every later collection
