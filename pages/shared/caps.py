"""Caps in bytes of what all sessions share; whoever runs the server may set them."""

from __future__ import annotations

from vision_core.environment import megabytes


def photos() -> int:
    """Decoded photos of everybody together, bytes."""
    return megabytes("CONVSCOPE_PHOTO_MB", 1024)


def models() -> int:
    """Loaded models on one kind of device, bytes."""
    return megabytes("CONVSCOPE_MODEL_MB", 1536)


def teaching() -> int:
    """Networks that users teach, all of them together, bytes."""
    return megabytes("CONVSCOPE_TEACHING_MB", 512)


def galleries() -> int:
    """Photos of everybody's galleries together, bytes on disk."""
    return megabytes("CONVSCOPE_GALLERY_MB", 4096)
