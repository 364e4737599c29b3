"""Decoded photos of all sessions in one store with a cap in bytes.

A session keeps the name and the hash of what it was given, and asks for the pixels when it draws.
Thirty students who upload the same file share one copy; nobody can ask for a photo whose bytes
they have not given. When the store is full, the photo that was not looked at for longest goes.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared import caps
from pages.shared.plain import short
from vision_core.environment import MEGABYTE
from vision_core.errors import UserError
from vision_core.images import Photo, decode
from vision_core.inference.cache import ByteLRU


@dataclass(frozen=True)
class HeldPhoto:
    """A file that a user gave: its photo, or the sentence that says why there is none."""

    name: str
    photo: Photo | None = None
    error: str | None = None


@dataclass(frozen=True)
class Kept:
    """What a session keeps of a file: no pixels.

    Attributes:
        name: of the file.
        sha256: of its bytes; ``None`` for a file that is no photo.
        error: the sentence that says why, for such a file.
    """

    name: str
    sha256: str | None = None
    error: str | None = None

    @property
    def token(self) -> str:
        """How it stands in the address: its name and the start of its hash."""
        return f"{self.name}~{self.sha256[:10]}" if self.sha256 else self.name


@st.cache_resource(show_spinner=False)
def store() -> ByteLRU[Photo]:
    """The one store of this server, by the hash of the file."""
    return ByteLRU(caps.photos(), lambda photo: photo.pixels.nbytes, "photos")


def keep(data: bytes, name: str) -> Kept:
    """Decode a file into the store, if it is not there; a bad one keeps its sentence."""
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        store().get_or_make(sha256, lambda: decode(data, name))
    except UserError as error:
        return Kept(name, error=str(error).replace(name, short(name)))
    return Kept(name, sha256)


def entry(kept: Kept) -> HeldPhoto:
    """The file with its photo, or with the sentence that asks for it again."""
    if kept.sha256 is None:
        return HeldPhoto(kept.name, error=kept.error)
    photo = store().get(kept.sha256)
    if photo is None:
        return HeldPhoto(
            kept.name,
            error=f"The server no longer holds the photo {short(kept.name)}: it keeps "
            f"{caps.photos() // MEGABYTE} MB for everybody, and newer photos took its place. "
            "Please upload it again.",
        )
    # Whoever gave the same file first may have called it otherwise.
    return HeldPhoto(kept.name, dataclasses.replace(photo, name=kept.name))


def release(file: Any) -> None:
    """Let Streamlit forget its copy of an uploaded file, which would stay as long as the page."""
    context = get_script_run_ctx()
    if context is None or not isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        return
    context.uploaded_file_mgr.remove_file(session_id=context.session_id, file_id=file.file_id)
