"""The gallery: the sample photos in windows, what is found in the photo, or photos of one's own."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile

from pages.shared import caps, engine, photo_store, state
from pages.shared.plain import short
from vision_core import devices, samples
from vision_core.errors import UserError
from vision_core.images import Photo, decode
from vision_core.models import weights
from vision_core.records import DetectionTrace
from vision_core.space.pictures import SmallPicture, cut, detected, label_of, windowed

KINDS = {
    "samples": "Sample photos in windows",
    "found": "Objects found in the photo",
    "mine": "Photos of my own",
}
MOST_MINE = 100
"""Pictures of a session's own gallery."""
_HELD = "_space_pictures"
_SEEN = "_space_files"
FIELD = state.Field("gallery", "samples", state.one_of(tuple(KINDS)))


def pick(photo: Photo) -> list[SmallPicture]:
    """Draw the choice in the sidebar and return the pictures.

    Args:
        photo: the page's photo.
    """
    st.selectbox("Gallery", tuple(KINDS), key="gallery", format_func=KINDS.__getitem__)
    kind = st.session_state["gallery"]
    if kind == "samples":
        return _samples()
    if kind == "found":
        return detected(photo, _traced(photo))
    return _mine()


@st.cache_resource(show_spinner=False)
def _samples() -> list[SmallPicture]:
    return [p for name in samples.names() for p in windowed(samples.sample(name), name)]


def _traced(photo: Photo) -> DetectionTrace:
    """What the default detector says of a photo."""
    device = devices.resolve(st.session_state.get("device", "auto"))
    card = weights.default_for_page("detection")
    found = engine.trace_of(engine.load_model(card.name, str(device)), photo)
    assert isinstance(found, DetectionTrace)
    return found


def _mine() -> list[SmallPicture]:
    """The session's own pictures; their pixels lie in the store of all photos."""
    st.toggle(
        "Take the objects found in them",
        key="space_crops",
        help="Each object that a detector finds becomes a picture of its own.",
    )
    given = st.file_uploader(
        "Photos for the gallery",
        type=caps.PHOTO_TYPES,
        max_upload_size=caps.PHOTO_FILE_MB,
        accept_multiple_files=True,
        key="space_files",
        help=f"At most {MOST_MINE} pictures. The class is the name without its number: cat_1.jpg "
        "and cat_2.jpg are of one class. They stay in your session.",
    )
    _take(given)
    rows: list[tuple[str, str, str]] = st.session_state.get(_HELD, [])
    if rows:
        st.button("Empty the gallery", key="space_clear", on_click=_clear, width="stretch")
    found = []
    for sha256, name, label in rows:
        photo = photo_store.store().get(sha256)
        if photo is not None:
            found.append(SmallPicture(photo, name, label))
    if lost := len(rows) - len(found):
        st.caption(
            f"The server no longer holds {lost} of these pictures, since newer photos took their "
            "place; upload them again."
        )
    return found


def _clear() -> None:
    st.session_state[_HELD] = []


def _take(given: Any) -> None:
    """Decode the files that are new."""
    seen: set[str] = st.session_state.setdefault(_SEEN, set())
    rows: list[tuple[str, str, str]] = st.session_state.setdefault(_HELD, [])
    fresh = [f for f in given or () if not isinstance(f, DeletedFile) and f.file_id not in seen]
    if not fresh:
        return
    bar = st.progress(0.0, text="Reading the photos …")
    for i, file in enumerate(fresh):
        seen.add(file.file_id)
        if len(rows) < MOST_MINE:
            rows += _read(file.getvalue(), file.name)
        photo_store.release(file)
        bar.progress((i + 1) / len(fresh), text=f"{i + 1} of {len(fresh)} photos")
    bar.empty()
    if len(rows) >= MOST_MINE:
        del rows[MOST_MINE:]
        state.note(f"A gallery of your own holds {MOST_MINE} pictures; the others were left out.")


def _read(data: bytes, name: str) -> list[tuple[str, str, str]]:
    """The pictures of a file: hash, name and class of each."""
    try:
        photo = decode(data, name)
    except UserError as error:
        state.note(str(error).replace(name, short(name)))
        return []
    if st.session_state["space_crops"]:
        made = detected(photo, _traced(photo))
        if not made:
            state.note(f"Nothing is found in {short(name)}; it was left out.")
    else:
        made = [SmallPicture(cut(photo, name=short(name)), short(name), short(label_of(name)))]
    for one in made:
        photo_store.store().put(one.photo.sha256, one.photo)
    return [(one.photo.sha256, one.name, one.label) for one in made]
