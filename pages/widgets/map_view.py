"""Maps as pictures beside the photo: scales, titles, remarks, downloads."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import streamlit as st

from pages.widgets import canvas, downloads, shell, state, targets
from vision_core.attribution import Attribution, Target
from vision_core.attribution.explain import LAYERED
from vision_core.attribution.targets import BoxTarget, JointTarget
from vision_core.figures.colours import class_colour
from vision_core.figures.saliency import (
    Panel,
    by_colour,
    over_photo,
    own_limit,
    panels,
    signed_colours,
)
from vision_core.images import Photo
from vision_core.inference import DetectionTrace, Trace
from vision_core.models import Model

TITLES = {
    "gradient": "Gradient", "gradient_abs": "Gradient, absolute",
    "input_x_gradient": "Input x gradient", "smoothgrad": "SmoothGrad",
    "integrated_gradients": "Integrated gradients", "guided_backprop": "Guided backprop",
    "deconvnet": "DeconvNet", "gradcam": "Grad-CAM", "guided_gradcam": "Guided Grad-CAM",
    "eigencam": "Eigen-CAM", "occlusion": "Occlusion",
}  # fmt: skip
_PLOT = {"displayModeBar": False, "scrollZoom": True}


def pictures(photo: Photo, trace: Trace, target: Target, found: list[Attribution]) -> None:
    """The photo with what is explained, and the maps with linked zoom."""
    left, right = st.columns([2, 5], gap="medium")
    with left:
        canvas.picture(photo, _scene(photo, trace, target), key="explained",
                       present=shell.presenting(), tallest="20rem",
                       on_pick=lambda pick: _picked(trace, pick))  # fmt: skip
        if found:
            st.metric(f"Score of {target}", f"{found[0].score:.3f}")
        if isinstance(trace, DetectionTrace):
            st.caption("Click a box to explain it.")
    with right:
        if not found:
            st.info("Choose a method on the left.", icon=":material/tune:")
            return
        chart(photo, found, "maps")
        st.html(_LEGEND)
        for a in found:
            for sentence in _remarks(a):
                st.caption(sentence)


_LEGEND = (
    "<div class='quiet'><span style='color:#D55E00'>■</span> raises the score &nbsp; "
    "<span style='color:#0072B2'>■</span> lowers it &nbsp; white: no effect, or not seen</div>"
)


def chart(photo: Photo, found: list[Attribution], key: str) -> None:
    """The maps on their scales, zoom and pan linked."""
    shown = [
        Panel(TITLES[a.method], _picture(photo, a, limit), limit, a.settings.get("layer", ""))
        for a, limit in zip(found, _limits(found), strict=True)
    ]
    columns = min(len(shown), 2 if len(shown) <= 4 else 3)
    height = int(min(max(660 / columns * photo.height / photo.width + 50, 190), 520))
    st.plotly_chart(panels(shown, columns, height), key=key, config=_PLOT, width="stretch")


def _scene(photo: Photo, trace: Trace, target: Target) -> canvas.Scene:
    if not isinstance(trace, DetectionTrace):
        return canvas.Scene(description=f"{photo.name}, explained for {target}.")
    found = targets.boxes(trace)
    chosen = getattr(target, "candidate", -1)
    ids = [int(c) for c in found.candidate]
    dashes: list[tuple[int, ...]] = [() if i == chosen else (3, 2) for i in ids]
    return canvas.Scene(
        boxes=np.round(found.boxes, 1).tolist(), ids=ids, labels=list(found.labels),
        scores=found.scores.round(3).tolist(), dashes=dashes,
        colours=[class_colour(n) for n in found.labels],
        description=f"{photo.name} with {len(ids)} detections; explained is {target}.",
    )


def _picked(trace: Trace, pick: dict[str, int]) -> None:
    at = pick.get("id", -1)
    if at < 0 or not isinstance(trace, DetectionTrace):
        return
    now = targets.chosen(trace)
    state.put("target", str(JointTarget(at, now.joint) if isinstance(now, JointTarget)
                            else BoxTarget(at, getattr(now, "part", "score"))))  # fmt: skip


def _limits(found: list[Attribution]) -> list[float]:
    """The end of each map's scale; on one scale are only maps of one unit."""
    limits = [own_limit(a.signed) for a in found]
    if st.session_state["scale"] == "own":
        return limits
    return [
        max(v for v, b in zip(limits, found, strict=True) if _unit(b) == _unit(a)) for a in found
    ]


def _unit(a: Attribution) -> str:
    """What a map is measured in: score per input unit, score, or what a layer makes of it."""
    if a.method in ("input_x_gradient", "integrated_gradients", "occlusion"):
        return "score"
    return a.method if a.method in LAYERED else "score per unit of input"


def _picture(photo: Photo, a: Attribution, limit: float) -> np.ndarray:
    if a.values.ndim == 3 and st.session_state["show"] == "colour":
        drawn = by_colour(a.values, own_limit(a.values))
    else:
        drawn = signed_colours(a.signed, limit)
    return over_photo(photo, drawn, float(st.session_state["over"]))


def title(a: Attribution) -> str:
    """The name of a map, with its layer where it has one."""
    layer = a.settings.get("layer")
    return TITLES[a.method] + (f", {layer}" if layer else "")


def _remarks(a: Attribution) -> list[str]:
    told = [f"{title(a)}: {note}" for note in a.notes]
    if a.empty:
        told.append(f"{title(a)}: no positive evidence for {a.target}.")
    if a.gap is not None:
        told.append(f"{title(a)}: completeness gap {a.gap:+.3g} of a score of {a.score:.3g}.")
    return told


def files(photo: Photo, model: Model, found: list[Attribution]) -> None:
    """The raw arrays, and what they are, as downloads."""
    def array(a: Attribution) -> bytes:
        out = io.BytesIO()
        np.save(out, a.values)
        return out.getvalue()

    ready: dict[str, Any] = {
        f"{title(a)} (NPY)": (f"_{title(a).lower().replace(' ', '_')}.npy",
                               lambda a=a: array(a), "application/octet-stream")
        for a in found
    }  # fmt: skip
    if found:
        ready["About them (JSON)"] = ("_maps.json", lambda: downloads.as_json({
            "model": model.name, "fingerprint": model.fingerprint, "image": photo.name,
            "sha256": photo.sha256,
            "maps": [{"method": a.method, "target": a.target, "score": a.score,
                      "settings": dict(a.settings), "notes": list(a.notes), "gap": a.gap,
                      "seen": list(a.seen), "shape": list(a.values.shape)} for a in found],
        }), "application/json")  # fmt: skip
    with st.expander("Raw arrays", icon=":material/download:"):
        downloads.buttons(photo.name, ready)
