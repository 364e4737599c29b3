"""True joints of a person: placed on the photo one by one, or from a COCO file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from pages.metrics import quick
from pages.shared import caps, state, truth
from pages.shared.plain import plain
from pages.shared.state import Field
from vision_core.comparison.people import TruePerson, read_people
from vision_core.errors import UserError
from vision_core.images import Photo

NEXT = "next_joint"
"""Key of the widget that names the joint which the next click places."""
_FILE = "_joints_file"
_NEAR = 0.05
"""A drag that starts so near to a joint moves it; a share of the photo's longer side."""

Places = dict[str, tuple[float, float]]


def _parse(text: str) -> str:
    """Check ``HASH;joint:x,y;...``."""
    _places(text)
    return text


def _places(text: str) -> Places:
    found: Places = {}
    for part in text.split(";")[1:]:
        name, _, numbers = part.rpartition(":")
        values = [float(v) for v in numbers.split(",")]
        if not name or len(values) != 2 or not all(abs(v) <= 1e5 for v in values):
            raise ValueError("joints as hash;joint:x,y;...")
        found[name] = (values[0], values[1])
    return found


FIELD = Field("joints", "", _parse)


def placed(photo: Photo) -> Places:
    """The joints that were placed on this photo; those of another photo do not count."""
    text = quick.current("joints")
    return _places(text) if text.split(";")[0] == photo.sha256[:8] else {}


def store(photo: Photo, places: Mapping[str, Sequence[float]]) -> None:
    """Keep joints in the address; for callbacks."""
    parts = [f"{name}:{x:.1f},{y:.1f}".replace(".0", "") for name, (x, y) in places.items()]
    quick.put("joints", ";".join([photo.sha256[:8], *parts]) if parts else "")


def asked(photo: Photo, names: Sequence[str], at: Sequence[float]) -> None:
    """Place the next joint where somebody clicked, or move the one that was dragged."""
    places = placed(photo)
    if len(at) == 2:
        name = str(st.session_state.get(NEXT, names[0]))
        places[name] = (float(at[0]), float(at[1]))
        left = [n for n in names if n not in places]
        if left:  # the next one in the list, then from its start
            after = names[list(names).index(name) + 1 :]
            st.session_state[NEXT] = next((n for n in after if n in left), left[0])
    else:
        start, end = np.array(at[:2], float), (float(at[2]), float(at[3]))
        near = {n: float(np.hypot(*(start - np.array(p)))) for n, p in places.items()}
        name = min(near, key=near.__getitem__, default="")
        if not name or near[name] > _NEAR * max(photo.width, photo.height):
            state.note("No joint lies where the drag began; click to place one.")
            return
        places[name] = end
    store(photo, places)


def person(photo: Photo, names: Sequence[str]) -> TruePerson | None:
    """The true joints of this photo: placed ones, else those of the file, else ``None``."""
    places = placed(photo)
    if places:
        here = [n for n in names if n in places] or list(places)
        xy = np.array([places[n] for n in here], np.float64)
        return TruePerson(tuple(here), xy, np.ones(len(here), bool))
    held = st.session_state.get(_FILE)
    if held is None or held[0] != photo.sha256:
        return None
    people: tuple[TruePerson, ...] = held[1]
    if len(people) == 1:
        return people[0]
    which = st.selectbox(
        "Person of the file",
        range(len(people)),
        format_func=lambda i: f"Person {i + 1} ({int(people[i].labelled.sum())} joints)",
        key="file_person",
    )
    return people[which]


def controls(photo: Photo, names: Sequence[str], shown: Mapping[str, Sequence[float]]) -> None:
    """The buttons, and the choice of the next joint.

    Args:
        photo: the photo.
        names: of the joints that the network finds.
        shown: true joints that are on the photo now, whosever they are: a start to correct.
    """
    on, places = truth.drawing(), placed(photo)
    if st.session_state.get(NEXT) not in names:
        st.session_state[NEXT] = names[0]
    row = st.container(horizontal=True, gap="small", vertical_alignment="bottom")
    row.button(
        "Stop placing" if on else "Place true joints",
        key="place_joints",
        on_click=state.put,
        args=("drawing", not on),
        icon=":material/accessibility_new:",
    )
    if places:
        row.button("Remove all joints", key="joints_clear", on_click=store, args=(photo, {}))
    elif shown:
        row.button(
            "Start from the joints shown",
            key="joints_start",
            on_click=_start,
            args=(photo, dict(shown)),
            help="Then drag those that are wrong.",
        )
    if not on:
        return
    row = st.container(horizontal=True, gap="small", vertical_alignment="bottom")
    row.selectbox("The next click places", names, key=NEXT, width=220, format_func=_words)
    if st.session_state[NEXT] in places:
        row.button(
            f"Remove {_words(st.session_state[NEXT])}",
            key="joint_remove",
            on_click=store,
            args=(photo, {n: p for n, p in places.items() if n != st.session_state[NEXT]}),
        )
    st.caption("Left and right are the person's own. Drag a joint to move it.")


def _start(photo: Photo, shown: Mapping[str, Sequence[float]]) -> None:
    store(photo, shown)
    state.put("drawing", True)


def _words(name: str) -> str:
    return name.replace("_", " ")


def file(photo: Photo) -> None:
    """The file that may hold the joints."""
    st.file_uploader(
        "A COCO file with keypoints of this photo",
        type=["json"],
        max_upload_size=caps.PHOTO_FILE_MB,
        key="joints_file",
        on_change=_take,
        args=(photo,),
    )
    held = st.session_state.get(_FILE)
    if held is not None and held[0] == photo.sha256 and not st.session_state.get("joints_file"):
        st.caption(f"Keypoints of {plain(held[2])} count.")


def _take(photo: Photo) -> None:
    given = st.session_state.get("joints_file")
    st.session_state[_FILE] = None
    if given is None:
        return
    try:
        found = read_people(given.getvalue(), photo.width, photo.height, photo.name)
        st.session_state[_FILE] = (photo.sha256, found, given.name)
    except UserError as error:
        state.note(str(error))
