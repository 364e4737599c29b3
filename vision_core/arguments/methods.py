"""The methods of attribution, and the settings that each of them takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vision_core.errors import UserError

METHODS = (
    "gradient",
    "gradient_abs",
    "input_x_gradient",
    "smoothgrad",
    "integrated_gradients",
    "guided_backprop",
    "deconvnet",
    "gradcam",
    "guided_gradcam",
    "eigencam",
    "occlusion",
)
LAYERED = ("gradcam", "guided_gradcam", "eigencam")
"""Methods with a map for each of one or several layers."""
IN_PARTS = ("smoothgrad", "integrated_gradients", "occlusion")
"""Methods of many passes, whose map grows."""
RULE_OF = {"guided_backprop": "guided", "guided_gradcam": "guided", "deconvnet": "deconvnet"}
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "smoothgrad": ("samples", "level", "seed"),
    "integrated_gradients": ("steps", "baseline"),
    "gradcam": ("layers", "relu"),
    "guided_gradcam": ("layers",),
    "eigencam": ("layers", "relu"),
    "occlusion": ("patch", "stride", "baseline"),
}
BASELINES = ("black", "mean", "white", "blur")


def check(method: str, settings: Mapping[str, Any]) -> None:
    """Refuse a method or a setting that there is not.

    Raises:
        UserError: naming it.
    """
    if method not in METHODS:
        raise UserError(f"There is no method {method!r}; choose one of {', '.join(METHODS)}.")
    known = SETTINGS.get(method, ())
    for name in settings:
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise UserError(f"The method {method} has no setting {name!r}; {takes}.")
    check_baseline(settings.get("baseline", BASELINES[0]))


def check_baseline(name: str) -> None:
    """Refuse a picture for "nothing there" that there is not.

    Raises:
        UserError: naming it.
    """
    if name not in BASELINES:
        raise UserError(f"There is no baseline {name!r}; choose one of {', '.join(BASELINES)}.")
