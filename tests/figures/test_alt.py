"""The words for a figure hold its values, read again from what was drawn."""

from __future__ import annotations

import numpy as np

from vision_core.figures import alt, class_distribution
from vision_core.figures.differences import agreement, confusion
from vision_core.figures.saliency import MapPanel, panels


def test_bars_are_told_one_by_one() -> None:
    said = alt.in_words(class_distribution([("cat", 0.75), ("dog", 0.2)], chosen="cat"), "Scores")
    assert said == "Scores. cat 0.750, dog 0.200."


def test_many_bars_are_told_by_the_largest() -> None:
    from vision_core.figures.tiles import histogram

    counts = np.arange(1, 31)
    said = alt.in_words(histogram(counts, np.linspace(0, 3, 31)), "Values")
    assert said == "Values. 30 bars, the largest 30 at 2.95."


def test_a_curve_is_told_by_its_ends_and_its_top() -> None:
    scores = np.array([0, 0.5, 1])
    said = alt.in_words(agreement(scores, np.array([0.2, 0.8, 0.4]), 0.5), "F1")
    assert "from 0.2 at 0 to 0.4 at 1, highest 0.8 at 0.5" in said


def test_a_heat_map_is_told_row_by_row() -> None:
    table = np.array([[8, 2], [1, 3]])
    said = alt.in_words(confusion(("cat", "dog"), table, "A", "B"), "Shares")
    assert "cat: mostly cat (0.8), dog: mostly dog (0.75)" in said


def test_pictures_are_told_by_their_titles_and_not_by_the_points_that_hold_them() -> None:
    grey = np.zeros((4, 6, 3), np.uint8)
    said = alt.in_words(panels([MapPanel("Photo", grey), MapPanel("Map", grey, 0.5)], 2), "Two")
    assert said == "Two. Photo; Map, full colour at ± 0.5."


def test_a_sheet_is_told_by_its_number_and_first_pictures() -> None:
    assert alt.pictures([f"filter {i}" for i in range(9)], "filters") == (
        "9 filters: filter 0; filter 1; filter 2; filter 3 …"
    )
