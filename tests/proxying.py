"""Caddy with the project's file before servers of a test."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def free_port() -> int:
    """A port of this machine that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answering(address: str) -> None:
    """Wait until somebody answers there, with a certificate of any maker where it is ``https``."""
    any_maker = ssl._create_unverified_context()
    for _ in range(200):
        try:
            urllib.request.urlopen(address, timeout=2, context=any_maker)
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nobody answers at {address}")


@contextmanager
def proxied(
    home: Path, ports: Sequence[int], *, scheme: str = "http", **more: str
) -> Iterator[str]:
    """The address of a proxy; the test is skipped where there is no Caddy.

    Args:
        home: a folder for its certificates.
        ports: of the servers behind it.
        scheme: ``http`` or ``https``.
        more: further variables of the file.
    """
    if shutil.which("caddy") is None:
        pytest.skip("caddy is not on this machine")
    site = f"{scheme}://127.0.0.1:{free_port()}"
    folders = dict.fromkeys(("XDG_DATA_HOME", "XDG_CONFIG_HOME", "HOME"), str(home))
    upstreams = "to " + " ".join(f"127.0.0.1:{port}" for port in ports)
    environ = {"CONVSCOPE_SITE": site, "CONVSCOPE_UPSTREAMS": upstreams, **folders, **more}
    environ["CADDY_ADMIN"] = f"127.0.0.1:{free_port()}"  # there is one proxy for each test
    words = ["caddy", "run", "--adapter", "caddyfile", "--config", str(ROOT / "deploy/Caddyfile")]
    caddy = subprocess.Popen(words, stderr=subprocess.DEVNULL, env={**os.environ, **environ})
    try:
        answering(site)
        yield site
    finally:
        caddy.kill()
        caddy.wait()
