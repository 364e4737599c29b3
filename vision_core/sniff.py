"""What kind of file some bytes are, told by the bytes and never by the name."""

from __future__ import annotations

from pathlib import PurePath

READABLE = "JPEG, PNG, WebP, GIF, BMP or TIFF"

# (offset, magic bytes, format). The formats that `images.decode` reads.
_PICTURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (8, b"WEBP", "WebP"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (0, b"II+\x00", "TIFF"),
    (0, b"MM\x00+", "TIFF"),
)

# (offset, magic bytes, what it is, what to do). Files that people take for photos.
_SAVE = "save or export it as JPEG or PNG"
_OTHERS: tuple[tuple[int, bytes, str, str], ...] = (
    (4, b"ftypheic", "a HEIC picture", _SAVE),
    (4, b"ftypheix", "a HEIC picture", _SAVE),
    (4, b"ftyphevc", "a HEIC picture", _SAVE),
    (4, b"ftypmif1", "a HEIC or AVIF picture", _SAVE),
    (4, b"ftypmsf1", "a HEIC picture", _SAVE),
    (4, b"ftypavif", "an AVIF picture", _SAVE),
    (4, b"ftypavis", "an AVIF picture", _SAVE),
    (4, b"ftypcrx ", "a camera raw file", _SAVE),
    (4, b"ftyp", "a video", "take a still picture from it and choose that"),
    (0, b"\x1aE\xdf\xa3", "a video", "take a still picture from it and choose that"),
    (8, b"AVI ", "a video", "take a still picture from it and choose that"),
    (0, b"%PDF", "a PDF document", "export the page as PNG"),
    (0, b"PK\x03\x04", "a ZIP archive or an office document", "unpack it and choose the picture"),
    (0, b"\x1f\x8b", "a gzip archive", "unpack it and choose the picture"),
    (0, b"8BPS", "a Photoshop document", _SAVE),
    (0, b"\xff\x0a", "a JPEG XL picture", _SAVE),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture", _SAVE),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture", _SAVE),
    (0, b"\x00\x00\x01\x00", "an icon file", _SAVE),
    (0, b"\x93NUMPY", "a NumPy array", "open it in Python and use from_array"),
)

_SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".mpo": "JPEG",
    ".png": "PNG",
    ".apng": "PNG",
    ".webp": "WebP",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".dib": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".heic": "HEIC",
    ".avif": "AVIF",
    ".svg": "SVG",
    ".pdf": "PDF",
    ".txt": "text",
}


def picture_format(data: bytes) -> str | None:
    """The readable format whose magic bytes the data starts with, e.g. ``"JPEG"``, or ``None``."""
    for offset, magic, kind in _PICTURES:
        if data[offset : offset + len(magic)] == magic:
            return None if kind == "WebP" and data[:4] != b"RIFF" else kind
    return None


def what_instead(data: bytes) -> tuple[str, str]:
    """What a file is that is no readable picture, and what to do: two pieces of a sentence."""
    for offset, magic, what, todo in _OTHERS:
        if data[offset : offset + len(magic)] == magic:
            return what, todo
    head = data[:4096]
    if b"<svg" in head.lower():
        return "an SVG drawing", "export it as PNG"
    if b"<html" in head.lower() or b"<!doctype html" in head.lower():
        return "a web page", "download the picture itself"
    if _is_text(head):
        return "a text file", f"choose a {READABLE} picture"
    return "no picture that can be read here", f"choose a {READABLE} picture"


def format_of_name(name: str) -> str | None:
    """The format that the file name's extension promises, or ``None`` where it promises none."""
    return _SUFFIXES.get(PurePath(name).suffix.lower())


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # not merely a character cut in two at the end
            return False
        text = head[: error.start].decode("utf-8")
    return all(c.isprintable() or c in "\r\n\t\f\ufeff" for c in text)
