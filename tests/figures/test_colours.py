from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from vision_core.figures import colours
from vision_core.records import FATES

BUNDLED = ("cat", "cow", "dog", "horse", "person", "sheep")
VOC = (
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)


def closest_pair(names: tuple[str, ...]) -> float:
    lab = colours.oklab(np.array([colours.rgb(colours.class_colour(n)) for n in names]) / 255)
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return float(apart[~np.eye(len(names), dtype=bool)].min())


def test_oklab_of_reference_colours() -> None:
    # The pairs that Ottosson's page gives for sRGB white and pure red.
    white, red = colours.oklab(np.array([[1, 1, 1], [1, 0, 0]]))
    assert white == pytest.approx([1, 0, 0], abs=1e-3)
    assert red == pytest.approx([0.628, 0.225, 0.126], abs=1e-3)


@pytest.mark.parametrize(("names", "apart"), [(BUNDLED, 0.15), (VOC, 0.12)])
def test_classes_that_appear_together_can_be_told_apart(names, apart) -> None:
    # 0.1 in OKLab is about the step between neighbouring colours of Okabe and Ito's set.
    assert closest_pair(names) > apart


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("aeroplane", "airplane"),
        ("motorbike", "motorcycle"),
        ("tvmonitor", "tv"),
        ("Sofa", "couch"),
        ("dining_table", "dining table"),
        ("__background__", "background"),
    ],
)
def test_spellings_of_one_class_share_a_colour(one, other) -> None:
    assert colours.class_colour(one) == colours.class_colour(other)


def test_a_class_has_its_colour_in_every_process() -> None:
    names = ["cat", "tench", "Käse", "猫"]
    code = (
        "from vision_core.figures.colours import class_colour;"
        f"print([class_colour(n) for n in {names!r}])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == str([colours.class_colour(n) for n in names])


@pytest.mark.parametrize("colour", [*colours.FATE_COLOURS.values(), colours.INPUT, "#000000"])
def test_text_on_a_colour_has_wcag_contrast(colour) -> None:
    def luminance(hexa: str) -> float:
        parts = [v / 255 for v in colours.rgb(hexa)]
        red, green, blue = (
            v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted([luminance(colour), luminance(colours.text_on(colour))])
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_every_fate_has_a_colour_and_a_dash_of_its_own() -> None:
    assert tuple(colours.FATE_COLOURS) == tuple(colours.FATE_DASHES) == FATES
    assert len(set(colours.FATE_COLOURS.values())) == len(FATES)
    assert len(set(colours.FATE_DASHES.values())) == len(FATES)
