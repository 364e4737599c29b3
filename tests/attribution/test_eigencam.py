"""Eigen-CAM: against NumPy, with the sign of the decomposition turned about, on synthetic blobs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.attribution.nets import Modules, fixed, question_of
from vision_core.attribution import explain
from vision_core.attribution.cam import eigencam
from vision_core.errors import UserError

SIDE, CHANNELS = 7, 64
BLOB = (slice(2, 5), slice(1, 4))


class Puts(nn.Module):
    """A network whose layer ``out`` puts out what it is told to."""

    def __init__(self, values: np.ndarray) -> None:
        super().__init__()
        self.values = torch.from_numpy(values).float()[None]
        self.out = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.values + 0 * x.mean()).mean((2, 3))


def projected(values: np.ndarray, relu: bool = False) -> np.ndarray:
    """``[C, h, w]`` by Eigen-CAM."""
    question = question_of(Puts(values), fixed(*values.shape[1:]))
    return eigencam(question, ("out",), relu)["out"][0].numpy()


def blob(seed: int, signed: bool = False) -> np.ndarray:
    """Noise of a dark ground, and an object that some channels answer to."""
    rng = np.random.default_rng(seed)
    values = np.abs(rng.normal(0, 0.1, (CHANNELS, SIDE, SIDE)))
    answer = rng.uniform(0, 1, CHANNELS) * (rng.uniform(size=CHANNELS) < 0.5)
    values[:, BLOB[0], BLOB[1]] += answer[:, None, None]
    return values - 0.1 if signed else values


def independent(values: np.ndarray) -> np.ndarray:
    """First component by NumPy, in float64, ``[h, w]``; its sign is as it comes."""
    places = values.astype(np.float32).astype(np.float64).reshape(len(values), -1).T
    _, _, vt = np.linalg.svd(places, full_matrices=False)
    return (places @ vt[0]).reshape(values.shape[1:])


@pytest.mark.parametrize("signed", [False, True])
def test_the_object_is_brighter_than_the_ground(signed) -> None:
    darker = 0
    for seed in range(200):
        found = projected(blob(seed, signed))
        ground = np.ones((SIDE, SIDE), bool)
        ground[BLOB] = False
        darker += found[BLOB].mean() <= found[ground].mean()
    assert darker == 0


@pytest.mark.parametrize("shape", [(64, 7, 7), (6, 20, 24), (5, 1, 9)])
def test_it_is_numpys_first_component_with_its_sign_settled(shape) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        for values in (rng.normal(size=shape), np.maximum(rng.normal(size=shape), 0)):
            expected = independent(values)
            expected *= np.sign((expected * values.mean(0)).sum())
            np.testing.assert_allclose(projected(values), expected, rtol=1e-3, atol=1e-4)
            np.testing.assert_allclose(
                projected(values, True), expected.clip(0), rtol=1e-3, atol=1e-4
            )


def test_the_sign_of_the_decomposition_does_not_matter(monkeypatch) -> None:
    question, svd = question_of(Modules(), fixed()), torch.linalg.svd
    shapes = []

    def turned(a: Tensor, full_matrices: bool = True) -> tuple[Tensor, Tensor, Tensor]:
        u, s, vt = svd(a, full_matrices=full_matrices)
        shapes.append((a.shape, u.shape, vt.shape))
        return -u, s, -vt

    before = {relu: eigencam(question, ("one", "two"), relu) for relu in (True, False)}
    monkeypatch.setattr(torch.linalg, "svd", turned)
    for relu, maps in before.items():
        again = eigencam(question, ("one", "two"), relu)
        assert all(torch.equal(again[name], cam) for name, cam in maps.items())
        assert any(bool(cam.any()) for cam in maps.values())
    assert shapes, "the decomposition under test was used"
    for (places, channels), left, right in shapes:
        least = min(places, channels)
        assert left == (places, least) and right == (least, channels), "no full matrices"


def test_behind_a_relu_the_map_is_nowhere_negative() -> None:
    for seed in range(50):
        values = np.maximum(np.random.default_rng(seed).normal(size=(16, 6, 5)), 0)
        found = projected(values)
        assert found.min() > -1e-5 and found.max() > 0.1


def test_the_target_takes_no_part_and_the_map_says_so() -> None:
    net, x = Modules(), fixed()
    maps = [explain(question_of(net, x, index), "eigencam", layers=("one",)) for index in (0, 3)]
    assert np.array_equal(maps[0].values, maps[1].values) and maps[0].score != maps[1].score
    assert "does not depend on the target" in maps[0].notes[0]
    assert maps[0].settings == {"layer": "one", "relu": True}


def test_one_cell_of_the_layer_lights_its_share_of_the_photo() -> None:
    values = np.zeros((4, 5, 6), np.float32)
    values[:, 1, 4] = 1
    found = explain(question_of(Puts(values), fixed(50, 60)), "eigencam", layers=("out",)).values
    assert np.unravel_index(found.argmax(), found.shape)[0] in range(10, 20)
    assert np.unravel_index(found.argmax(), found.shape)[1] in range(40, 50)
    assert (found[:, :30] == 0).all() and (found[30:] == 0).all()


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (("fc",), "without places"),
        (("nowhere",), "no layer"),
    ],
)
def test_what_has_no_map_is_said_in_a_sentence(layers, words) -> None:
    with pytest.raises(UserError, match=words):
        eigencam(question_of(Modules(), fixed()), layers)
