from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest


def page() -> None:
    """A picture that is shown again with another box at every run."""
    import numpy as np
    import streamlit as st

    from pages.widgets.canvas import Scene, picture
    from vision_core.images import from_array

    which = st.number_input("Photo", 0, 100, 0)
    photo = from_array(np.full((30, 40, 3), which, np.uint8))
    left = float(st.slider("Left", 0, 20, 0))
    picture(photo, Scene(boxes=[[left, 0, 30, 20]], ids=[7], labels=["cat"], scores=[0.5],
                         colours=["#56B4E9"]), key="view")


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
