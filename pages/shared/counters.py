"""What this server does, in numbers, for whoever runs it; nobody's photo and no name is in them."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from vision_core import devices
from vision_core.inference import cache

VARIABLE = "CONVSCOPE_COUNTERS"
"""Environment variable: the file into which the numbers go; none where it is not set."""
SECONDS = 5.0
_began = time.time()


class _Faults(logging.Handler):
    """Counts what the pages log as a fault."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.seen += 1


_faults = _Faults()


def counters(passes: int, service: dict[str, Any] | None = None) -> dict[str, Any]:
    """The numbers now.

    Args:
        passes: how often a network ran over a photo since the server started.
        service: the numbers of ``serving``, where the networks run elsewhere.

    Returns:
        times in seconds, ``queue`` (of ``devices.slot``), ``caches`` by name in bytes, ``errors``
        (faults that were logged) and ``resident_bytes`` (``None`` where the system does not tell).
    """
    slot = devices.slot
    return {
        "process": os.getpid(),
        "time": round(time.time(), 1),
        "uptime_s": round(time.time() - _began, 1),
        "queue": {
            "waiting": slot.waiting,
            "busy": slot.held,
            "turns": slot.turns,
            "expected_wait_s": round(slot.expected_wait(), 3),
        },
        "passes": passes,
        "service": service,
        "caches": cache.held(),
        "errors": _faults.seen,
        "resident_bytes": resident_bytes(),
    }


def resident_bytes() -> int | None:
    """Memory of this process that is in use, on Linux."""
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return None


def keep(passes: Callable[[], int], service: Callable[[], dict[str, Any] | None]) -> None:
    """Write the numbers into the file named by the environment every few seconds, if one is named.

    ``{pid}`` in its name stands for the number of the process, so that several servers may share a
    folder. A reader never meets half a file. The log says once if the file cannot be written.

    Args:
        passes: called for the number of passes.
        service: called for the numbers of ``serving``.
    """
    logging.getLogger("convscope").addHandler(_faults)
    named = os.environ.get(VARIABLE)
    if named:
        path = Path(named.replace("{pid}", str(os.getpid())))
        threading.Thread(target=_write_for_ever, args=(path, passes, service), daemon=True).start()


def _write_for_ever(
    path: Path, passes: Callable[[], int], service: Callable[[], dict[str, Any] | None]
) -> None:
    told = False
    while True:
        try:
            write(path, counters(passes(), service()))
        except OSError as error:
            if not told:
                logging.getLogger("convscope").warning(
                    "%s cannot be written: %s", VARIABLE, error.strerror
                )
            told = True
        time.sleep(SECONDS)


def write(path: Path, told: dict[str, Any]) -> None:
    """Put the numbers into a file as one JSON object.

    Raises:
        OSError: the file cannot be written.
    """
    half = path.with_name(path.name + ".part")
    half.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    half.replace(path)
