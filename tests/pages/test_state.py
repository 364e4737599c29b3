from __future__ import annotations

from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest


def page() -> None:
    """A page whose default depends on another widget, as thresholds depend on the model."""
    import streamlit as st

    from pages.shared import state

    state.open_page()
    model = state.Field("model", "a", state.one_of("ab"))
    state.use(model)
    st.selectbox("Model", ["a", "b"], key="model")
    own = {"a": 0.2, "b": 0.6}[st.session_state["model"]]
    score = state.Field("score", own, state.number(0, 1), "{:g}".format)
    state.use(score)
    if not st.checkbox("Hide"):
        st.slider("Score", 0.0, 1.0, key="score")
    st.button("Reset", on_click=state.reset, args=(score,))
    state.write(model, score)
    state.show_notes()


def start(**params: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=30)
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def test_a_default_follows_the_model_and_stays_out_of_the_address() -> None:
    app = start()
    assert app.slider[0].value == 0.2
    app.selectbox[0].set_value("b").run()
    assert app.slider[0].value == 0.6
    assert app.query_params == {"model": "b"}


def test_a_value_that_was_chosen_stays_when_the_model_changes() -> None:
    app = start()
    app.slider[0].set_value(0.35).run()
    app.selectbox[0].set_value("b").run()
    assert app.slider[0].value == 0.35
    assert app.query_params == {"model": "b", "score": "0.35"}
    app.button[0].click().run()
    assert app.slider[0].value == 0.6


def test_a_value_outlives_its_widget() -> None:
    app = start(score="0.9")
    app.checkbox[0].check().run()
    assert not app.slider
    app.checkbox[0].uncheck().run()
    assert app.slider[0].value == 0.9


def test_an_address_is_taken_once_and_then_the_user_decides() -> None:
    app = start(model="b", score="0.1")
    assert (app.selectbox[0].value, app.slider[0].value) == ("b", 0.1)
    app.selectbox[0].set_value("a").run()
    app.slider[0].set_value(0.5).run()
    assert (app.selectbox[0].value, app.slider[0].value) == ("a", 0.5)


def test_a_new_address_in_a_running_session_counts_again() -> None:
    app = start(model="b")
    app.query_params["score"] = "0.8"
    app.run()
    assert (app.selectbox[0].value, app.slider[0].value) == ("b", 0.8)


def test_what_is_moved_before_the_browser_has_the_address_stays() -> None:
    """Its run comes with the address of before."""
    app = start(score="0.9")
    app.slider[0].set_value(0.3).run()
    assert app.query_params == {"score": "0.3"}
    app.query_params["score"] = "0.9"
    app.slider[0].set_value(0.4).run()
    assert app.slider[0].value == 0.4 and app.query_params == {"score": "0.4"}
    app.query_params["score"] = "0.3"
    app.button[0].click().run()
    assert app.slider[0].value == 0.2 and app.query_params == {}


def test_back_is_obeyed_with_the_same_addresses() -> None:
    app = start(score="0.9")
    app.slider[0].set_value(0.3).run()
    app.query_params["score"] = "0.9"
    app.run()  # nothing was moved
    assert app.slider[0].value == 0.9
    app.slider[0].set_value(0.3).run()
    app.checkbox[0].check().run()  # with the new address: the browser has it
    app.checkbox[0].uncheck().run()
    app.query_params["score"] = "0.9"
    app.run()
    assert app.slider[0].value == 0.9


def test_notes_of_a_bad_value_go_with_the_next_address() -> None:
    app = start(score="many")
    assert "score" in app.info[0].value and "many" in app.info[0].value
    app.query_params["score"] = "0.8"
    app.run()
    assert not app.info


def test_the_session_takes_its_fields_to_a_page_without_their_widgets_and_back() -> None:
    def pages() -> None:
        import streamlit as st

        from pages.shared import state

        at = st.session_state.get("at", "one")
        state.open_page(at)
        if at == "one":
            source = state.Field("source", "sample", state.one_of(("sample", "upload")))
            layer = state.Field("layer", 0, state.whole(0, 9))
            state.use(source, layer)
            st.segmented_control("Photo", ["sample", "upload"], key="source", required=True)
            st.slider("Layer", 0, 9, key="layer")
            state.write(source, layer)
        else:
            state.write()
        st.json(state.link())

    def go(page: str, **address: str) -> None:
        app.session_state["at"] = page
        app.query_params.clear()
        for name, value in address.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception

    app = AppTest.from_function(pages, default_timeout=30)
    app.query_params["score"] = "0.3"  # of no field here: it waits for a page that has it
    app.run()
    app.segmented_control[0].set_value("upload").run()
    app.slider[0].set_value(4).run()
    go("two")
    assert app.query_params == {"source": "upload", "score": "0.3"}
    go("one")
    assert (app.segmented_control[0].value, app.slider[0].value) == ("upload", 4)
    go("two", source="sample", photo="cat")
    go("one")
    assert app.segmented_control[0].value == "sample", "a link that names a photo is obeyed"
    assert app.slider[0].value == 4


def test_a_note_shows_the_address_as_text() -> None:
    app = start(score="![x](https://example.org/x.png) <b>" + "y" * 200)
    shown = app.info[0].value
    assert ("![" not in shown and "https://" not in shown and "\\<b" in shown) or "…" in shown
    assert "y" * 80 not in shown


def test_a_value_whose_first_run_never_reached_the_browser_is_sent_again() -> None:
    def switch() -> None:
        import streamlit as st

        from pages.shared import state

        state.open_page("here")
        league = state.Field("league", False, state.flag, lambda v: str(int(v)))
        state.use(league)
        st.toggle("League", key="league")
        state.write(league)

    app = AppTest.from_function(switch, default_timeout=30)
    app.query_params["league"] = "1"
    app.run()
    # The browser asks again before it has seen a widget: what the first run drew is dropped.
    app._run(WidgetStates())
    sent = app.toggle[0].proto
    assert sent.set_value and sent.value, "the browser would show its own default, off"
    app.run()
    assert not app.toggle[0].proto.set_value, "once it is seen, the browser's value counts"
    assert app.session_state["league"] is True
    app.toggle[0].set_value(False).run()
    assert app.session_state["league"] is False and not app.query_params


def two_pages() -> None:
    """A page with a field, and one that takes its time until it is no longer wanted."""
    import streamlit as st

    from pages.shared import state

    where = st.session_state["where"]
    state.open_page(where)
    if where == "slow":
        st.stop()
    word = state.Field("word", "default")
    state.use(word)
    st.text_input("Word", key="word")

    def look() -> None:
        st.session_state["seen"] = st.session_state["word"]

    st.button("Look", on_click=look)
    state.write(word)


def test_a_press_on_the_page_that_is_left_finds_its_field() -> None:
    app = AppTest.from_function(two_pages, default_timeout=30)
    app.session_state["where"] = "first"
    app.query_params["word"] = "mine"
    app.run()
    app.button[0].click()
    pressed = app._tree.get_widget_states()
    app.session_state["where"] = "slow"
    app.query_params = {"step": "1"}  # the address of a link, which does not take words along
    app._run(WidgetStates())
    app.session_state["where"] = "first"
    app._run(pressed)
    assert not app.exception, app.exception
    assert app.session_state["seen"] == "mine"


def test_what_an_address_let_go_is_forgotten() -> None:
    app = AppTest.from_function(two_pages, default_timeout=30)
    app.session_state["where"] = "first"
    app.query_params["word"] = "mine"
    app.run()
    app.session_state["where"] = "slow"
    app.query_params = {"step": "1"}
    app._run(WidgetStates())
    app.session_state["where"] = "first"
    app.query_params = {}
    app._run(WidgetStates())
    assert app.text_input[0].value == "default"
