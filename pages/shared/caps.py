"""Caps in bytes of what all sessions share; whoever runs the server may set them."""

from __future__ import annotations

import os

MEGABYTE = 2**20


def from_environment(variable: str, megabytes: int) -> int:
    """Bytes of a cap; what the variable holds counts if it is a whole number above 0."""
    text = os.environ.get(variable, "").strip()
    return (int(text) if text.isdecimal() and int(text) else megabytes) * MEGABYTE


def photos() -> int:
    """Decoded photos of everybody together, bytes."""
    return from_environment("CONVSCOPE_PHOTO_MB", 1024)


def models() -> int:
    """Loaded models on one kind of device, bytes."""
    return from_environment("CONVSCOPE_MODEL_MB", 1536)


def teaching() -> int:
    """Networks that users teach, all of them together, bytes."""
    return from_environment("CONVSCOPE_TEACHING_MB", 512)


def galleries() -> int:
    """Photos of everybody's galleries together, bytes on disk."""
    return from_environment("CONVSCOPE_GALLERY_MB", 4096)
