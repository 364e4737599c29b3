"""What is said about a map: its title, its unit, what to know of it; and its files."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import streamlit as st

from pages.shared import downloads
from vision_core import methods
from vision_core.attribution import Attribution
from vision_core.images import Photo
from vision_core.models import Model

SCALES = {"own": "separate", "same": "shared"}
"""Words for the scales of several maps."""


def title(a: Attribution) -> str:
    """The name of a map, with its layer where it has one."""
    layer = a.settings.get("layer")
    return methods.method(a.method).title + (f", {layer}" if layer else "")


def remarks(a: Attribution, words: str) -> list[str]:
    """Sentences on a map of the target that ``words`` names."""
    told = [f"{methods.method(a.method).title}: {note}" for note in a.notes]
    if a.empty:
        told.append(f"{title(a)}: no positive evidence for {words}.")
    if a.gap is not None:
        told.append(
            f"{title(a)}: completeness gap {a.gap:+.3g}; the number explained is {a.score:.3g}."
        )
    return told


_ROWS, _COLUMNS = ("top", "middle", "bottom"), ("left", "centre", "right")


def in_words(a: Attribution) -> str:
    """What a map shows, for those who do not see it: where it is strongest, and its signs."""
    values = a.signed
    magnitude = np.abs(values)
    if not magnitude.any():
        return f"{title(a)}: zero everywhere."
    parts = [
        [float(block.mean()) for block in np.array_split(band, 3, 1)]
        for band in np.array_split(magnitude, 3, 0)
    ]
    row, column = np.unravel_index(int(np.argmax(parts)), (3, 3))
    positive = float(np.maximum(values, 0).sum() / magnitude.sum())
    return (
        f"{title(a)}: strongest at the {_ROWS[row]} {_COLUMNS[column]} of the photo; "
        f"{positive:.0%} of it raises the score, {1 - positive:.0%} lowers it."
    )


def files(photo: Photo, model: Model, found: list[Attribution]) -> None:
    """The raw arrays, and what they are, as downloads."""

    def array(a: Attribution) -> bytes:
        out = io.BytesIO()
        np.save(out, a.values)
        return out.getvalue()

    ready: dict[str, Any] = {
        f"{title(a)} (NPY)": (
            f"_{title(a).lower().replace(' ', '_')}.npy",
            lambda a=a: array(a),
            "application/octet-stream",
        )
        for a in found
    }
    if found:
        ready["About them (JSON)"] = (
            "_maps.json",
            lambda: downloads.as_json(
                {
                    "model": model.name,
                    "fingerprint": model.fingerprint,
                    "image": photo.name,
                    "sha256": photo.sha256,
                    "maps": [
                        {
                            "method": a.method,
                            "target": a.target,
                            "score": a.score,
                            "settings": dict(a.settings),
                            "notes": list(a.notes),
                            "gap": a.gap,
                            "seen": list(a.seen),
                            "shape": list(a.values.shape),
                        }
                        for a in found
                    ],
                }
            ),
            "application/json",
        )
        words = f"Model {model.name}. The score that the maps explain is {found[0].score:.4g}."
        shown = [(title(a), a.signed) for a in found]
        ready |= downloads.maps_page(photo, shown, words)
    with st.expander("Raw arrays", icon=":material/download:"):
        downloads.buttons(photo.name, ready)
