"""Pictures as files: JPEG for photos, PNG for everything whose pixels mean something exactly."""

from __future__ import annotations

import base64
import io

import cv2
import numpy as np
from PIL import Image

from vision_core.figures.canvas import MAX_WIDTH, fitted
from vision_core.images import Photo


def png(picture: np.ndarray, level: int = 3) -> bytes:
    """PNG file of a uint8 picture, [H, W], [H, W, 3] RGB or [H, W, 4] RGBA."""
    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, order[picture.shape[2]])
    return _encoded(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, level])


def jpeg(photo: Photo, max_width: int = MAX_WIDTH, quality: int = 88) -> bytes:
    """JPEG file of a photo, at most ``max_width`` pixels wide."""
    picture, _ = fitted(photo, max_width)
    return _encoded(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )


def data_url(file: bytes, kind: str) -> str:
    """A picture file as a ``data:`` URL; ``kind`` is ``png``, ``jpeg``, ``gif`` or ``svg+xml``."""
    return f"data:image/{kind};base64,{base64.b64encode(file).decode()}"


def indexed_png(ids: np.ndarray, table: np.ndarray, level: int = 1) -> bytes:
    """PNG file with a palette: one byte per pixel, so that large maps encode in milliseconds.

    Args:
        ids: uint8 [H, W], rows of the table.
        table: uint8 [256, 4], RGBA.
        level: of the compression, 1 to 9.
    """
    image = Image.fromarray(ids)
    image.putpalette(np.ascontiguousarray(table[:, :3]).tobytes(), "RGB")
    out = io.BytesIO()
    image.save(out, "PNG", transparency=table[:, 3].tobytes(), compress_level=level)
    return out.getvalue()


def _encoded(kind: str, picture: np.ndarray, options: list[int]) -> bytes:
    done, data = cv2.imencode(kind, picture, options)
    if not done:
        raise RuntimeError(f"OpenCV could not write a {kind} file of shape {picture.shape}")
    return data.tobytes()
