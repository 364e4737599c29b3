"""The scores of the league: what each of them measures, and what it cannot tell."""

from __future__ import annotations

from dataclasses import dataclass

TOLERANCE = 15
"""Pixels of the photo by which the peak of a map may miss the box (Zhang et al. 2018)."""


@dataclass(frozen=True)
class Criterion:
    """A score by which maps are ranked.

    Attributes:
        name: in records.
        title: above its column.
        source: the paper.
        high: whether more is better.
        boxed: whether it needs a box.
        tells: what it measures, one sentence.
        silent: what it cannot tell, one or two sentences.
    """

    name: str
    title: str
    source: str
    high: bool
    boxed: bool
    tells: str
    silent: str


COLUMNS = (
    Criterion(
        "pointing",
        "Pointing game",
        "Zhang et al. 2018",
        True,
        True,
        f"1 where the largest value of the map lies in the box, or at most {TOLERANCE} pixels of "
        "the photo beside it; of several equal peaks, their share.",
        "One pixel decides, so that one photo says little. A network may look beside the object "
        "for good reasons (rails for a train): a map that shows this is right, and loses here.",
    ),
    Criterion(
        "energy",
        "Energy in the box",
        "Wang et al. 2020",
        True,
        True,
        "The share of all positive values that lies in the box.",
        "A box holds background too, and a large box is easy: compare with its share of the photo. "
        "Values below zero do not count. It says where a map is, not whether the network looks "
        "there.",
    ),
    Criterion(
        "deletion",
        "Deletion",
        "Petsiuk et al. 2018",
        False,
        False,
        "The area under the score while the pixels become grey, those with the largest values "
        "first. A small area is good: what was taken away mattered.",
        "A photo with grey holes is a photo that the network never learned, and it may fall for "
        "that reason alone. A map of scattered pixels can win: little noise confuses a network.",
    ),
    Criterion(
        "insertion",
        "Insertion",
        "Petsiuk et al. 2018",
        True,
        False,
        "The area under the score while the pixels of the photo come back into a blurred copy, "
        "those with the largest values first. A large area is good.",
        "The blurred copy still shows a lot, and the order of the first few pixels decides much. "
        "Maps of regions do better than maps of pixels, whatever the network uses.",
    ),
    Criterion(
        "randomisation",
        "Randomisation",
        "Adebayo et al. 2018",
        False,
        False,
        "The rank correlation (Spearman) of the map with the map of a copy whose layer before the "
        "target has random weights, without its sign. Near 0 is good: the map depends on what that "
        "layer learned.",
        "It finds maps that ignore the weights, and no more: noise passes it best of all. Only one "
        "layer is random here; one draw of weights is one draw.",
    ),
)
"""In the order of the table. Time stands beside them and is not ranked."""
