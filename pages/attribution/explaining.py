"""What the Attribution page is made of: a target, methods beside each other, a sanity check."""

from __future__ import annotations

import streamlit as st

from pages.attribution import method_settings, sanity_check
from pages.components import occluder
from pages.shared import asked, map_area, map_view, maps, state, stills, sweeps, targets
from pages.shared.growing import MapSlot, apart, grow
from pages.shared.guard import guarded
from pages.shared.map_words import SCALES, files
from pages.shared.plain import sentence as as_text
from pages.shared.state import Field
from vision_core import methods
from vision_core.attribution import Attribution, Target, ask
from vision_core.images import Photo
from vision_core.inference import Trace
from vision_core.models import Model

_START = ["gradient", "guided_backprop", "gradcam"]


def fields(model: Model) -> tuple[Field, ...]:
    """The fields of the panel."""
    whole, share = state.whole, state.number
    return (
        targets.FIELD,
        Field("methods", _START, state.some_of(methods.names()), ",".join),
        Field("layers", [], lambda text: [n for n in text.split(",") if n], ",".join),
        Field("scale", "own", state.one_of(("own", "same"))),
        Field("show", "signed", state.one_of(("signed", "colour"))),
        Field("over", 0.8, share(0, 1), "{:g}".format),
        *method_settings.fields(),
        Field("random", 0, whole(0, asked.most_random_layers(model))),
    )


@st.fragment
def show(model: Model, photo: Photo, trace: Trace, outer: tuple[Field, ...]) -> None:
    """The panel.

    Args:
        model: the network.
        photo: the photo.
        trace: what the network said of it.
        outer: the fields of the pickers, which share the address bar with the panel's.
    """
    with guarded("explaining the prediction"):
        used = fields(model)
        targets.use(trace)
        state.use(*used)
        with st.sidebar:
            targets.pick(trace)
            _controls(model, photo, trace)
        target = targets.chosen(trace)
        count, most = sanity_check.slider(model, photo, trace, target)
        places, told = _places(model, photo, trace, target)

        def below(trained: list[Attribution]) -> None:
            words = f"**With the last {count} of {most} layers before the target random**"
            copied = asked.with_random_layers(model, count, int(st.session_state["seed"]))
            _sanity(words, photo, trained, _places(copied, photo, trace, target)[0])

        found = map_view.pictures(photo, trace, target, places, told, below if count else None)
        for sentence in told:
            st.warning(as_text(sentence), icon=":material/block:")
        if any(a.method == "occlusion" for a in found):
            with st.expander(
                "Drag a patch over the photo",
                icon=":material/crop_square:",
                expanded=len(found) == 1,
            ):
                settings = method_settings.given(methods.method("occlusion"), trace)
                question = ask(model, photo, trace, target)
                occluder.show(
                    photo, question, sweeps.swept(model, photo, trace, question, settings)
                )
        files(photo, model, found)
        state.write(*outer, *used)


def _controls(model: Model, photo: Photo, trace: Trace) -> None:
    titles = {method.name: method.title for method in methods.every()}
    st.multiselect("Methods", list(titles), key="methods", format_func=titles.__getitem__)
    if any(methods.method(name).layered for name in st.session_state["methods"]):
        with guarded("listing the layers"):
            names = maps.layer_names(model, photo, trace, targets.chosen(trace))
            kept = [n for n in st.session_state["layers"] if n in names]
            if kept != st.session_state["layers"]:
                st.session_state["layers"] = kept
            layered = [m.title for m in methods.every() if m.layered]
            words = f"Layers of {', '.join(layered[:-1])} and {layered[-1]}"
            st.multiselect(words, names, key="layers", placeholder="default layer")
    st.segmented_control(
        "Scale",
        ("own", "same"),
        key="scale",
        required=True,
        format_func=SCALES.__getitem__,
        help="Separate: a scale for each map. Shared: one scale for maps of the same unit.",
    )
    st.segmented_control(
        "Gradients",
        ("signed", "colour"),
        key="show",
        required=True,
        help="The sum over R, G and B with its sign, or each colour by itself.",
    )
    st.slider("Map over photo", 0.0, 1.0, step=0.05, key="over")
    with st.expander("Settings of the methods"):
        method_settings.controls()


def _places(
    model: asked.Asked, photo: Photo, trace: Trace, target: Target
) -> tuple[list[MapSlot], list[str]]:
    """The places of the chosen methods' maps, and a sentence for each that means nothing here.

    What takes one pass, or is known, is there; the others are ready to run.
    """
    found: list[MapSlot] = []
    told: list[str] = []
    for name in st.session_state["methods"]:
        method = methods.method(name)
        title, asked = method.title, (model, photo, trace, target, name)
        with apart(title, told):
            settings, layers = method_settings.given(method, trace), st.session_state["layers"]
            if method.layered and not method.in_parts:
                found += [MapSlot(title, one) for one in maps.film_strip(*asked, layers, settings)]
                continue
            each = [settings | {"layers": (layer,)} for layer in layers if method.layered]
            for given in each or [settings]:
                known = maps.at_once(*asked, given)
                found.append(
                    MapSlot(title, known)
                    if known is not None
                    else MapSlot.growing(title, maps.growing(*asked, given))
                )
    return found, told


def _sanity(words: str, photo: Photo, trained: list[Attribution], random: list[MapSlot]) -> None:
    """The maps of a network with random layers, below some words, and how like they are."""
    heading = st.markdown(words)
    home = map_area.area(photo, max(len(random), 1), "random_maps")
    grown = map_view.Stills(photo, home=home)

    def tell(how_far: str, share: float) -> None:
        line = stills.progress(how_far, share)
        heading.markdown(words + line, unsafe_allow_html=True)

    if any(place.steps is not None for place in random):
        grow(random, grown.show, tell)
        heading.markdown(words)
    found = [place.map for place in random if place.map is not None]
    sanity_check.show(photo, trained, found, grown.at)
