from __future__ import annotations

import base64
import json

import numpy as np
from streamlit.testing.v1 import AppTest

from tests.builders import make_trace


def page() -> None:
    """A picture that is shown again with another box at every run."""
    import numpy as np
    import streamlit as st

    from pages.components.canvas import Scene, picture
    from vision_core.images import from_array

    which = st.number_input("Photo", 0, 100, 0)
    photo = from_array(np.full((30, 40, 3), which, np.uint8))
    left = float(st.slider("Left", 0, 20, 0))
    picture(
        photo,
        Scene(
            boxes=[[left, 0, 30, 20]], ids=[7], labels=["cat"], scores=[0.5], colours=["#56B4E9"]
        ),
        key="view",
    )


def data(app: AppTest) -> dict:
    assert not app.exception
    return json.loads(app.get("bidi_component")[0].proto.json)


def test_a_photo_is_sent_once_and_numbers_every_time() -> None:
    app = AppTest.from_function(page, default_timeout=30).run()
    assert data(app)["photo"]["url"].startswith("data:image/jpeg;base64,")
    app.slider[0].set_value(9).run()
    assert "url" not in data(app)["photo"] and data(app)["boxes"] == [[9.0, 0, 30, 20]]
    app.number_input[0].set_value(1).run()
    assert "url" in data(app)["photo"]
    app.number_input[0].set_value(0).run()
    assert "url" not in data(app)["photo"]


def test_what_a_browser_must_have_let_go_is_sent_again() -> None:
    app = AppTest.from_function(page, default_timeout=30).run()
    for value in range(1, 12):
        app.number_input[0].set_value(value).run()
    app.number_input[0].set_value(0).run()
    assert "url" in data(app)["photo"]


def live_page() -> None:
    """A trace whose thresholds move; its candidates are sent with it."""
    import numpy as np
    import streamlit as st

    from pages.components.canvas import Scene, picture
    from tests.builders import make_trace
    from vision_core.figures.browser.live import Live
    from vision_core.images import from_array
    from vision_core.selection import Thresholds, select

    count = int(st.number_input("Candidates", 0, 10_000, 60))
    trace = make_trace(1, count)
    score = float(st.slider("Score", 0.0, 1.0, 0.5))
    photo = from_array(np.zeros((160, 200, 3), np.uint8))
    thresholds = Thresholds(score=score, classes=frozenset({"dog"}))
    picture(photo, Scene(live=Live(select(trace, thresholds), (0.01, 0.01))), key="view")


def test_candidates_are_sent_once_and_thresholds_every_time() -> None:
    app = AppTest.from_function(live_page, default_timeout=30).run()
    first = data(app)
    sent = first["live"]["candidates"]
    boxes = np.frombuffer(base64.b64decode(sent["boxes"]), "<f4")
    assert boxes.shape == (240,) and sent["ids"] is None and sent["scale"] == [2, 2]
    np.testing.assert_array_equal(boxes.reshape(-1, 4), make_trace(1, 60).boxes_net)
    assert "text" in first["code"]
    app.slider[0].set_value(0.2).run()
    second = data(app)
    assert "candidates" not in second["live"] and "text" not in second["code"]
    assert second["live"]["thresholds"]["score"] == 0.2
    assert second["live"]["thresholds"]["classes"] == [1]
    assert sum(second["live"]["counts"]) == 60
    app.number_input[0].set_value(61).run()
    assert "candidates" in data(app)["live"]


def test_a_canvas_gets_the_best_5000_and_says_so() -> None:
    app = AppTest.from_function(live_page, default_timeout=30).run()
    app.number_input[0].set_value(5200).run()
    live = data(app)["live"]
    trace = make_trace(1, 5200)
    ids = np.frombuffer(base64.b64decode(live["candidates"]["ids"]), "<i4")
    assert len(ids) == 5000 and (np.diff(ids) > 0).all()
    left_out = np.setdiff1d(np.arange(5200), ids)
    lowest = live["limits"]["score"][0]
    assert trace.scores[left_out].max() <= trace.scores[ids].min() <= lowest < 0.06
    assert "best 5,000 of 5,200" in live["note"]
    assert sum(live["counts"]) == 5200


def test_what_the_browser_lacks_is_sent_again() -> None:
    app = AppTest.from_function(live_page, default_timeout=30).run()
    app.slider[0].set_value(0.3).run()
    assert "candidates" not in data(app)["live"]
    app.session_state["_held_view"].clear()  # what the component's "missing" does
    app.run()
    again = data(app)
    assert "candidates" in again["live"] and "text" in again["code"] and "url" in again["photo"]
