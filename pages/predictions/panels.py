"""One panel per kind of trace: picture, controls and numbers in one fragment."""

from __future__ import annotations

import streamlit as st

from pages.components import canvas
from pages.predictions import detection_panel
from pages.shared import downloads, engine, results, scene, shell, state, thresholds
from pages.shared.guard import guarded
from pages.shared.state import Field
from vision_core import figures
from vision_core.images import Photo
from vision_core.inference import (
    ClassificationTrace,
    DetectionTrace,
    SegmentationTrace,
    Trace,
    predict,
)
from vision_core.models import Model

_WIDE = [5, 3]
AT = Field("at", "", str)
TOP = Field("top", 5, state.whole(1, 20))


def show(model: Model, photo: Photo, trace: Trace, outer: tuple[Field, ...]) -> None:
    """Show a trace with the panel of its kind.

    Args:
        model: what made it.
        photo: what it was made from.
        trace: what the network said.
        outer: the fields of the pickers, which share the address bar with the panel's.
    """
    if isinstance(trace, DetectionTrace):
        detection_panel.show(model, photo, trace, outer)
        return
    if isinstance(trace, SegmentationTrace):
        segmentation(model, photo, trace, outer)
    else:
        classification(model, photo, trace, outer)
    with st.expander("Timing of each stage", icon=":material/timer:"):
        results.timing(trace, engine.passes(model, photo))


@st.fragment
def segmentation(
    model: Model, photo: Photo, trace: SegmentationTrace, outer: tuple[Field, ...]
) -> None:
    """The class map, its legend, and the classes of a clicked pixel."""
    with guarded("showing the class map"):
        doubt = _doubt_fields(model)
        state.use(AT, thresholds.OPACITY, *doubt)
        with st.sidebar:
            st.slider("Opacity", 0.0, 1.0, step=0.05, key="opacity")
            below = _doubt_controls()
        opacity = float(st.session_state["opacity"])
        pin = _pixel(photo, st.session_state["at"])
        left, right = st.columns(_WIDE, gap="medium")
        with left:
            canvas.picture(
                photo,
                scene.class_map(photo, trace, opacity, pin, below),
                key="picture",
                present=shell.presenting(),
                on_pick=lambda pick: state.put("at", f"{pick['x']},{pick['y']}"),
            )
            downloads.buttons(
                photo.name,
                {
                    "Picture": (
                        "_classes.png",
                        lambda: figures.png(
                            figures.draw_class_map(
                                photo, trace, opacity=opacity, unsure_below=below
                            )
                        ),
                        "image/png",
                    ),
                    "Class map": ("_map.png", lambda: figures.png(trace.class_map), "image/png"),
                    **downloads.numbers(photo, predict(trace)),
                },
            )
        with right:
            results.legend(figures.legend(trace, below))
            if pin is None:
                st.caption("Click a pixel for the probability of every class there.")
            else:
                st.markdown(f"**Classes at pixel ({pin[0]}, {pin[1]})**")
                results.bars("pixel", trace.probabilities_at(*pin))
        state.write(*outer, AT, thresholds.OPACITY, *doubt)


def _doubt_fields(model: Model) -> tuple[Field, Field]:
    """Whether unsure pixels are marked, and below which probability: the measured one at first."""
    sure_from = float(model.card.extra.get("sure_from", 0) or 0.5)  # 0: all are right enough
    return (
        Field("unsure", False, state.flag, lambda v: str(int(v))),
        Field("sure", sure_from, state.number(0, 1), "{:g}".format),
    )


def _doubt_controls() -> float:
    """Draw the controls of unsure pixels; the probability below which a pixel is unsure, or 0."""
    shown = st.toggle(
        "Mark unsure pixels",
        key="unsure",
        help="Stripes where the probability of the best class is low.",
    )
    if not shown:
        return 0.0
    st.slider("Unsure below probability", 0.0, 1.0, step=0.01, key="sure")
    return float(st.session_state["sure"])


def _pixel(photo: Photo, text: str) -> tuple[int, int] | None:
    if not text:
        return None
    try:
        x, y = (int(part) for part in text.split(","))
    except ValueError:
        x = y = -1
    if 0 <= x < photo.width and 0 <= y < photo.height:
        return x, y
    state.put("at", "")
    state.note(f"The address asks for the pixel “{text[:30]}”, which this photo does not have.")
    return None


@st.fragment
def classification(
    model: Model, photo: Photo, trace: ClassificationTrace, outer: tuple[Field, ...]
) -> None:
    """The most probable classes, and the part of the photo that the network saw."""
    with guarded("showing the classes"):
        state.use(TOP)
        with st.sidebar:
            st.slider("Classes shown", 1, 20, key="top")
        best = trace.top(st.session_state["top"])
        left, right = st.columns(_WIDE, gap="medium")
        with left:
            canvas.picture(
                photo, scene.seen(photo, trace), key="picture", present=shell.presenting()
            )
            downloads.buttons(photo.name, downloads.numbers(photo, predict(trace)))
        with right:
            if trace.likely:
                st.markdown(f"**{trace.sentence}**")
            else:
                st.warning(trace.sentence, icon=":material/help:")
            results.bars("classes_bars", best)
            st.caption("The dashed frame is what the network saw after its resize and crop.")
            names = model.card.classes
            with st.expander(f"The {len(names):,} classes that it knows"):
                st.write(", ".join(names))
        state.write(*outer, TOP)
