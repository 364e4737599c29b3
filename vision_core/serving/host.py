"""The service behind HTTP by the standard library alone: one process, for tests and one machine.

What ``deployment`` gives by Ray Serve is the same to those who ask: ``POST /`` with a message as
body; the answer's pieces, each after its length in four bytes, as a chunked body.
"""

from __future__ import annotations

import hmac
import logging
import os
import struct
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from vision_core.environment import MEGABYTE
from vision_core.serving.service import Service

MOST_BODY = 64 * MEGABYTE
"""Bytes of a request as they travel."""
TOKEN = "CONVSCOPE_SERVE_TOKEN"
"""Environment variable: a secret that requests must bring, where one is set."""
FRAME = struct.Struct("<I")
log = logging.getLogger("convscope")


def framed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Each piece after its length."""
    for piece in pieces:
        yield FRAME.pack(len(piece)) + piece


def refusal(authorization: str, length: str | None, token: str) -> tuple[int, str] | None:
    """Why a request is not even read, as an HTTP status and words; ``None`` if it is.

    Args:
        authorization, length: its headers of these names.
        token: the secret it must bring; none where this is empty. Compared in constant time.
    """
    if token and not hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
        return 401, "another token is needed"
    if length is None or not length.isdecimal():
        return 411, "say how long it is"
    if int(length) > MOST_BODY:
        return 413, "too large"
    return None


class Handler(BaseHTTPRequestHandler):
    """Answers requests by its server's service."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a short piece waits 40 ms for the last one's receipt
    timeout = 300  # seconds, for one who neither asks nor reads
    server: Host

    def do_GET(self) -> None:
        """Tell that the server lives."""
        self._end(200, "success") if self.path == "/-/healthz" else self._end(404, "nothing here")

    def do_POST(self) -> None:
        """Answer a request."""
        length = self.headers.get("Content-Length")
        refused = refusal(self.headers.get("Authorization", ""), length, self.server.token)
        if refused is not None:
            self.close_connection = True  # its body is not read
            self._end(*refused)
            return
        body = self.rfile.read(int(length or 0))
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            with closing(self.server.service.answer(body)) as pieces:
                for piece in framed(pieces):
                    self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        except OSError:  # who asked has left
            self.close_connection = True

    def _end(self, status: int, words: str) -> None:
        body = words.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: one line for each request tells nothing."""


class Host(ThreadingHTTPServer):
    """A service at an address of this machine.

    Args:
        service: that answers.
        address: to listen at; port 0 takes a free one.
        token: as of ``refusal``; from the environment where left out.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, service: Service, address: tuple[str, int], token: str | None = None
    ) -> None:
        super().__init__(address, Handler)
        self.service = service
        self.token = os.environ.get(TOKEN, "") if token is None else token

    @property
    def url(self) -> str:
        """Where it can be asked."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"
