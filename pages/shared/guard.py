"""No traceback ever reaches a page: mistakes are told in a sentence, faults are logged."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared.plain import sentence
from vision_core.errors import UserError

log = logging.getLogger("convscope")


@contextmanager
def guarded(doing: str) -> Iterator[None]:
    """Show a user's mistake as its sentence and anything else as a friendly one.

    Args:
        doing: what was being done, as in "while drawing the picture".
    """
    try:
        yield
    except UserError as error:
        st.warning(sentence(str(error)), icon=":material/report:")
    except Exception as error:
        if _no_memory(error):
            log.exception("no memory left while %s", doing)
            st.warning(
                sentence(
                    f"The device has too little memory left for {doing}; choose the CPU under "
                    "Device, a smaller model or a smaller photo."
                ),
                icon=":material/memory:",
            )
            return
        log.exception("fault while %s", doing)
        st.error(
            sentence(
                f"Something went wrong while {doing}; the details are in the server's log. "
                "Try another photo or model, or reload the page."
            ),
            icon=":material/error:",
        )


def _no_memory(error: Exception) -> bool:
    """Whether PyTorch ran out of memory; it is not imported here, which would take seconds."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(error, torch.OutOfMemoryError)


def leave_if_not_wanted() -> None:
    """End this script if its reader asked for something else meanwhile, or has left the page.

    For those who wait in a line: their place is then free. Nothing happens in other threads.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return
    _ = "newer" in st.session_state  # at such a look Streamlit ends a script that was asked anew
    if runtime.exists() and not runtime.get_instance().is_active_session(context.session_id):
        st.stop()
