"""Colours as a file means them, to sRGB: its ICC profile, Lab and CMYK."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

MAX_PROFILE_BYTES = 8 * 1024 * 1024  # printers' profiles have up to 3
_SAME = 2  # levels; profiles that differ less from sRGB are sRGB written by someone else


def to_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """The picture in sRGB, by its profile where it has one.

    Args:
        image: mode ``L``, ``LA``, ``RGB``, ``RGBA``, ``CMYK`` or ``LAB``.
        profile: the file's ICC profile.
        notes: what had to be done is appended.

    Returns:
        mode ``RGB``, ``RGBA``, or ``L`` or ``LA`` where no colour changed.
    """
    if image.mode == "LAB":
        notes.append("converted from Lab colour")
        lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, lab, rgb, outputMode="RGB") or image
    found = _by_profile(image, profile, notes) if profile else None
    if image.mode == "CMYK":
        notes.append("converted from CMYK colour")
    if found is None:
        return image.convert("RGB") if image.mode == "CMYK" else image
    return found


def _by_profile(image: Image.Image, profile: bytes, notes: list[str]) -> Image.Image | None:
    """None where the profile is sRGB, or of no use, which is noted."""
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    try:
        if len(profile) > MAX_PROFILE_BYTES:
            raise ValueError("too long")
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        base = _in_space(image, source.profile.xcolor_space.strip())
        transform = ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), base.mode, "RGB"
        )
        if base.mode != "CMYK" and _changes_little(transform, base.mode):
            return None
        converted = ImageCms.applyTransform(base, transform)
    except Exception:  # lcms and Pillow raise many types on damaged profiles
        notes.append("its colour profile is damaged or of another kind, and is not used")
        return None
    assert converted is not None
    notes.append("colours converted to sRGB by the file's colour profile")
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _in_space(image: Image.Image, space: str) -> Image.Image:
    """The picture without alpha in the profile's own space; raises ValueError for another one."""
    if space == "GRAY" and image.mode in ("L", "LA"):
        return image.getchannel(0)
    if space == "RGB" and image.mode != "CMYK":
        return image.convert("RGB")
    if space == "CMYK" == image.mode:
        return image
    raise ValueError(f"a profile of {space} for a picture of {image.mode}")


def _changes_little(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether no colour of a lattice moves by more than ``_SAME`` levels."""
    if mode == "L":
        before = np.arange(256, dtype=np.uint8)[None]
    else:
        steps = np.linspace(0, 255, 18).astype(np.uint8)
        before = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    probe = Image.fromarray(before)
    after = np.asarray(ImageCms.applyTransform(probe, transform), np.int16)
    return int(np.abs(after - np.asarray(probe.convert("RGB"), np.int16)).max()) <= _SAME
