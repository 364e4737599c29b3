from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

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


# Machado, Oliveira and Fernandes (2009), severity 1, in linear RGB.
BLINDNESS = {
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TOGETHER = {
    "walkthrough, light": list(colours.ROLES["light"].values()),
    "walkthrough, dark": list(colours.ROLES["dark"].values()),
    "models": list(colours.MODELS),
    "fates": list(colours.FATE_COLOURS.values()),
    "differences": list(colours.DIFFERENCES.values()),
    "verdicts": list(colours.VERDICTS.values()),
    "instances": list(colours.INSTANCES),
}


def linear(colour: str) -> np.ndarray:
    v = np.array(colours.rgb(colour)) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def seen(colour: str, eyes: str) -> np.ndarray:
    """The colour in sRGB as these eyes see it."""
    v = np.clip(np.array(BLINDNESS[eyes]) @ linear(colour), 0, 1)
    return np.where(v <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("eyes", BLINDNESS)
@pytest.mark.parametrize("which", TOGETHER)
def test_colours_that_stand_together_are_told_apart_by_all_eyes(which, eyes) -> None:
    lab = colours.oklab(np.array([seen(c, eyes) for c in TOGETHER[which]]))
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    assert apart[~np.eye(len(lab), dtype=bool)].min() > 0.05


def contrast(one: str, other: str) -> float:
    """The contrast of WCAG 2.1."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", colours.THEMES)
def test_lines_on_a_page_stand_out_from_its_background(theme) -> None:
    used = {**colours.ROLES[theme], **dict(enumerate(colours.MODELS))}
    for what, colour in used.items():
        assert contrast(colour, colours.THEMES[theme]) >= 3, (what, colour)


def test_the_themes_and_the_player_have_the_colours_of_the_table() -> None:
    root = Path(__file__).resolve().parents[2]
    config = (root / ".streamlit" / "config.toml").read_text()
    grounds = re.findall(r'theme\.(\w+)\][^\[]*?backgroundColor = "(#\w+)"', config)
    assert dict(grounds) == colours.THEMES
    script = (root / "vision_core" / "figures" / "browser" / "player" / "draw.js").read_text()
    for theme, roles in colours.ROLES.items():
        [line] = [text for text in script.splitlines() if f"const {theme.upper()} = " in text]
        assert dict(re.findall(r'(\w+): "(#\w+)"', line)) == roles


def test_no_class_has_the_colour_of_a_positive_value_or_of_a_suppressed_box() -> None:
    roles = colours.oklab(np.array([colours.rgb(c) for c in ("#D55E00", "#E69F00")]) / 255)
    for name in (*VOC, "broccoli", "teddy bear", "tench"):
        lab = colours.oklab(np.array([colours.rgb(colours.class_colour(name))]) / 255)
        assert np.linalg.norm(roles - lab, axis=1).min() > 0.08, name
