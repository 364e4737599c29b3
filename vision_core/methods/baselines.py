"""The pictures that stand for "nothing there", which some methods compare the photo with."""

from __future__ import annotations

from vision_core.methods.method import Setting

BASELINES = ("black", "mean", "white", "blur")


def baseline(default: str) -> Setting:
    """The setting that chooses one of them."""
    return Setting("baseline", "baseline", str, default, choices=BASELINES)
