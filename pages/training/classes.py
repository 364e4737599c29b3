"""What is learned: digits, crops of the sample photos, or classes that the user makes."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import streamlit as st

from pages.shared import caps, photo_store, photos, state
from pages.shared.plain import plain, sentence, short
from pages.training import looking
from vision_core import samples
from vision_core.errors import UserError
from vision_core.images import decode
from vision_core.teaching.counts import CROPPED, MOST_CLASSES, MOST_PICTURES, check_classes
from vision_core.teaching.data import (
    SIDE,
    STORED,
    LearningSet,
    crops,
    digits,
    from_squares,
    square,
)

_LONGEST = 24  # letters of a class's name
Squares = dict[str, list[np.ndarray]]


def data(section: str) -> LearningSet | None:
    """The chosen data, ``None`` while the user's classes cannot be learned yet."""
    lesson, side = st.session_state["lesson"], STORED if section == "transfer" else SIDE
    if lesson == "own":
        return _own(side)
    if lesson == "crops" or section == "transfer":
        if lesson == "digits":
            st.caption(
                "Transfer learning takes photos, so crops of the sample photos are taken here in "
                "place of the digits; your own classes tell more."
            )
        return _crops(side)
    return digits()


@st.cache_resource(show_spinner=False)
def _crops(side: int) -> LearningSet:
    return crops({name: samples.sample(name) for name in CROPPED}, side)


def key(found: LearningSet) -> str:
    """What tells a set from others."""
    if found.name != "own":
        return f"{found.name}-{found.pictures.shape[-1]}"
    digest = hashlib.sha256(repr((found.classes, found.labels.tolist())).encode())
    digest.update(found.pictures.tobytes())
    return digest.hexdigest()


def _squares() -> Squares:
    """The user's pictures by class: in this session, as small squares, and nowhere else."""
    return st.session_state.setdefault("_own_classes", {})


def _own(side: int) -> LearningSet | None:
    made = _squares()
    counts = {name: len(found) for name, found in made.items()}
    try:
        check_classes(counts)
        missing = ""
    except UserError as error:
        missing = str(error)
    total = sum(counts.values())
    title = f"Your classes: {len(counts)}, {total} pictures" if made else "Your classes"
    with st.expander(
        title, expanded=not st.session_state.get("_own_done"), icon=":material/photo_library:"
    ):
        _editor(made)
    if missing:
        st.info(sentence(missing), icon=":material/add_a_photo:")
        return None
    return from_squares(made, "own", side)


def _editor(made: Squares) -> None:
    st.caption(
        "Two to eight classes, about ten photos of each; every fifth is for validation. Photos "
        f"stay in this browser session, as squares of {STORED} pixels."
    )
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    left.text_input(
        "Name of a new class", key="own_name", max_chars=_LONGEST, placeholder="mug, face, …"
    )
    right.button(
        "Add class",
        key="own_add",
        on_click=_add,
        icon=":material/add:",
        width="stretch",
        disabled=len(made) >= MOST_CLASSES,
    )
    if not made:
        return
    if st.session_state.get("own_class") not in made:
        st.session_state["own_class"] = next(reversed(made))
    st.segmented_control(
        "Photos for",
        list(made),
        key="own_class",
        required=True,
        format_func=lambda name: f"{plain(name)} ({len(made[name])})",
    )
    name: str = st.session_state["own_class"]
    left, right = st.columns([2, 1])
    with left:
        _give(name, made)
    right.button("Remove this class", key="own_remove", on_click=_remove, icon=":material/delete:")
    if made[name]:
        shown = np.stack(made[name])
        looking.tiles(shown, f"{len(shown)} photos of {short(name)}", columns=15, side=STORED)


def _give(name: str, made: Squares) -> None:
    """The two ways to give photos: files and the camera."""
    turn = st.session_state.setdefault("_own_turn", 0)  # an uploader with a new key is empty
    st.file_uploader(
        "Photos",
        type=caps.PHOTO_TYPES,
        max_upload_size=caps.PHOTO_FILE_MB,
        accept_multiple_files=True,
        key=f"own_files_{turn}",
        on_change=_take,
        args=(name, turn),
    )
    if st.toggle("Camera", key="own_camera", disabled=len(made[name]) >= MOST_PICTURES):
        shot = st.camera_input("Camera", key="own_shot", label_visibility="collapsed")
        if shot is not None and st.session_state.get("_own_last_shot") != shot.file_id:
            st.session_state["_own_last_shot"] = shot.file_id
            _decode(name, [shot])
            st.rerun()


def _add() -> None:
    name = short(st.session_state["own_name"], _LONGEST)
    if name and name not in _squares():
        _squares()[name] = []
        st.session_state["own_class"] = name
    st.session_state["own_name"] = ""
    st.session_state["_own_done"] = False


def _remove() -> None:
    _squares().pop(st.session_state["own_class"], None)


def _take(name: str, turn: int) -> None:
    given = st.session_state.get(f"own_files_{turn}") or []
    st.session_state["_own_turn"] = turn + 1
    _decode(name, given)


def _decode(name: str, files: list[Any]) -> None:
    """Add the photos of some files to a class; what cannot be read is told."""
    own = _squares().get(name)
    if own is None:
        return
    for file in photos.allowed(list(files)):
        if len(own) >= MOST_PICTURES:
            state.note(f"A class takes {MOST_PICTURES} photos; the others were left out.")
            break
        try:
            own.append(square(decode(file.getvalue(), file.name).pixels))
        except UserError as error:
            state.note(str(error).replace(file.name, short(file.name)))
        photo_store.release(file)


def close() -> None:
    """Fold the editor of the classes, so that the run stands in sight."""
    st.session_state["_own_done"] = True
