"""Class names of different data sets that mean the same."""

from __future__ import annotations

ALIASES = {
    "aeroplane": "airplane",
    "motorbike": "motorcycle",
    "diningtable": "dining table",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "tvmonitor": "tv",
    "tv monitor": "tv",
    "hair dryer": "hair drier",
    "cellphone": "cell phone",
    "mobile phone": "cell phone",
    "sidewalk": "pavement",
    "sign": "sign symbol",
    "signsymbol": "sign symbol",
}
"""Spelling -> name under which a class is known, both in small letters."""

SAME_THING = {"pedestrian": "person"}
"""Names of one thing in data sets of another kind: compared as one, shown as what they are."""


def canonical(name: str) -> str:
    """The name under which a class is known: lower case, data sets' spellings merged."""
    plain = name.strip().strip("_").replace("_", " ").casefold()
    return ALIASES.get(plain, plain)


def comparable(name: str) -> str:
    """The name under which classes of two models are compared."""
    known = canonical(name)
    return SAME_THING.get(known, known)
