"""Which files are taken, and caps in bytes of what all sessions share.

Whoever runs the server may set the caps.
"""

from __future__ import annotations

from vision_core.environment import megabytes

PHOTO_TYPES = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"]
"""Endings of the files that a photo may come as."""
PHOTO_FILE_MB = 25
"""Of a photo, a COCO file, a zip file; the server itself takes as much as a network's file has."""
NETWORK_FILE_MB = 300
"""Of a network's file: as large as ``server.maxUploadSize`` in ``.streamlit/config.toml``."""


def photos() -> int:
    """Decoded photos of everybody together, bytes."""
    return megabytes("CONVSCOPE_PHOTO_MB", 1024)


def models() -> int:
    """Loaded models on one kind of device, bytes."""
    return megabytes("CONVSCOPE_MODEL_MB", 1536)


def teaching() -> int:
    """Networks that users teach, all of them together, bytes."""
    return megabytes("CONVSCOPE_TEACHING_MB", 512)


def style() -> int:
    """Pictures that users grow in the style of others, all together, bytes."""
    return megabytes("CONVSCOPE_STYLE_MB", 384)


def own_networks() -> int:
    """Networks that users bring, all of them together, bytes; one session gets half of it."""
    return megabytes("CONVSCOPE_OWN_MB", 1200)


def galleries() -> int:
    """Photos of everybody's galleries together, bytes on disk."""
    return megabytes("CONVSCOPE_GALLERY_MB", 4096)
