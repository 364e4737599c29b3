"""The three backward rules of a ReLU, on numbers and in a real network."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from pages.shared import charts, engine, model_picker, operator_page, photos, state, targets
from pages.shared.guard import guarded
from pages.shared.operator import Operator
from pages.shared.state import Field
from vision_core.attribution import RULES, Target, ask
from vision_core.attribution.relu_view import ReluView, relu_view
from vision_core.figures.saliency import MapPanel, own_limit, panels, signed_colours
from vision_core.figures.stage import Stage
from vision_core.figures.stage_views import view_of
from vision_core.images import Photo
from vision_core.inference import Trace
from vision_core.models import Model
from vision_core.walkthroughs import Walkthrough, build

SECTIONS = {"numbers": "On numbers", "network": "In a network"}
_TITLES = {
    "plain": "Backpropagation: x > 0",
    "deconvnet": "DeconvNet: g > 0",
    "guided": "Guided: x > 0 and g > 0",
}
_LEDE = (
    "A ReLU passes the gradient **g** where its input **x** was positive. DeconvNet (Zeiler and "
    "Fergus 2014) looks at g instead, guided backprop (Springenberg et al. 2015) at both. Watch "
    "the cells where the three differ."
)


def main() -> None:
    """The page: a section and its player or its maps."""
    menu, lede, fields = operator_page.head("ReLU rules", SECTIONS)
    operator_page.say(lede, _LEDE)
    if st.session_state["section"] == "numbers":
        numbers(menu, fields)
    else:
        network(fields)


def _three(params: dict[str, Any]) -> list[Walkthrough]:
    shared = {name: params[name] for name in ("input", "grad_output")}
    return [build("relu_backward", **shared, rule=rule) for rule in RULES]


def numbers(menu: Any, fields: tuple[Field, ...]) -> None:
    """The three rules on the same numbers, on one step index."""
    operator = Operator("relu/numbers", "relu_backward", (), ("input", "grad_output"), _three)
    shown = operator.show(menu)
    views = tuple(view_of(w, _TITLES[r]) for w, r in zip(shown.walks, RULES, strict=True))
    stage = Stage(views)
    operator_page.play(operator, shown, stage, fields, ("input", "grad_output"))
    operator_page.files(stage, "relu_rules")


def network(fields: tuple[Field, ...]) -> None:
    """One ReLU of a network on the photo."""
    with st.sidebar:
        entry = photos.pick()
        card = model_picker.pick()
    model = model_picker.load(card)
    outer = (*fields, *photos.fields(), *model_picker.fields())
    if entry is None or entry.photo is None or model is None:
        st.info("Choose a photo and a model.", icon=":material/add_a_photo:")
        state.write(*outer)
        return
    photo = entry.photo
    with guarded("looking at a ReLU"), st.spinner("Running the network …"):
        trace = engine.trace_of(model, photo)
        target = targets.default(trace)
        who = (model.name, model.fingerprint, str(model.device), trace.info.id, str(target))
        count = _view(who, 0, model, photo, trace, target).count
        used = (
            Field("relu", min(2, count - 1), state.whole(0, count - 1)),
            Field("unit", -1, state.whole(-1, 10**5)),
        )
        state.use(*used)
        with st.sidebar:
            if count > 1:
                st.slider("Which ReLU, in the order of the forward pass", 0, count - 1, key="relu")
            st.number_input(
                "Channel",
                -1,
                10**5,
                key="unit",
                help="-1: the channel in which the three rules differ most.",
            )
        view = _view(who, int(st.session_state["relu"]), model, photo, trace, target)
        unit = int(st.session_state["unit"])
        unit = unit if 0 <= unit < len(view.forward) else telling(view)
        st.markdown(
            f"ReLU **{view.index}** of {view.count}, channel **{unit}** of {len(view.forward)}; "
            f"the gradient is that of **{targets.in_words(trace, target)}**."
        )
        x, g = view.forward[unit], view.above[unit]
        shared = own_limit(g)
        shown = [
            MapPanel("x, before the ReLU", _large(x, own_limit(x)), own_limit(x)),
            MapPanel("g, from above", _large(g, shared), shared),
        ]
        shown += [MapPanel(_TITLES[r], _large(view.passed[r][unit], shared), shared) for r in RULES]
        charts.show(
            panels(shown, 3, 280),
            "relu_maps",
            "Values and gradients of one channel, and what each rule passes on",
            config=charts.ZOOMS,
        )
        state.write(*outer, *used)


def telling(view: ReluView) -> int:
    """The channel that shows most: x and g with both signs, and large gradients.

    The three rules agree wherever x and g are both positive, so that a channel without negative
    values shows three equal pictures.
    """

    def both(values: np.ndarray) -> np.ndarray:
        positive = np.maximum(values, 0).sum((1, 2))
        negative = np.maximum(-values, 0).sum((1, 2))
        return np.minimum(positive, negative)

    shows = both(view.forward) / (np.abs(view.forward).sum((1, 2)) + 1e-12) * both(view.above)
    return int(shows.argmax()) if shows.any() else view.liveliest()


@st.cache_resource(max_entries=16, show_spinner=False)
def _view(
    who: tuple[str, ...], index: int, _model: Model, _photo: Photo, _trace: Trace, _target: Target
) -> ReluView:
    """One ReLU of the network, looked at once for all who ask; ``who`` names the question."""
    return relu_view(ask(_model, _photo, _trace, _target), index)


def _large(values: Any, limit: float) -> Any:
    """Each cell as a square of whole pixels, so that it is seen as the number that it is."""
    times = max(1, 320 // max(values.shape))
    return signed_colours(values, limit).repeat(times, 0).repeat(times, 1)
