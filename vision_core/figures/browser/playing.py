"""A stage as what the browser's player is sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from vision_core.figures.stage import Stage

HINT = "Space plays, ← and → step. Point at a cell to see what it is made of or what it feeds."


def player_data(
    stage: Stage,
    *,
    step: int = 0,
    scene: str = "",
    editable: Sequence[str] = (),
    above: int = 330,
    stem: str = "walkthrough",
) -> dict[str, Any]:
    """What the player is sent.

    Args:
        stage: what is shown.
        step: of the timeline.
        scene: what the step belongs to; where this changes, the player goes to ``step``.
        editable: operands whose numbers can be changed in place.
        above: pixels of the window's height that are not the grids'.
        stem: how saved files are called.
    """
    shown = stage.to_json()
    hint = HINT + (" Double-click a number, or Enter on it, to change it." if editable else "")
    return {
        "stage": shown,
        "stamp": hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16],
        "step": step,
        "scene": scene,
        "editable": list(editable),
        "above": above,
        "stem": stem,
        "hint": hint,
    }
