"""Every colour that a figure uses, defined once: one role per quantity, one colour per class name.

Most are of the set of Okabe and Ito (2008). Colours that stand together are told apart by eyes with
any of the three common kinds of colour blindness, and lines on a page stand out from both themes;
tests hold both. Colours are ``#RRGGBB`` strings here and ``(r, g, b)`` bytes where pixels are
painted.
"""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np

from vision_core.labels import canonical
from vision_core.records import FATES

BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"
ORANGE, SKY, YELLOW, PURPLE, GREY = "#E69F00", "#56B4E9", "#F0E442", "#CC79A7", "#999999"

VIOLET, ROSE = "#8E44AD", "#C2185B"

THEMES = {"light": "#FFFFFF", "dark": "#10161D"}
"""Backgrounds of the two themes."""
ROLES: dict[str, dict[str, str]] = {
    "light": {"input": BLUE, "kernel": VERMILION, "output": GREEN, "muted": "#6B7280"},
    "dark": {"input": SKY, "kernel": "#FF8A45", "output": "#6FE3A1", "muted": "#9CA3AF"},
}
"""Of the parts of a walkthrough, by theme; the player's script holds the same."""
INPUT, KERNEL, OUTPUT = BLUE, VERMILION, GREEN
POSITIVE, NEGATIVE = VERMILION, BLUE
"""Ends of the scale of a signed map."""
GROUND_TRUTH = SKY
MODELS = (BLUE, VERMILION, GREEN, PURPLE)
"""Of the models of a comparison, in their order."""
INSTANCES = ("#56B4E9", "#F0E442", "#CC79A7", "#009E73", "#E69F00", "#9D8CF5", "#D55E00", "#B8E986")
"""Of masks and skeletons, one for each instance in the order of their scores."""
# What two models say of one object, and what a ground truth says of a detection.
DIFFERENCES = {
    "both": GREEN,
    "other_class": PURPLE,
    "shifted": YELLOW,
    "only_a": BLUE,
    "only_b": VERMILION,
}
ERROR_KINDS = {
    "correct": GREEN,
    "class": PURPLE,
    "location": ORANGE,
    "both": YELLOW,
    "duplicate": BLUE,
    "background": VERMILION,
    "missed": SKY,
}
VERDICTS = {"hit": GREEN, "false": ROSE, "missed": SKY}

# By fate of a candidate, in the order of `FATES`.
FATE_COLOURS: dict[str, str] = dict(
    zip(FATES, (GREEN, GREY, ORANGE, YELLOW, VIOLET, "#666666"), strict=True)
)
# Never by colour alone: on-off lengths of the outline, in line widths.
FATE_DASHES: dict[str, tuple[int, ...]] = dict(
    zip(FATES, ((), (1, 3), (4, 2), (4, 2, 1, 2), (8, 3), (2, 6)), strict=True)
)

# Classes that appear together in the bundled networks and in VOC and COCO come first, so that
# they get the colours that lie farthest apart. The order is part of the look: append only.
_KNOWN = """
person cat dog horse cow sheep bird car bicycle motorcycle airplane bus train boat bottle chair
dining_table potted_plant couch tv truck traffic_light fire_hydrant stop_sign parking_meter bench
elephant bear zebra giraffe backpack umbrella handbag tie suitcase frisbee skis snowboard
sports_ball kite baseball_bat baseball_glove skateboard surfboard tennis_racket wine_glass cup
fork knife spoon bowl banana apple sandwich orange broccoli carrot hot_dog pizza donut cake bed
toilet laptop mouse remote keyboard cell_phone microwave oven toaster sink refrigerator book clock
vase scissors teddy_bear hair_drier toothbrush sky building pole road pavement tree sign_symbol
fence pedestrian bicyclist
""".split()
_BACKGROUNDS = {"background", "void", "no person", "unlabelled"}


def rgb(colour: str) -> tuple[int, int, int]:
    """Bytes (r, g, b) of a ``#RRGGBB`` string."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def is_background(name: str) -> bool:
    """Whether a class means "nothing of interest" and is painted transparent."""
    return canonical(name) in _BACKGROUNDS


def class_colour(name: str) -> str:
    """The colour of a class: the same in every model, every run and every figure."""
    key = canonical(name)
    if key in _BACKGROUNDS:
        return "#000000"
    table = _known_colours()
    if key not in table:
        digest = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")
        palette = list(table.values())
        return palette[digest % len(palette)]
    return table[key]


def instance_colours(count: int) -> list[str]:
    """A colour for each of so many instances; neighbours in the order differ most."""
    return [INSTANCES[i % len(INSTANCES)] for i in range(count)]


def text_on(colour: str) -> str:
    """Black or white, whichever has the higher WCAG contrast on the colour."""
    linear = _linear(np.array(rgb(colour)) / 255)
    luminance = float(linear @ np.array([0.2126, 0.7152, 0.0722]))
    return "#000000" if luminance > 0.179 else "#FFFFFF"


def _linear(srgb: np.ndarray) -> np.ndarray:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def oklab(colours: np.ndarray) -> np.ndarray:
    """OKLab coordinates (Ottosson 2020) of sRGB colours in 0..1, [N, 3]: distance is difference."""
    to_lms = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.cbrt(_linear(np.asarray(colours, float)) @ to_lms.T) @ to_lab.T


@cache
def _known_colours() -> dict[str, str]:
    """Colours of the known classes: each the farthest from all before it, in OKLab.

    Near-black, near-white and grey are left out: on a photo they read as shadow or as light. So
    are vermilion and orange, which stand for what speaks for a score and for what was suppressed.
    """
    steps = np.linspace(0, 1, 11)
    grid = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    lab = oklab(grid)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    grid = grid[(lab[:, 0] > 0.42) & (lab[:, 0] < 0.92) & (chroma > 0.09)]
    first = np.array([rgb(c) for c in (PURPLE, SKY, YELLOW, GREEN, BLUE)]) / 255
    kept_free = oklab(np.array([rgb(c) for c in (VERMILION, ORANGE)]) / 255)
    far = np.min([np.linalg.norm(oklab(grid) - c, axis=1) for c in kept_free], axis=0)
    grid = grid[far > 0.09]
    chosen = list(first)
    lab = oklab(grid)
    nearest = np.min([np.linalg.norm(lab - c, axis=1) for c in oklab(first)], axis=0)
    while len(chosen) < len(_KNOWN):
        best = int(np.argmax(nearest))
        chosen.append(grid[best])
        nearest = np.minimum(nearest, np.linalg.norm(lab - lab[best], axis=1))
    hexes = ["#" + "".join(f"{round(v * 255):02X}" for v in c) for c in chosen]
    return dict(zip((k.replace("_", " ") for k in _KNOWN), hexes, strict=True))
