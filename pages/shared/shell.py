"""What surrounds every page: type sizes, the look for a lecture hall, PyTorch on its way."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterable
from pathlib import Path

import streamlit as st

_PHONE = Path(__file__).with_name("page.js")
ABOUT = (
    "**ConvScope** shows what convolutional networks see. This menu also holds the theme: light, "
    "dark, or as the system has it."
)
"""In the menu at the top right. Streamlit shows that menu, the theme in it, for the sake of it."""
_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 4.2rem 1.4rem 2rem; max-width: none; }
[data-testid="stSidebarHeader"] { height: auto; padding-bottom: 0; }
[data-testid="stSidebarUserContent"] { padding-bottom: 1.5rem; }
[data-testid="stSidebar"] [data-testid="stVerticalBlock"] { gap: 0.55rem; }
[data-testid="stSidebar"] [data-testid="stButtonGroup"] button { padding-inline: 0.55rem; }
h1 { font-size: 1.9rem !important; padding: 0 0 0.3rem !important; }
h1.name { font-size: 1.4rem !important; padding: 0 !important; margin: 0 !important;
  line-height: 1.25 !important; }
/* Streamlit's own text on these is too pale: under 4.5 to 1. */
[data-testid^="stBaseButton-primary"], [data-testid^="stBaseButton-primary"] * {
  color: light-dark(#FFFFFF, #10161D) !important; }
[data-testid="stMultiSelect"] span[title], [data-testid="stMultiSelect"] span[title] + * {
  color: light-dark(#FFFFFF, #10161D) !important; }
[data-testid="stCaptionContainer"] { opacity: 0.85 !important; }
[data-testid="stFileUploaderDropzoneInstructions"] span {
  color: color-mix(in srgb, currentcolor 85%, transparent) !important; }
.fates { line-height: 1.9; }
.quiet { font-size: 0.88rem; opacity: 0.75; white-space: nowrap; }
.legend div { padding: 0.1rem 0; }
.legend.inline div { display: inline-block; margin-right: 0.8rem; }
.lede { font-size: 0.97rem; line-height: 1.4; opacity: 0.9; }
.lede abbr { text-decoration: underline dotted; text-underline-offset: 0.2em; cursor: help; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
[data-testid="stElementContainer"]:has(.open-rail) { display: none; }
body:not(.looked) .stDialog { visibility: hidden; }
@media (max-width: 640px) {
  .stApp:has([data-testid="stExpandSidebarButton"])
    [data-testid="stElementContainer"]:has(.open-rail) { display: block; }
  .open-rail { width: 100%; padding: 0.6rem; font: inherit; font-weight: 600; color: inherit;
    background: transparent; border: 1px solid currentColor; border-radius: 0.5rem; }
  [data-testid="stMainBlockContainer"] { padding: 3.8rem 0.7rem 2rem; }
  [data-testid="stMarkdownContainer"] table { display: block; overflow-x: auto; }
}
</style>"""
_PRESENT = """<style>
[data-testid="stSidebar"], [data-testid="stExpandSidebarButton"] { display: none; }
html { font-size: 21px; }
[data-testid="stMainBlockContainer"] { padding-top: 4rem; }
h1.name { font-size: 1.5rem !important; }
.lede { display: none; }
</style>"""


def dress(names: Iterable[str]) -> None:
    """The look that theme options cannot give, and on a phone the way to the drawer.

    Args:
        names: of all pages, as they stand in the address.
    """
    st.html(_STYLE)
    st.html(
        f"<button type='button' class='open-rail' data-pages='{' '.join(names)}'>"
        "Choose photo and settings</button>"
        f"<script>{_PHONE.read_text(encoding='utf-8')}</script>",
        unsafe_allow_javascript=True,
    )


def dress_for_stage() -> None:
    """What presenting changes; after the page, which reads the switch from the address."""
    if presenting():
        st.html(_PRESENT)


def presenting() -> bool:
    """Whether the page is shown to a lecture hall: no rails, larger type."""
    return bool(st.session_state.get("present", False))


def on_phone() -> bool:
    """Whether a phone's browser shows the page, as it names itself to servers."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def warm_up() -> None:
    """Import PyTorch in the background, so that the first page of a fresh server need not wait."""
    _warm_up()


def wait_for_networks(title: str) -> None:
    """Show the page's title and what is going on while PyTorch is still being imported.

    Pages call this before they import anything that needs PyTorch: on a server that has just
    started, a link straight to them would show an empty page for seconds.

    Args:
        title: of the page.
    """
    importing, place = _warm_up(), st.empty()
    if not importing.is_alive():
        return  # the place stays, or the first press on the page would build all of it anew
    with place.container():
        st.title(title)
        with st.spinner("Loading PyTorch …", show_time=True):
            importing.join()
    place.empty()


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
