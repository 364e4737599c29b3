"""Calibration against scikit-learn, by hand, and a slow second version."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from vision_core.errors import UserError
from vision_core.metrics.calibration import calibration
from vision_core.metrics.working_point import working_point

answers = st.lists(
    st.tuples(
        st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0])), st.booleans()
    ),
    min_size=1,
    max_size=30,
)


def slow(pairs: list[tuple[float, bool]], bins: int) -> tuple[float, float]:
    """Expected and maximum calibration error, bin by bin, from the definition."""
    expected, largest = 0.0, 0.0
    for number in range(bins):
        low, high = np.linspace(0, 1, bins + 1)[number : number + 2]
        inside = [(s, r) for s, r in pairs if low < s <= high or (number == 0 and s == 0)]
        if inside:
            gap = abs(sum(r for _, r in inside) - sum(s for s, _ in inside)) / len(inside)
            expected += len(inside) / len(pairs) * gap
            largest = max(largest, gap)
    return expected, largest


@given(answers, st.integers(1, 15))
def test_it_is_what_the_definition_says(pairs, bins) -> None:
    scores, right = zip(*pairs, strict=True)
    found = calibration(scores, right, bins)
    assert (found.error, found.largest) == pytest.approx(slow(pairs, bins))
    assert sum(one.count for one in found.bins) == found.count == len(pairs)


@given(answers, st.integers(1, 15))
def test_the_diagram_is_scikit_learns(pairs, bins) -> None:
    scores, right = zip(*pairs, strict=True)
    full = [one for one in calibration(scores, right, bins).bins if one.count]
    accuracy, confidence = calibration_curve(right, scores, n_bins=bins, pos_label=True)
    np.testing.assert_allclose([one.accuracy for one in full], accuracy)
    np.testing.assert_allclose([one.confidence for one in full], confidence)


def test_by_hand() -> None:
    found = calibration([0.9, 0.9, 0.6, 0.6], [True, False, True, True], 2)
    assert found.error == pytest.approx(0)  # 0.75 on average, 3 of 4 right
    found = calibration([0.9, 0.9, 0.2, 0.2], [True, True, True, False], 2)
    assert found.error == pytest.approx(0.5 * 0.1 + 0.5 * 0.3) and found.largest == pytest.approx(
        0.3
    )


@pytest.mark.parametrize(
    ("scores", "right", "bins", "words"),
    [
        ([], [], 10, "at least one"),
        ([0.5], [True, False], 10, "as many"),
        ([1.5], [True], 10, "between 0 and 1"),
        ([float("nan")], [True], 10, "between 0 and 1"),
        ([0.5], [True], 0, "bins"),
    ],
)
def test_what_cannot_be_is_refused(scores, right, bins, words) -> None:
    with pytest.raises(UserError, match=words):
        calibration(scores, right, bins)


@given(answers, st.integers(0, 5), st.floats(0, 1))
def test_a_working_point_counts_what_is_above_the_threshold(pairs, unseen, threshold) -> None:
    scores, hits = zip(*pairs, strict=True)
    found = working_point(scores, hits, sum(hits) + unseen, threshold)
    above = [hit for score, hit in pairs if score > threshold]
    assert (found.hits, found.false) == (sum(above), len(above) - sum(above))
    assert found.hits + found.missed == sum(hits) + unseen
    if found.precision + found.recall > 0 and above:
        harmonic = 2 * found.precision * found.recall / (found.precision + found.recall)
        assert found.f1 == pytest.approx(harmonic)
