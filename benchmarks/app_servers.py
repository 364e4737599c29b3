"""Servers of the app for a benchmark that speaks to them as visitors do."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Servers:
    """App servers that run.

    Attributes:
        addresses: without a slash at the end.
        counters: the file of each into which it writes its numbers.
    """

    addresses: tuple[str, ...]
    counters: tuple[Path, ...]

    def numbers(self) -> list[dict[str, Any]]:
        """What each server tells of itself; those that told nothing yet are left out."""
        return [json.loads(path.read_text()) for path in self.counters if path.exists()]


@contextmanager
def running(count: int, serve: str = "", share: int = 0) -> Iterator[Servers]:
    """Start so many servers, which ask a service if there is one; they end with the block.

    They share the cores: with more threads than cores, networks wait for each other.

    Args:
        count: of servers.
        serve: address of a service.
        share: of how many servers each has its part of the cores; as many as are started, if 0.
    """
    threads = os.environ.get(
        "OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // (share or count)))
    )
    with tempfile.TemporaryDirectory() as folder:
        files = tuple(Path(folder) / f"{i}.json" for i in range(count))
        ports = [_free_port() for _ in files]
        words = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
        started = [
            subprocess.Popen(
                [*words, f"--server.port={port}", "--server.address=127.0.0.1"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={
                    **os.environ,
                    "CONVSCOPE_COUNTERS": str(path),
                    "CONVSCOPE_SERVE": serve,
                    "OMP_NUM_THREADS": threads,
                },
            )
            for port, path in zip(ports, files, strict=True)
        ]
        try:
            found = Servers(tuple(f"http://127.0.0.1:{port}" for port in ports), files)
            for address in found.addresses:
                _wait_for(f"{address}/_stcore/health")
            yield found
        finally:
            for server in started:
                server.terminate()
            for server in started:
                server.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.25)
        else:
            return
    raise SystemExit("The server did not start.")
