"""Who asks the service: keeps connections, and asks again where an answer got lost."""

from __future__ import annotations

import http.client
import itertools
import logging
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference.cache import ByteLRU
from vision_core.serving.edition import edition
from vision_core.serving.host import FRAME, TOKEN
from vision_core.serving.travelling import digest_of
from vision_core.serving.wire import MOST, BadMessage, pack, unpack

CONNECT = 3.0
"""Seconds to reach an address."""
SILENT = 180.0
"""Seconds without a byte after which an answer counts as lost: a line may stand before it."""
PATIENCE = 60.0
"""Seconds for which a request that gets lost is repeated."""
PAUSES = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before each repetition; the last one for all that follow."""
VARIABLE = "CONVSCOPE_SERVE"
"""Environment variable: the service's address, or several with commas between them."""
Answer = dict[str, Any]
log = logging.getLogger("convscope")


class Lost(Exception):
    """An answer did not come, or not whole; asking again may help."""


class ServiceFault(RuntimeError):
    """The service met a fault of its own, or a request that it could not read."""


class Client:
    """Asks a service, from any number of threads.

    Args:
        addresses: where it is; of several, the next one is asked when one does not answer.
        token: the secret that it wants, if any.
        patience: seconds for which a request that gets lost is repeated.
        still_wanted: called before every repetition; raises if nobody waits any more.

    Raises:
        UserError: an address that is none.

    Attributes:
        most: how many replicas the service may have, as it told last.
        asked, repeated, sent, received: requests, repetitions, and bytes that travelled.
    """

    still_wanted: Callable[[], None] | None = None

    def __init__(
        self, addresses: Sequence[str], token: str = "", patience: float = PATIENCE
    ) -> None:
        self.addresses = tuple(address.strip().rstrip("/") for address in addresses)
        for address in self.addresses:
            parts = urlsplit(address)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise UserError(
                    f"{VARIABLE} must be an address like http://127.0.0.1:8600, not {address!r}."
                )
        self._token, self._patience = token, patience
        self._idle: dict[str, list[http.client.HTTPConnection]] = {a: [] for a in self.addresses}
        self._lock = threading.Lock()
        self._first = 0
        self._digests: ByteLRU[str] = ByteLRU(2**20, lambda _: 256)
        self._given: ByteLRU[bool] = ByteLRU(2**20, lambda _: 256)
        self._failing: float | None = None  # since when nobody got an answer
        self.most = 1
        self.asked = self.repeated = self.sent = self.received = 0

    def ask(
        self, operation: str, photo: Photo | None = None, **told: Any
    ) -> Generator[Answer, None, None]:
        """The pieces of an answer; what the service does not know yet is sent when it asks.

        Args:
            operation: ``hello``, ``trace``, ``parts``, ``explain`` or ``sweep``.
            photo: that it is about; its pixels travel once to each replica that needs them.
            told: what else the operation takes; ``trace`` travels only where it is wanted.

        Raises:
            UserError: the service's own sentence, or that it cannot be reached.
            ServiceFault: a fault of the service.
        """
        request = {"edition": edition(), "operation": operation, **told}
        kept = {"trace": request.pop("trace", None)}
        if photo is not None:
            request["photo"] = self._digest(photo)
            kept["pixels"] = photo.pixels
            if self._given.get(request["photo"]) is None:  # nobody has it yet
                request["pixels"] = photo.pixels
        came = 0
        for _ in range(2 + len(kept)):
            wanted = ""
            with closing(self._answer(pack(request))) as pieces:
                for number, piece in pieces:
                    if wanted := piece.get("wanted", ""):
                        break
                    if number >= came:  # one that was repeated gives the same pieces
                        came = number + 1
                        yield piece
            if not wanted:
                if photo is not None:
                    self._given.put(request["photo"], True)
                return
            if wanted not in kept or wanted in request:
                break
            request[wanted] = kept[wanted]
        raise ServiceFault("the service keeps asking for what it was given")

    def _digest(self, photo: Photo) -> str:
        return self._digests.get_or_make(photo.key, lambda: digest_of(photo.pixels))

    def _answer(self, body: bytes) -> Generator[tuple[int, Answer], None, None]:
        """Pieces of one request with their numbers, asked as often as it takes to have them all."""
        failed: float | None = None  # since when nothing new has come
        came = 0
        for attempt in itertools.count():
            try:
                with closing(self._once(body)) as pieces:
                    for number, piece in enumerate(pieces):
                        if "fault" in piece:
                            raise ServiceFault(str(piece["fault"]))
                        if "sentence" in piece:
                            raise UserError(str(piece["sentence"]))
                        if number >= came:
                            came, failed = number + 1, None
                        yield number, piece
                return
            except Lost as lost:
                now = time.monotonic()
                failed = now if failed is None else failed
                with self._lock:
                    self._failing = self._failing or now
                    gone = now - min(failed, self._failing)
                self._again(str(lost), attempt, gone)

    def _again(self, why: str, attempt: int, gone: float) -> None:
        """Wait a little before the next attempt, at the next address.

        Raises:
            UserError: the patience is at its end.
        """
        if gone > self._patience:
            log.error("the service at %s does not answer: %s", ", ".join(self.addresses), why)
            raise UserError(
                f"The computing service does not answer ({why}). Try again in a minute; whoever "
                f"runs this server checks {VARIABLE} and the service's log."
            )
        with self._lock:
            self._first += 1
            self.repeated += 1
        log.warning("the answer of the service got lost and is asked for again: %s", why)
        until = time.monotonic() + PAUSES[min(attempt, len(PAUSES) - 1)]
        while True:
            if self.still_wanted is not None:
                self.still_wanted()
            if (rest := until - time.monotonic()) <= 0:
                return
            time.sleep(min(rest, 0.25))

    def _once(self, body: bytes) -> Generator[Answer, None, None]:
        """The pieces of one attempt.

        Raises:
            Lost: no answer, or not the whole of it.
            UserError: the service refuses to read what this server sends.
        """
        address = self.addresses[self._first % len(self.addresses)]
        connection = self._connection(address)
        whole = False
        try:
            response = self._posted(connection, body)
            last = False
            while not last:
                (length,) = FRAME.unpack(_exactly(response, FRAME.size))
                if length > MOST:
                    raise BadMessage("a piece that is too large")
                piece = unpack(_exactly(response, length))
                with self._lock:
                    self.received += FRAME.size + length
                    self.most, self._failing = max(1, int(piece.get("most", 1))), None
                last = bool(piece["last"])
                if last:
                    response.read()
                    whole = not response.will_close
                yield piece
        except (OSError, http.client.HTTPException) as error:
            self._hang_up(address)  # the others went with it, if it is gone
            raise Lost(type(error).__name__) from error
        except (BadMessage, KeyError, TypeError) as error:
            raise ServiceFault(f"an answer that cannot be read: {error}") from None
        finally:
            with self._lock:
                keep = whole and len(self._idle[address]) < 64
                if keep:
                    self._idle[address].append(connection)
            if not keep:
                connection.close()

    def _hang_up(self, address: str) -> None:
        with self._lock:
            gone, self._idle[address] = self._idle[address], []
        for connection in gone:
            connection.close()

    def _posted(
        self, connection: http.client.HTTPConnection, body: bytes
    ) -> http.client.HTTPResponse:
        headers = {"Content-Type": "application/octet-stream"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        with self._lock:
            self.asked += 1
            self.sent += len(body)
        if connection.sock is None:
            connection.connect()
            if connection.sock is not None:
                connection.sock.settimeout(SILENT)
        connection.request("POST", "/", body, headers)
        response = connection.getresponse()
        if response.status == 401:
            raise UserError(
                f"The computing service wants another token; set {TOKEN} to the same text for both."
            )
        if response.status == 413:
            raise UserError("The computing service refuses a request that large.")
        if response.status != 200:
            raise Lost(f"status {response.status}")
        return response

    def _connection(self, address: str) -> http.client.HTTPConnection:
        with self._lock:
            if self._idle[address]:
                return self._idle[address].pop()
        parts = urlsplit(address)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        return kind(str(parts.hostname), parts.port, timeout=CONNECT)


def _exactly(response: http.client.HTTPResponse, count: int) -> bytes:
    """So many bytes of a body."""
    data = response.read(count)
    while len(data) < count:
        more = response.read(count - len(data))
        if not more:
            raise Lost("an answer that broke off")
        data += more
    return data
