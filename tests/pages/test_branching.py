"""Two sessions from one: the second one has the state of the first, and then goes its own way."""

from __future__ import annotations

import threading

from streamlit.testing.v1 import AppTest

from tests.pages.branching import twin


def script() -> None:
    import streamlit as st

    seen = st.session_state.setdefault("seen", [])
    seen.append(st.slider("Number", 0, 9, 4, key="number"))
    st.caption(str(seen))


def test_what_one_of_them_does_the_other_does_not_see() -> None:
    first = AppTest.from_function(script).run()
    second = twin(first)
    assert second is not None
    second._run(first.slider[0].set_value(7).root.get_widget_states())
    assert second.caption[0].value == "[4, 7]" and second.slider[0].value == 7
    first.slider[0].set_value(1).run()
    assert first.caption[0].value == "[4, 1]" and second.session_state["seen"] == [4, 7]


def test_what_goes_on_by_itself_is_not_had_twice() -> None:
    first = AppTest.from_function(script).run()
    first.session_state["busy"] = threading.Lock()
    assert twin(first) is None
