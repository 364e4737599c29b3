"""The bundled weights, asked about drawn scenes, say what they said when they were made.

A wrong preparation of the picture, a broken conversion of the weights or a change of the
architecture shows here; scores on the data sets cannot be part of the tests, as the data are not.
"""

from __future__ import annotations

import functools
import json

import numpy as np
import pytest

from tests.models.drawn_scenes import SCENES, photo
from tests.models.record_answers import FILE, answer
from vision_core.images import from_array
from vision_core.models import Model, cards, load

RECORDED = json.loads(FILE.read_text("utf-8"))
BUNDLED = [card.name for card in cards() if card.bundled]


@functools.cache
def model(name: str) -> Model:
    return load(name, device="cpu")


def close(got: dict, expected: dict) -> bool:
    """Whether two answers agree: probabilities and shares to 0.02, places to 3 pixels."""
    for key, value in expected.items():
        mine, theirs = np.array(got[key]), np.array(value)
        if mine.shape != theirs.shape:
            return False
        if key in ("labels", "grid"):
            if (mine == theirs).mean() < (1.0 if key == "labels" else 0.9):
                return False
        elif np.abs(mine - theirs).max(initial=0) > (3 if key in ("boxes", "joints") else 0.02):
            return False
    return True


def test_every_bundled_network_is_asked() -> None:
    assert sorted(RECORDED) == sorted(BUNDLED)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("name", BUNDLED)
def test_answer_as_recorded(name: str, scene: str) -> None:
    assert close(answer(model(name), photo(scene)), RECORDED[name][scene])


@pytest.mark.parametrize("name", BUNDLED)
def test_a_wrong_preparation_would_show(name: str) -> None:
    """Blue and red exchanged, as when a picture is read in the wrong order, gives other answers."""
    exchanged = [from_array(np.ascontiguousarray(photo(s).pixels[:, :, ::-1]), s) for s in SCENES]
    same = [
        close(answer(model(name), picture), RECORDED[name][scene])
        for scene, picture in zip(SCENES, exchanged, strict=True)
    ]
    assert not all(same)
