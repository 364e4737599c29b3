"""Which edition of the program a process runs: two that differ never work together.

The digest covers every Python file of ``vision_core``, so that no number has to be raised by hand,
and the versions of the packages that compute. Builds of PyTorch for CPU and GPU are one version.
"""

from __future__ import annotations

import functools
import hashlib
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numpy", "torch", "torchvision")
ROOT = Path(__file__).resolve().parents[1]


@functools.cache
def edition() -> str:
    """The edition of this process, a text of 16 letters and the version of PyTorch."""
    return edition_of(ROOT)


def edition_of(folder: Path) -> str:
    """The edition that the Python files of a folder make with the packages of this process."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        text = file.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{file.relative_to(folder).as_posix()} {len(text)}\n".encode() + text)
    versions = [f"{name} {version(name).partition('+')[0]}" for name in PACKAGES]
    digest.update(" ".join(versions).encode())
    return f"{digest.hexdigest()[:16]} ({versions[1]})"
