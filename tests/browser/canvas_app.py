"""The detector's panel on a made-up trace, for the browser tests and benchmarks/canvas.py.

Streamlit runs this file by itself; ``?case=NAME`` chooses the trace. No network runs. At
``?anew`` the session forgets everything and the page is empty.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import streamlit as st

from pages import navigation
from pages.predictions import detection_panel
from pages.shared import engine, shell, state
from tests.builders import make_trace
from tests.selection.test_why import constructed, with_field
from vision_core.images import Photo, from_array
from vision_core.inference import Keypoints
from vision_core.models import default_card
from vision_core.records import DetectionTrace


class Parts:
    """Stands in for mask and keypoint heads; counts which candidates were asked for."""

    reran = False

    def __init__(self, kind: str | None, trace: DetectionTrace) -> None:
        self.kind, self.trace = kind, trace

    def masks(self, candidates: np.ndarray) -> np.ndarray:
        """A disc in every box."""
        y, x = np.mgrid[-1:1:28j, -1:1:28j]
        disc = np.clip(1.4 - np.hypot(x, y), 0, 1).astype(np.float32)
        return np.repeat(disc[None], len(candidates), 0)

    def keypoints(self, candidates: np.ndarray) -> Keypoints:
        """Two corners of every box and its middle."""
        x1, y1, x2, y2 = self.trace.boxes[candidates].T
        xy = np.stack(
            [
                np.stack([x1, y1], 1),
                np.stack([(x1 + x2) / 2, (y1 + y2) / 2], 1),
                np.stack([x2, y2], 1),
            ],
            1,
        )
        scores = np.ones(xy.shape[:2], np.float32)
        return Keypoints(xy, scores, "probability", ("a", "b", "c"), ((0, 1), (1, 2)))


def photo_of(trace: DetectionTrace) -> Photo:
    """A grey ramp of the trace's size."""
    width, height = trace.info.photo_size
    ramp = np.linspace(60, 200, width, dtype=np.uint8)
    return from_array(np.repeat(np.tile(ramp, (height, 1))[..., None], 3, 2), "ramp")


def spread(trace: DetectionTrace) -> DetectionTrace:
    """The second anchor's box moved aside, so that a question about the first is not about it."""
    boxes = trace.field.boxes_net.copy()
    boxes[1, [0, 2]] += 2
    return dataclasses.replace(trace, field=dataclasses.replace(trace.field, boxes_net=boxes))


@st.cache_resource
def trace_of(case: str) -> DetectionTrace:
    """The trace of a case: ``fates``, ``lost:FATE,FATE,FATE`` or a number of candidates."""
    name, _, rest = case.partition(":")
    if name == "fates":
        return constructed()
    if name == "lost":
        return spread(with_field(rest.split(",")))
    return make_trace(1, int(name), size=(640, 480))


if "anew" in st.query_params:
    st.session_state.clear()
    st.stop()
state.open_page()
shell.dress(())
case = st.query_params.get("case", "fates")
trace = trace_of(case)
parts = Parts(st.query_params.get("parts"), trace)
navigation.link = lambda *_: None  # leads to a page that this script does not have
engine.parts_of = lambda *_: parts  # type: ignore[assignment]
model = engine.load_model(default_card("detection").name, "cpu")
detection_panel.show(model, photo_of(trace), trace, ())
