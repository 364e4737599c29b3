"""A file with weights that a user gave: where it lies, and how the app speaks of it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_core.errors import UserError


@dataclass
class Waiting:
    """A file that was given and is not taken yet.

    Attributes:
        name: as its owner calls it.
        path: where it lies, in a folder that goes with this object.
        size: bytes.
    """

    name: str
    path: Path
    size: int
    _folder: Any = None

    @classmethod
    def of(cls, name: str, data: bytes) -> Waiting:
        """Put a file into a folder of its own."""
        folder = tempfile.TemporaryDirectory(prefix="network-", ignore_cleanup_errors=True)
        ending = ".safetensors" if name.lower().endswith(".safetensors") else ".pth"
        path = Path(folder.name) / f"weights{ending}"
        path.write_bytes(data)
        return cls(name, path, len(data), folder)


class own_words:
    """Errors inside speak of a file under its owner's name, not of where it lies."""

    def __init__(self, file: Waiting) -> None:
        self._file = file

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, UserError):
            path = self._file.path
            text = str(error).replace(str(path), path.name).replace(path.name, self._file.name)
            error.args = (text,)
