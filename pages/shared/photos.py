"""The photo picker: samples, uploads and the camera; every photo stays in its own session."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile

from pages.components import canvas
from pages.shared import caps, photo_store, state
from pages.shared.photo_store import HeldPhoto, Kept
from pages.shared.plain import plain
from pages.shared.state import Field
from vision_core import samples
from vision_core.figures.canvas import fitted
from vision_core.figures.colours import INPUT, KERNEL
from vision_core.images import Photo, from_array

MAX_PHOTOS = 10  # a session holds so many uploads
MAX_RATE, RATE_SECONDS = 60, 300  # and gives at most so many in so many seconds
_CAMERA = "_camera_open"  # the visit to a page on which the user opened it
_THUMB = (120, 90)
SOURCES = ("sample", "upload", "camera")
_WORDS = {"sample": "Sample", "upload": "Upload", "camera": "Camera"}


def fields() -> tuple[Field, ...]:
    """The picker's fields."""
    first = samples.names()[0]
    return (
        Field("source", "sample", state.one_of(SOURCES)),
        Field("photo", first, state.one_of(samples.names())),
        Field("file", ""),
    )


def pick() -> HeldPhoto | None:
    """Draw the picker and return what is to be shown, ``None`` while nothing is chosen."""
    state.use(*fields())
    st.segmented_control(
        "Photo",
        SOURCES,
        key="source",
        format_func=_WORDS.__getitem__,
        width="stretch",
        required=True,
        on_change=_switched,
    )
    source = st.session_state["source"]
    if source == "sample":
        names = samples.names()
        st.selectbox(
            "Sample",
            names,
            key="photo",
            label_visibility="collapsed",
            format_func=lambda n: samples.info(n).title,
        )
        entry = samples.info(st.session_state["photo"])
        st.caption(entry.credit)
        return HeldPhoto(entry.name, samples.sample(entry.name))
    if source == "upload":
        return _upload()
    return _camera()


def strip() -> None:
    """The uploads as thumbnails to walk through, above the picture when there are several."""
    entries = list(_uploads().values())
    if st.session_state.get("source") != "upload" or len(entries) < 2:
        return
    now = _current_index(entries)
    back, middle, on = st.columns([3, 8, 3], vertical_alignment="center", gap="small")
    back.button(
        "Previous",
        on_click=_walk,
        args=(-1,),
        shortcut="Shift+Left",
        key="previous",
        icon=":material/chevron_left:",
        width="stretch",
    )
    on.button(
        "Next",
        on_click=_walk,
        args=(1,),
        shortcut="Shift+Right",
        key="next",
        icon=":material/chevron_right:",
        width="stretch",
    )
    with middle:
        sheet, scene = _sheet(entries)
        canvas.picture(
            sheet,
            scene,
            key="strip",
            selected=now,
            tallest="5.5rem",
            on_pick=lambda pick: _show(pick.get("id", -1)),
        )


def _uploads() -> dict[str, Kept]:
    return st.session_state.setdefault("_uploads", {})


def _upload() -> HeldPhoto | None:
    st.file_uploader(
        "Photos",
        type=caps.PHOTO_TYPES,
        max_upload_size=caps.PHOTO_FILE_MB,
        accept_multiple_files=True,
        key="files",
        on_change=_take_files,
        label_visibility="collapsed",
    )
    # What this page's uploader lists; it lists nothing of what was given on another page.
    st.session_state["_upload_ids"] = {f.file_id for f in st.session_state.get("files") or []}
    entries = list(_uploads().values())
    if not entries:
        wanted = st.session_state["file"].rpartition("~")[0] or st.session_state["file"]
        st.info(
            f"This view was made with the photo “{plain(wanted)}”; upload that file to see it."
            if wanted
            else "Choose one or several photos. They stay in this browser session.",
            icon=":material/upload:",
        )
        return None
    kept = entries[_current_index(entries)]
    # The uploader names only what was given on this page.
    if len(entries) > 1:
        st.caption(
            f"{entries.index(kept) + 1} of {len(entries)}: {plain(kept.name)} "
            "(Shift and an arrow key show the next one)"
        )
    else:
        st.caption(f"Photo: {plain(kept.name)}")
    return photo_store.entry(kept)


def _take_files() -> None:
    """Decode what is new, forget what the user removed, keep what came before a page switch."""
    given: list[Any] = st.session_state.get("files") or []
    seen = st.session_state.setdefault("_upload_ids", set())
    for gone in seen - {f.file_id for f in given}:
        _uploads().pop(gone, None)
    asked = st.session_state.get("file", "")
    if (first := _decoded(given)) and asked not in {e.token for e in _uploads().values()}:
        state.put("file", first.token)


def _decoded(given: Sequence[Any]) -> Kept | None:
    """Decode the files that are new; the first of them."""
    uploads = _uploads()
    # What was released before is listed too, without its bytes.
    held = [f for f in given if not isinstance(f, DeletedFile)]
    fresh = allowed([f for f in held if f.file_id not in uploads])
    for file in fresh:
        uploads[file.file_id] = photo_store.keep(file.getvalue(), file.name)
        photo_store.release(file)
    first = uploads[fresh[0].file_id] if fresh else None
    for oldest in list(uploads)[: max(len(uploads) - MAX_PHOTOS, 0)]:
        del uploads[oldest]
        state.note(f"A session holds {MAX_PHOTOS} photos; the oldest was removed.")
    return first


def allowed(fresh: list[Any]) -> list[Any]:
    """Those of the new files that are decoded: no session may keep the server busy alone."""
    now = time.monotonic()
    times = [t for t in st.session_state.get("_upload_times", []) if now - t < RATE_SECONDS]
    room = min(MAX_PHOTOS, MAX_RATE - len(times))
    for file in fresh[room:]:
        photo_store.release(file)
    if len(fresh) > room:
        state.note(
            f"{len(fresh)} photos at once are too many: at most {MAX_PHOTOS} are taken at a time, "
            f"and {MAX_RATE} in {RATE_SECONDS // 60} minutes."
        )
    st.session_state["_upload_times"] = times + [now] * len(fresh[:room])
    return fresh[:room]


def take(given: Sequence[Any]) -> None:
    """Take up files that were given on another page, and choose the first of them.

    Args:
        given: what ``st.file_uploader`` returns for several files.
    """
    if first := _decoded(given):
        state.use(*fields())
        state.put("source", "upload")
        state.put("file", first.token)


def open_bytes(data: bytes, name: str) -> str | None:
    """Take up a photo that the page itself holds, such as one of many.

    Args:
        data: of the file.
        name: its name.

    Returns:
        how it stands in the address; ``None`` for a file that is no photo.
    """
    kept = photo_store.keep(data, name)
    if kept.sha256 is None:
        return None
    uploads = _uploads()
    uploads.pop(f"own-{kept.token}", None)
    uploads[f"own-{kept.token}"] = kept
    for oldest in list(uploads)[: max(len(uploads) - MAX_PHOTOS, 0)]:
        del uploads[oldest]
    state.use(*fields())
    state.put("source", "upload")
    state.put("file", kept.token)
    return kept.token


def _camera() -> HeldPhoto | None:
    """The last shot; the camera itself runs until the user leaves the page where it was chosen."""
    if st.session_state.get(_CAMERA) != state.visit():
        again = st.session_state.get("_shot") is not None
        st.button(
            "Take another photo" if again else "Open the camera",
            on_click=_open_camera,
            icon=":material/photo_camera:",
            width="stretch",
            key="open_camera",
        )
        return _last_shot()
    shot = st.camera_input("Camera", key="shot", label_visibility="collapsed")
    if shot is not None:
        held = st.session_state.get("_shot")
        if held is None or held[0] != shot.file_id:
            kept = photo_store.keep(shot.getvalue(), "camera.jpg")
            photo_store.release(shot)
            st.session_state["_shot"] = (shot.file_id, kept)
    return _last_shot()


def _last_shot() -> HeldPhoto | None:
    _, kept = st.session_state.get("_shot") or (None, None)
    return None if kept is None else photo_store.entry(kept)


def _switched() -> None:
    """The user chose a source; a link, or another page, opens no camera."""
    if st.session_state["source"] == "camera":
        _open_camera()


def _open_camera() -> None:
    st.session_state[_CAMERA] = state.visit()


def _current_index(entries: list[Kept]) -> int:
    tokens = [e.token for e in entries]
    wanted = st.session_state.get("file", "")
    return tokens.index(wanted) if wanted in tokens else 0


def _walk(step: int) -> None:
    entries = list(_uploads().values())
    _show((_current_index(entries) + step) % len(entries))


def _show(index: int) -> None:
    entries = list(_uploads().values())
    if 0 <= index < len(entries):
        state.put("file", entries[index].token)


def _sheet(uploads: list[Kept]) -> tuple[Photo, canvas.Scene]:
    """The thumbnails side by side, and a box around each."""
    width, height = _THUMB
    entries = [photo_store.entry(kept) for kept in uploads]
    sheet = np.full((height, width * len(entries), 3), 200, np.uint8)
    for i, entry in enumerate(entries):
        if entry.photo is not None:
            fits = entry.photo.width * height // entry.photo.height
            small = fitted(entry.photo, max(1, min(width, fits)))[0][:height, :width]
            top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2 + i * width
            sheet[top : top + small.shape[0], left : left + small.shape[1]] = small
    n = len(entries)
    scene = canvas.Scene(
        boxes=[[i * width + 3, 3, (i + 1) * width - 3, height - 3] for i in range(n)],
        ids=list(range(n)),
        labels=[e.name if e.photo else f"{e.name} (not usable)" for e in entries],
        scores=[None] * n,
        colours=[INPUT if e.photo else KERNEL for e in entries],
        dashes=[() if e.photo else (2, 2) for e in entries],
        captions=False,
        description=f"{n} photos; arrow keys walk them.",
    )
    return from_array(sheet, "strip"), scene
