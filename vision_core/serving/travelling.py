"""The names under which photos, traces and networks travel, known to both sides."""

from __future__ import annotations

import hashlib
from typing import TypeGuard

import numpy as np

from vision_core import models
from vision_core.errors import UserError
from vision_core.images import MAX_PIXELS, MAX_SIDE, Photo
from vision_core.models import Model
from vision_core.records import ClassificationTrace, DetectionTrace, Trace
from vision_core.serving.wire import BadMessage


def digest_of(pixels: np.ndarray) -> str:
    """SHA-256 of a photo's pixels and shape; the name and the file's own hash stay at home."""
    digest = hashlib.sha256(f"{pixels.shape}\n".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def photo_of(pixels: np.ndarray, digest: str) -> Photo:
    """A photo that came with its digest.

    Raises:
        BadMessage: the pixels are no photo's, or not those of the digest.
    """
    good = isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.ndim == 3
    if not good or pixels.shape[2] != 3 or not pixels.size:
        raise BadMessage("pixels that are no photo")
    if max(pixels.shape) > MAX_SIDE or pixels.shape[0] * pixels.shape[1] > MAX_PIXELS:
        raise BadMessage("pixels of too large a photo")
    if digest_of(pixels) != digest:
        raise BadMessage("pixels that do not have the digest under which they came")
    return Photo(pixels, digest, "photo", (pixels.shape[1], pixels.shape[0]))


def mark_of(trace: Trace) -> str:
    """SHA-256 of a trace's candidates, regions or classes: equal traces have equal ones."""
    if isinstance(trace, DetectionTrace):
        arrays = [trace.boxes_net, trace.scores, trace.label_ids]
    else:
        arrays = [trace.logits]
        if not isinstance(trace, ClassificationTrace):
            arrays.append(trace.class_map)
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def fingerprints(model: Model) -> tuple[str, ...]:
    """Of the network's weights, and of those of the network that finds its persons."""
    return (model.fingerprint, *(fingerprints(model.detector) if model.detector else ()))


def in_catalogue(model: object) -> TypeGuard[Model]:
    """Whether a network is one that a service can load: of the catalogue, with its own weights.

    Networks that were operated on, taught, brought by a user or made at random are not.
    """
    if not isinstance(model, Model) or not isinstance(model.fingerprint, str):
        return False
    try:
        known = models.card(model.name)
    except UserError:
        return False
    same = bool(known.sha256) and model.fingerprint.startswith(known.sha256)
    return same and (model.detector is None or in_catalogue(model.detector))
