"""What the browser has said of its widgets."""

from __future__ import annotations

from streamlit.runtime.scriptrunner import get_script_run_ctx


def named() -> set[str]:
    """Keys of the widgets that stood in the browser's page when it asked for this run.

    A run that is interrupted may never reach the browser: Streamlit drops what it has not sent
    when the next run begins. Only a widget that the browser names has been seen there. Of any other
    it would show the widget's own default, and send that back as the user's choice.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return set()
    # ids end in the key: $$ID-hash-key
    return {one.id.split("-", 2)[-1] for one in context.session_state.get_widget_states()}
