"""The page "Sentence": what the player is given is what the network has learned."""

from __future__ import annotations

import numpy as np

from pages.operators.sentence import FIRST
from tests.pages.conftest import sound, start, text_of
from tests.pages.test_operators import stage
from vision_core.teaching import sentences
from vision_core.walkthroughs import build


def played(app) -> dict:
    return stage(app)["stage"]["views"][0]["walk"]


def expected(text: str):
    return build("sentence", None, **sentences.numbers_of(sentences.learned(), text))


def test_it_opens_with_a_sentence_of_the_network() -> None:
    app = sound(start("sentence"))
    walk = expected(FIRST)
    np.testing.assert_allclose(list(played(app)["result"].values()), walk.result)
    table = app.dataframe[0].value
    assert list(table["won on"])[:1] == ["not good"] and "displeased" in text_of(app)
    np.testing.assert_allclose(table["keeps"], walk.result[-6:-2])


def test_another_sentence_stands_in_the_address() -> None:
    line = sentences.HELD_OUT[4][0]
    app = sound(start("sentence", text=line, step="4"))
    assert list(played(app)["result"].values()) == expected(line).result.tolist()
    assert app.query_params["text"] == line and app.query_params["step"] == "4"
    sound(app.selectbox(key="text").select("i like the film").run())
    assert played(app)["facts"]["words"] == ["i", "like", "the", "film"]
    assert "step" not in app.query_params


def test_a_word_that_it_has_never_read_is_told() -> None:
    app = sound(start("sentence", text="the film is splendid"))
    assert any("text" in i.value for i in app.info)
    assert played(app)["facts"]["words"] == FIRST.split()
