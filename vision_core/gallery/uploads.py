"""Photos that are given one by one, or in zip files, as one zip file on disk. No PyTorch here."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vision_core.errors import UserError
from vision_core.gallery.sources import Photos

MOST = 10_000
"""Photos of one box."""


@dataclass(frozen=True)
class Taken:
    """What came of a file.

    Attributes:
        new: photos that were not there yet.
        told: a sentence for each photo of a zip file that could not be taken out.
    """

    new: int
    told: tuple[str, ...] = ()


class PhotoBox:
    """Photos in a folder of their own, which goes when the box does; none stays in memory.

    Attributes:
        folder: where the photos lie; other files may lie there too.
        names: of the photos, sorted.
        nbytes: of the files.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="photos-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self._sizes: dict[str, tuple[int, int]] = {}
        self.names: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        return sum(size for size, _ in self._sizes.values())

    @property
    def path(self) -> Path:
        """Of the zip file with all photos."""
        return self.folder / "photos.zip"

    def close(self) -> None:
        """Delete the folder with all that lies in it."""
        self._folder.cleanup()

    def photos(self) -> Photos:
        """The photos, read one at a time; to be closed.

        Raises:
            UserError: there are none.
        """
        return Photos(self.path)

    def add(self, name: str, data: bytes, room: int) -> Taken:
        """Take in a photo, or all photos of a zip file; whether it is one is seen when it is read.

        A photo that is there already, name and bytes, is passed over; one of the same name with
        other bytes gets a number.

        Args:
            name: of the file.
            data: its bytes.
            room: bytes that may still be stored.

        Raises:
            UserError: no zip file, no photo in it, or no room; what came before that stays.
        """
        own = PurePosixPath(name).name.lstrip(".") or "photo.jpg"
        if PurePosixPath(own).suffix.lower() != ".zip":
            return Taken(self._store([(own, data)], room))
        given, told = self.folder / "given.zip", list[str]()
        given.write_bytes(data)
        try:
            with Photos(given) as photos:
                return Taken(self._store(_members(photos, told), room), tuple(told))
        except UserError as error:
            raise UserError(str(error).replace(str(given), own)) from None
        finally:
            given.unlink()

    def _store(self, files: Iterable[tuple[str, bytes]], room: int) -> int:
        new = 0
        try:
            with zipfile.ZipFile(self.path, "a", zipfile.ZIP_STORED) as made:
                for name, data in files:
                    mark = (len(data), zlib.crc32(data))
                    if (free := self._free(name, mark)) is None:
                        continue
                    room -= len(data)
                    if room < 0 or len(self._sizes) >= MOST:
                        raise UserError(
                            f"{name} and what came after it had no room; {len(self._sizes)} photos "
                            "are there. For more, use the command evaluate --photos."
                        )
                    made.writestr(free, data)
                    self._sizes[free] = mark
                    new += 1
        except OSError as error:
            raise UserError(f"The server cannot keep these photos ({error.strerror}).") from None
        finally:
            self.names = tuple(sorted(self._sizes))
        return new

    def _free(self, name: str, mark: tuple[int, int]) -> str | None:
        """The name under which a photo is stored; ``None`` if it is there already."""
        path, number, free = PurePosixPath(name), 1, name
        while free in self._sizes:
            if self._sizes[free] == mark:
                return None
            number += 1
            free = str(path.with_stem(f"{path.stem} ({number})"))
        return free


def _members(photos: Photos, told: list[str]) -> Iterator[tuple[str, bytes]]:
    """The photos of a zip file, one after the other; what cannot be taken out is told."""
    for name in photos.names:
        try:
            data = photos.data(name)
        except UserError as error:
            told.append(str(error))
        else:
            yield name, data
