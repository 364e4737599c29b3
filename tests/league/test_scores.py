"""Each score of the league against cases worked out by hand and slow versions of the papers."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from torchvision.transforms.functional import gaussian_blur

from tests.attribution.nets import fixed, question_of
from vision_core import models
from vision_core.attribution import ask, default_target, explain
from vision_core.attribution.geometry import Window
from vision_core.attribution.sanity import layers_on_the_way, randomised
from vision_core.errors import UserError
from vision_core.inference import trace
from vision_core.league import Terms, compete, ranked
from vision_core.league.columns import COLUMNS
from vision_core.league.location import by_chance, energy, pointing
from vision_core.league.maps import InputMap, of_edges
from vision_core.league.removing import follow, measure_of, order_of
from vision_core.records.targets import UnitTarget
from vision_core.samples import sample


def a_map(
    values: list[list[float]] | np.ndarray, scale: float = 1.0, left: float = 0.0
) -> InputMap:
    array = np.array(values, np.float32)
    h, w = array.shape
    return InputMap(array, Window(left, 0.0, scale, scale, w, h, (200, 200)))


def peak(x: int, y: int, size: int = 100) -> InputMap:
    values = np.zeros((size, size))
    values[y, x] = 2.0
    return a_map(values)


@pytest.mark.parametrize(
    ("x", "y", "hit"),
    [
        (45, 45, 1.0),  # inside
        (74, 45, 1.0),  # its middle, 74.5, is 14.5 to the right of the box
        (75, 45, 0.0),  # 15.5
        (70, 70, 1.0),  # 10.5 and 10.5: 14.8
        (71, 71, 0.0),  # 11.5 and 11.5: 16.3
        (25, 45, 1.0),  # 14.5 to the left
        (24, 45, 0.0),
    ],
)
def test_the_peak_may_miss_the_box_by_fifteen_pixels(x, y, hit) -> None:
    assert pointing(peak(x, y), (40, 40, 60, 60)) == hit


def test_of_several_peaks_their_share_counts() -> None:
    values = np.zeros((100, 100))
    values[50, 50] = values[50, 52] = values[2, 2] = values[97, 97] = 1.0
    assert pointing(a_map(values), (40, 40, 60, 60)) == 0.5
    assert pointing(a_map(-np.ones((100, 100))), (0, 0, 100, 100)) == 0.0


def test_the_box_is_measured_in_pixels_of_the_photo() -> None:
    values = np.zeros((10, 10))
    values[5, 5] = 1.0
    found = a_map(values, scale=10.0, left=50.0)  # its middle is at 105, 55
    assert pointing(found, (100, 50, 110, 60)) == 1.0 and pointing(found, (0, 0, 60, 60)) == 0.0
    assert energy(found, (100, 50, 110, 60)) == 1.0


def test_energy_by_hand() -> None:
    found = a_map([[1.0, 2.0, -9.0], [3.0, 0.0, 4.0]])
    # middles at 0.5, 1.5, 2.5; the box holds the 2, the 0 and the pixels right of them
    assert energy(found, (1.0, 0.0, 3.0, 1.0)) == pytest.approx(2 / 10)
    assert energy(found, (1.0, 0.0, 3.0, 2.0)) == pytest.approx(6 / 10)
    assert energy(found, (0.0, 0.0, 3.0, 2.0)) == 1.0
    assert energy(a_map([[-1.0, -2.0]]), (0, 0, 2, 1)) == 0.0


def test_chance_is_what_random_maps_have_on_average() -> None:
    rng, box = np.random.default_rng(0), (30.0, 20.0, 70.0, 60.0)
    found = [a_map(rng.random((100, 100))) for _ in range(400)]
    hit, share = by_chance(found[0], box)
    assert share == pytest.approx(0.16) and hit > share
    assert np.mean([energy(m, box) for m in found]) == pytest.approx(share, abs=0.002)
    assert np.mean([pointing(m, box) for m in found]) == pytest.approx(hit, abs=0.08)


class Sum(nn.Module):
    """Logits that are the mean of the red channel, and 0."""

    def forward(self, x: Tensor) -> Tensor:
        red = x[:, 0].mean((1, 2))
        return torch.stack([red, torch.zeros_like(red)], 1)


def run_to_end(steps):  # type: ignore[no-untyped-def]
    done = []
    while True:
        try:
            done.append(next(steps))
        except StopIteration as end:
            return done, end.value


def test_deletion_by_hand() -> None:
    """Four pixels of 4, 3, 2, 1: each that is taken away lowers the mean by its share."""
    x = torch.zeros(1, 3, 2, 2)
    x[0, 0] = torch.tensor([[4.0, 3.0], [2.0, 1.0]])
    question = question_of(Sum(), x)
    found = InputMap(x[0, 0].numpy(), question.window)
    measure = measure_of(question)
    _, curve = run_to_end(follow(question, order_of(question, found), measure, 4, insert=False))
    probabilities = [1 / (1 + np.exp(-v)) for v in (10 / 4, 6 / 4, 3 / 4, 1 / 4, 0.0)]
    np.testing.assert_allclose(curve.values, probabilities, rtol=1e-6)
    np.testing.assert_allclose(curve.shares, [0, 0.25, 0.5, 0.75, 1])
    by_hand = sum((a + b) / 2 * 0.25 for a, b in itertools.pairwise(probabilities))
    assert curve.area == pytest.approx(by_hand, rel=1e-6)


@pytest.mark.parametrize("insert", [True, False])
@pytest.mark.parametrize("steps", [5, 16])
def test_curves_are_those_of_a_slow_version(insert, steps) -> None:
    """Pixel after pixel in plain Python, one picture at a time."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 3)
    )
    x = fixed(20, 24)
    question = question_of(net, x, 1)
    values = np.random.default_rng(1).normal(size=(20, 24)).astype(np.float32)
    order = order_of(question, InputMap(values, question.window))
    done, curve = run_to_end(follow(question, order, measure_of(question), steps, insert))
    assert done[-1] == steps + 1
    blurred = gaussian_blur(x, [7, 7], [24 / 16, 24 / 16])
    pixels = sorted((-values[i, j], i, j) for i in range(20) for j in range(24))
    expected = []
    for step in range(steps + 1):
        picture = (blurred if insert else x).clone()
        for _, i, j in pixels[: round(480 * step / steps)]:
            picture[0, :, i, j] = x[0, :, i, j] if insert else 0.0
        with torch.no_grad():
            expected.append(float(net(picture).softmax(1)[0, 1]))
    np.testing.assert_allclose(curve.values, expected, atol=1e-6)
    assert curve.area == pytest.approx(
        float(np.trapezoid(expected, np.linspace(0, 1, steps + 1))), abs=1e-4
    )


def test_equal_values_go_in_no_order_of_rows() -> None:
    question = question_of(Sum(), fixed(30, 30))
    place = order_of(question, a_map(np.zeros((30, 30)))).float()
    rows = torch.arange(30.0)[:, None].expand(30, 30)
    assert abs(float(torch.corrcoef(torch.stack([place.flatten(), rows.flatten()]))[0, 1])) < 0.15
    assert sorted(place.flatten().tolist()) == list(range(900))


def test_a_score_without_probability_runs_from_0_to_1() -> None:
    photo, model = sample("cat"), models.load("fcos_s")
    found = trace(model, photo)
    question = ask(model, photo, found, default_target(found))
    measure = measure_of(question)
    order = order_of(question, of_edges(question))
    assert "grey picture" in measure.words
    _, gone = run_to_end(follow(question, order, measure, 4, insert=False))
    _, back = run_to_end(follow(question, order, measure, 4, insert=True))
    assert gone.values[0] == pytest.approx(1, abs=1e-3)
    assert back.values[-1] == pytest.approx(1, abs=1e-3)
    # the last picture is grey but for the padding below, which is no part of the photo
    assert gone.values[-1] == pytest.approx(0, abs=0.05)


def test_where_nothing_can_be_measured_a_sentence_says_so() -> None:
    question = question_of(Sum(), fixed())
    unit = replace(
        question,
        target=UnitTarget("x", 0, 0, 0),
        logits=None,
        score=lambda net, batch, _: batch.sum((1, 2, 3)) * 0 + 1,
    )
    with pytest.raises(UserError, match="nothing to measure"):
        measure_of(unit)


def test_randomisation_is_adebayos() -> None:
    """Against Spearman of SciPy on maps that are made by hand here."""
    photo, model = sample("cat"), models.load("alexnet_s")
    found = trace(model, photo)
    question = ask(model, photo, found, default_target(found))
    *_, last = compete(question, ["gradient", "guided_backprop"], Terms(steps=4, seed=3))
    top = layers_on_the_way(question)[:1]
    assert last.layer == top[0] == "classifier.6"
    copied = randomised(question, top, 3)
    for row in last.competitors[:2]:
        maps = [
            q.gradients(q.input, {"gradient": "plain"}.get(row.name, "guided")).grads[0].sum(0)
            for q in (question, copied)
        ]
        expected = spearmanr(*(m.flatten().numpy() for m in maps)).statistic
        assert row.randomisation == pytest.approx(float(expected), abs=1e-3)
    gradient, guided, control = (row.scores(None)["randomisation"] for row in last.competitors)
    assert gradient < guided < control == 1.0


def test_ranks_by_hand() -> None:
    scores = [
        {"pointing": 1.0, "energy": 0.9, "deletion": 0.1, "insertion": 0.5, "randomisation": 0.2},
        {"pointing": 1.0, "energy": 0.5, "deletion": 0.3, "insertion": 0.5, "randomisation": 0.1},
        {"pointing": 0.0, "energy": 0.5, "deletion": 0.2, "insertion": 0.9, "randomisation": None},
        {},
    ]
    first, second, third, fourth = ranked(scores)
    assert first.ranks == {
        "pointing": 1.5,
        "energy": 1.0,
        "deletion": 1.0,
        "insertion": 2.5,
        "randomisation": 2.0,
    }
    assert second.ranks["energy"] == third.ranks["energy"] == 2.5
    assert third.ranks["insertion"] == 1.0 and "randomisation" not in third.ranks
    assert first.mean == pytest.approx(8 / 5) and third.mean == pytest.approx((3 + 2.5 + 2 + 1) / 4)
    assert (first.place, second.place, third.place) == (1, 2, 3)
    assert fourth.place is None and fourth.mean is None


def test_methods_with_equal_scores_share_their_place() -> None:
    same = {c.name: 0.5 for c in COLUMNS}
    worse = {c.name: 0.4 if c.high else 0.6 for c in COLUMNS}
    assert [r.place for r in ranked([same, dict(same), worse])] == [1, 1, 3]


def test_a_map_of_edges_is_that_of_what_the_network_sees() -> None:
    photo, model = sample("cat"), models.load("resnet_s")
    found = trace(model, photo)
    question = ask(model, photo, found, default_target(found))
    edges = of_edges(question)
    assert edges.values.shape == tuple(question.input.shape[-2:]) and edges.values.min() >= 0
    answer = explain(question, "gradient")
    assert edges.on_photo().shape == answer.signed.shape
