"""A small folder of photos for the tests of the gallery."""

from __future__ import annotations

import zipfile
from pathlib import Path

from PIL import Image

from vision_core import samples


def folder(path: Path) -> Path:
    """Three photos, one of them in a folder below, a broken one, and files that are no photos."""
    (path / "below").mkdir(parents=True)
    for name, place in (("cat", "cat.png"), ("coffee", "below/coffee.jpg"), ("china", "z.png")):
        picture = Image.fromarray(samples.sample(name).pixels)
        picture.thumbnail((160, 160))
        picture.save(path / place)
    whole = (path / "cat.png").read_bytes()
    (path / "broken.png").write_bytes(whole[: len(whole) // 3])
    (path / "._cat.png").write_bytes(b"what a Mac leaves behind")
    (path / "notes.txt").write_text("no photo")
    return path


def packed(source: Path, path: Path) -> Path:
    """The same as a zip file."""
    with zipfile.ZipFile(path, "w") as made:
        for file in sorted(source.rglob("*")):
            made.write(file, file.relative_to(source))
        made.writestr("__MACOSX/cat.png", b"")
    return path
