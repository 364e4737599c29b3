"""Where many photos come from: a folder with all below it, or a zip file. No PyTorch here."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath
from types import TracebackType

from vision_core import images
from vision_core.errors import UserError

SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".mpo")
)
"""Endings of the files that are taken; what is inside decides whether they are photos."""


class Photos:
    """The photos of a folder or a zip file, read one at a time.

    Files whose name or folder starts with a dot, and a Mac's ``__MACOSX``, are left out.

    Attributes:
        path: of the folder or the zip file.
        names: paths inside it with ``/`` between, sorted.
    """

    def __init__(self, path: Path) -> None:
        """Look for photos.

        Raises:
            UserError: nothing is there, it is no zip file, or it holds no photo.
        """
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        found = self._listed()
        self._where = {_plain(name): name for name in found if _wanted(name)}
        self.names = tuple(sorted(self._where))
        if not self.names:
            self.close()
            raise UserError(
                f"{path} holds no photos; give a folder or a zip file with JPEG, PNG, WebP, GIF, "
                "BMP or TIFF files."
            )

    def _listed(self) -> list[str]:
        if self.path.is_dir():
            return [
                f.relative_to(self.path).as_posix() for f in self.path.rglob("*") if f.is_file()
            ]
        try:
            self._zip = zipfile.ZipFile(self.path)
        except OSError as error:
            raise UserError(
                f"{self.path} cannot be read ({error.strerror}); check the path."
            ) from None
        except (zipfile.BadZipFile, NotImplementedError, ValueError):
            raise UserError(
                f"{self.path} is no folder and no zip file; give one of the two."
            ) from None
        return [entry.filename for entry in self._zip.infolist() if not entry.is_dir()]

    def __enter__(self) -> Photos:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the zip file."""
        if self._zip is not None:
            self._zip.close()

    def photo(self, name: str) -> images.Photo:
        """Read and decode one photo.

        Raises:
            UserError: it cannot be read, or is no photo.
        """
        return images.decode(self.data(name), name)

    def data(self, name: str) -> bytes:
        """The bytes of a file, cut just above the greatest size that is decoded.

        Raises:
            UserError: it cannot be read.
        """
        where = self._where.get(name, name)
        try:
            if self._zip is None:
                with open(self.path / where, "rb") as stream:
                    return stream.read(images.MAX_BYTES + 1)
            with self._zip.open(where) as member:
                return member.read(images.MAX_BYTES + 1)
        except OSError as error:
            raise UserError(f"{name} cannot be read ({error.strerror}); check the path.") from None
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            KeyError,
            NotImplementedError,
            RuntimeError,  # it has a password
            ValueError,
        ) as error:
            told = " ".join(str(error).split())[:80]
            raise UserError(
                f"{name} cannot be taken out of the zip file ({told}); pack it again."
            ) from None


def _plain(name: str) -> str:
    """A name that every file can hold; bytes that are no UTF-8 become ``\\udc..``, still unique."""
    return name.encode("utf-8", "backslashreplace").decode()


def _wanted(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden
