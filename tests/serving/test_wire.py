"""What travels comes out as it went in, and what is no message is refused."""

from __future__ import annotations

import json
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.serving.alike import differences
from vision_core.records import Thresholds
from vision_core.records.targets import RegionTarget
from vision_core.serving.wire import DTYPES, MAGIC, RECORDS, BadMessage, pack, unpack

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda name: arrays.arrays(name, arrays.array_shapes(min_dims=0, min_side=0, max_side=5))
)
VALUES = st.recursive(
    PLAIN | ARRAYS | st.frozensets(st.integers()),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_comes_out_as_it_went_in(value) -> None:
    assert differences(value, unpack(pack(value))) == []


def test_records_come_out_as_they_went_in() -> None:
    value = (
        Thresholds(0.1, 0.2, "soft-linear", classes=frozenset({"dog", "cat"})),
        RegionTarget("sky", (0.1, 0.2, 0.3, 1 / 3)),
    )
    assert unpack(pack(value)) == value


def test_rows_columns_and_slices_of_arrays() -> None:
    table = np.arange(24, dtype=np.float32).reshape(4, 6)
    for array in (table[::2], table.T, table[:, 1:2], table[1:2], table[:0], table[:, ::-1]):
        there = unpack(pack(array))
        assert differences(array, there) == [] and not there.flags.writeable


@pytest.mark.parametrize(
    "value",
    [object(), b"bytes", {1: 2}, np.float32(1), {1, 2}, np.array(["text"]), np.array([None])],
)
def test_what_has_no_form_is_not_packed(value) -> None:
    with pytest.raises(TypeError):
        pack(value)


def _message(told: object, rest: bytes = b"", length: int | None = None) -> bytes:
    text = json.dumps(told).encode()
    raw = struct.pack("<I", len(text)) + text + rest
    return struct.pack("<4sQ", MAGIC, len(raw) if length is None else length) + zlib.compress(raw)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"CSV1",
        b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01a\x94.",  # a pickle
        pack({"a": np.zeros(9)})[:-3],
        pack({"a": np.zeros(9)}) + b"more",
        b"XXXX" + pack(1)[4:],
        _message([1, []], length=10**15),
        _message([1, []], length=3),
        _message([{"array": 0}, []]),
        _message([{"array": 0}, [["float32", [3]]]], b"12345678"),
        _message([{"array": 0}, [["float32", [10**12, 10**12]]]], b"12345678"),
        _message([{"array": 0}, [["float32", [-1]]]]),
        _message([{"array": 0}, [["object", [1]]]], b"12345678"),
        _message([1, [["float32", [1]]]], b"12345678"),
        _message([{"Popen": [["args", "ls"]]}, []]),
        _message([{"Thresholds": [["score", 7]]}, []]),
        _message([{"Thresholds": [["colour", 7]]}, []]),
        _message([{"Cut": []}, []]),
        _message([{"tuple": 7}, []]),
        _message([[1, 2], []]),
        _message([{"a": 1, "b": 2}, []]),
        _message(7),
    ],
)
def test_what_is_no_message_is_refused(data) -> None:
    with pytest.raises(BadMessage):
        unpack(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused(data) -> None:
    with pytest.raises(BadMessage):
        unpack(data)


@given(st.data())
def test_a_flipped_byte_is_refused_or_changes_only_the_value(data) -> None:
    good = pack({"a": np.arange(50.0), "b": ("text", 1.5)})
    where = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[where] ^= data.draw(st.integers(1, 255))
    try:
        unpack(bytes(bad))
    except BadMessage:
        pass


def test_a_small_message_cannot_become_a_large_one() -> None:
    bomb = struct.pack("<4sQ", MAGIC, 1000) + zlib.compress(bytes(10**8))
    assert len(bomb) < 10**6
    with pytest.raises(BadMessage):
        unpack(bomb)
    with pytest.raises(BadMessage, match="MB"):
        unpack(pack(np.zeros(10**6)), most=10**6)


def test_deep_nests_are_refused() -> None:
    deep: object = 1
    for _ in range(400):
        deep = {"list": [deep]}
    text = json.dumps([deep, []])
    for depth in (400, 200_000):
        inner = text if depth == 400 else '{"list":[' * depth
        raw = struct.pack("<I", len(inner)) + inner.encode()
        message = struct.pack("<4sQ", MAGIC, len(raw)) + zlib.compress(raw)
        try:
            unpack(message)
        except BadMessage:
            continue
        assert depth == 400


def test_only_records_travel() -> None:
    assert all(kind.__module__.startswith("vision_core.") for kind in RECORDS.values())
    assert all(kind.__dataclass_params__.frozen for kind in RECORDS.values())
