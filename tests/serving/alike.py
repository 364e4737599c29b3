"""What the tests of the service share: hosts, networks, and whether two records are the same."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from vision_core.serving.host import Host
from vision_core.serving.service import Service

TIMES = ("timing_ms",)
"""Fields that tell how long something took."""


@contextmanager
def hosted(service: Service | None = None, token: str = "", port: int = 0) -> Iterator[Host]:
    """A service at an address of this machine, until the block ends."""
    host = Host(service or Service("cpu"), ("127.0.0.1", port), token)
    thread = threading.Thread(target=host.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield host
    finally:
        host.shutdown()
        host.server_close()
        thread.join(30)


def differences(one: Any, other: Any, at: str = "") -> list[str]:
    """Where two values differ: in type, form or any bit of an array; times are passed over."""
    if type(one) is not type(other):
        return [f"{at}: {type(one).__name__} and {type(other).__name__}"]
    if isinstance(one, np.ndarray):
        same = one.dtype == other.dtype and one.shape == other.shape
        return [] if same and one.tobytes() == other.tobytes() else [at]
    if dataclasses.is_dataclass(one):
        names = [f.name for f in dataclasses.fields(one) if f.name not in TIMES]
        return [
            d for n in names for d in differences(getattr(one, n), getattr(other, n), f"{at}.{n}")
        ]
    if isinstance(one, list | tuple):
        if len(one) != len(other):
            return [f"{at}: {len(one)} and {len(other)}"]
        pairs = enumerate(zip(one, other, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{at}[{i}]")]
    if isinstance(one, dict):
        if list(one) != list(other):
            return [f"{at}: other keys"]
        return [d for k in one for d in differences(one[k], other[k], f"{at}[{k!r}]")]
    return [] if one == other or (one != one and other != other) else [f"{at}: {one!r}, {other!r}"]
