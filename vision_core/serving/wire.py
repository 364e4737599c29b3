"""What travels between an app server and the service, as bytes; reading it can run no code.

A message is four letters, the length of what follows when unpacked, and that, compressed by zlib:
a JSON text of the value, in which arrays are numbered, and then the arrays. Of the numbers in an
array the first bytes come together, then the second ones, and so on: floats that are alike differ
in the last bytes only, so that it packs smaller, and faster.
"""

from __future__ import annotations

import dataclasses
import json
import math
import struct
import zlib
from typing import Any

import numpy as np

from vision_core.attribution.estimates import Attribution
from vision_core.environment import MEGABYTE
from vision_core.inference.parts import Regions
from vision_core.records import (
    AnchorField,
    ClassificationTrace,
    Cut,
    DetectionTrace,
    SegmentationTrace,
    Thresholds,
    TraceInfo,
)
from vision_core.records.targets import (
    BoxTarget,
    ClassTarget,
    JointTarget,
    ListedTarget,
    RegionTarget,
    UnitTarget,
)

MAGIC = b"CSV1"
LEVEL = 1  # of zlib: higher ones take twice the time for a twentieth less
MOST = 256 * MEGABYTE
"""Bytes of a message when unpacked: a map of a 4-megapixel photo in three colours has 48."""
DTYPES = ("bool", "uint8", "int32", "int64", "float32", "float64")
RECORDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        AnchorField,
        Attribution,
        BoxTarget,
        ClassTarget,
        ClassificationTrace,
        Cut,
        DetectionTrace,
        JointTarget,
        ListedTarget,
        RegionTarget,
        Regions,
        SegmentationTrace,
        Thresholds,
        TraceInfo,
        UnitTarget,
    )
}
"""The records that may travel; a message can make nothing else."""
_HEAD = struct.Struct("<4sQ")
_LENGTH = struct.Struct("<I")


class BadMessage(ValueError):
    """Bytes that are no message, or one that is too large."""


def pack(value: Any) -> bytes:
    """A value as bytes.

    Args:
        value: numbers, texts, ``None``, tuples, lists, dicts with texts as keys, frozen sets,
            arrays of ``DTYPES`` and ``RECORDS``, in each other.

    Raises:
        TypeError: something else is in it.
    """
    arrays: list[np.ndarray] = []
    told = _plain(value, arrays)
    forms = [[array.dtype.name, list(array.shape)] for array in arrays]
    text = json.dumps([told, forms], separators=(",", ":")).encode()
    packer = zlib.compressobj(LEVEL)
    pieces = [packer.compress(_LENGTH.pack(len(text)) + text)]
    pieces += [packer.compress(_shuffled(array)) for array in arrays]
    length = _LENGTH.size + len(text) + sum(array.nbytes for array in arrays)
    return b"".join((_HEAD.pack(MAGIC, length), *pieces, packer.flush()))


def unpack(data: bytes, most: int = MOST) -> Any:
    """The value that was packed, with read-only arrays.

    Args:
        data: of ``pack``.
        most: bytes of it when unpacked.

    Raises:
        BadMessage: it is none, is cut off, or is larger.
    """
    try:
        raw = _unpacked(data, most)
        (length,) = _LENGTH.unpack_from(raw)
        text, rest = raw[_LENGTH.size : _LENGTH.size + length], raw[_LENGTH.size + length :]
        told, forms = json.loads(text)
        return _valued(told, _arrays(forms, memoryview(rest)))
    except BadMessage:
        raise
    # what a wrong text makes of the readers and of the records; nothing in it was carried out
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error) as error:
        raise BadMessage(f"no message: {type(error).__name__}") from None
    except (zlib.error, RecursionError, OverflowError) as error:
        raise BadMessage(f"no message: {type(error).__name__}") from None


def _unpacked(data: bytes, most: int) -> bytes:
    magic, length = _HEAD.unpack_from(data)
    if magic != MAGIC:
        raise BadMessage("no message: other first letters")
    if length > most:
        raise BadMessage(f"a message of {length / MEGABYTE:.0f} MB")
    reader = zlib.decompressobj()
    raw = reader.decompress(memoryview(data)[_HEAD.size :], length + 1)
    if len(raw) != length or not reader.eof or reader.unused_data:
        raise BadMessage("a message that is cut off or longer than it says")
    return raw


def _shuffled(array: np.ndarray) -> bytes:
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(np.uint8).reshape(-1, array.itemsize).T.tobytes()


def _arrays(forms: Any, rest: memoryview) -> list[np.ndarray]:
    found, start = [], 0
    for name, shape in forms:
        if name not in DTYPES or not all(type(side) is int and side >= 0 for side in shape):
            raise BadMessage("no message: an array of another kind")
        kind = np.dtype(name)
        count = math.prod(shape)
        stop = start + count * kind.itemsize
        if stop > len(rest):
            raise BadMessage("a message whose arrays are cut off")
        array = np.zeros(shape, kind)
        if count:
            columns = np.frombuffer(rest[start:stop], np.uint8).reshape(kind.itemsize, count)
            array = np.frombuffer(columns.T.tobytes(), kind).reshape(shape)
        array.setflags(write=False)
        found.append(array)
        start = stop
    if start != len(rest):
        raise BadMessage("a message with something behind its arrays")
    return found


def _plain(value: Any, arrays: list[np.ndarray]) -> Any:
    """The value for JSON: what JSON has no word for is an object of one pair."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray):
        if value.dtype.name not in DTYPES:
            raise TypeError(f"arrays of {value.dtype} do not travel")
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if type(value) in (tuple, list):
        return {type(value).__name__: [_plain(item, arrays) for item in value]}
    if type(value) is frozenset:
        return {"set": [_plain(item, arrays) for item in sorted(value)]}
    if type(value) is dict and all(type(key) is str for key in value):
        return {"dict": [[key, _plain(item, arrays)] for key, item in value.items()]}
    if RECORDS.get(name := type(value).__name__) is type(value):
        fields = dataclasses.fields(RECORDS[name])
        return {name: [[f.name, _plain(getattr(value, f.name), arrays)] for f in fields]}
    raise TypeError(f"{name} does not travel")


def _valued(told: Any, arrays: list[np.ndarray]) -> Any:
    if not isinstance(told, dict):
        if isinstance(told, list):
            raise BadMessage("no message: a bare list")
        return told
    ((kind, inner),) = told.items()
    if kind == "array":
        return arrays[inner]
    if kind == "dict" or kind in RECORDS:
        pairs = {key: _valued(item, arrays) for key, item in inner}
        return pairs if kind == "dict" else RECORDS[kind](**pairs)
    makers: dict[str, type] = {"tuple": tuple, "list": list, "set": frozenset}
    return makers[kind](_valued(item, arrays) for item in inner)
