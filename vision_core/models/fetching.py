"""One file over HTTP: kept when the connection breaks, continued where it stopped, hash-checked."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from vision_core.errors import UserError

Progress = Callable[[int, int], None]

CHUNK = 1 << 20
ATTEMPTS = 3
"""How often a broken connection is taken up again before the user is told."""
_TIMEOUT = 30  # seconds without a byte
_RANGE_REFUSED = 416


def fetch(
    source: str,
    target: Path,
    *,
    name: str,
    size: int,
    right: Callable[[Path], str | None],
    progress: Progress | None = None,
) -> None:
    """Download ``source`` to ``target``; a half file never bears the final name.

    What has come stays beside the target in a file that ends in ``.part``; the next call asks the
    server for the rest (HTTP range). A server that cannot do that sends the whole once more.

    Args:
        source: address.
        target: file to make; its folder exists.
        name: of what is fetched, for messages.
        size: expected bytes, where the server does not tell.
        right: returns why a whole file is not the right one, or ``None``.
        progress: called with (bytes so far, bytes in all) after each megabyte.

    Raises:
        OSError: the connection broke ``ATTEMPTS`` times without a new byte, or nothing can be
            written.
        UserError: a whole file came, and it is not the right one.
    """
    with _part(target) as part:
        _whole(source, part, size, progress)
        wrong = right(part)
        if wrong is not None:
            part.unlink()
            host = urllib.parse.urlsplit(source).netloc or source
            raise UserError(
                f"What {host} sent is not {name} ({wrong}); try again, or on another network."
            )
        part.chmod(0o644)
        part.replace(target)


def _whole(source: str, part: Path, size: int, progress: Progress | None) -> None:
    """Fill ``part``, taking up a broken connection as long as something comes."""
    failures = 0
    while True:
        before = part.stat().st_size
        try:
            _rest(source, part, size, progress)
            return
        except (OSError, http.client.HTTPException) as error:
            if (not before and not part.stat().st_size) or not _passing(error):
                raise  # no connection at all, or one that will not do better
            failures = 0 if part.stat().st_size > before else failures + 1
            if failures == ATTEMPTS:
                raise


def _passing(error: Exception) -> bool:
    """Whether the next attempt may do better."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code == _RANGE_REFUSED
    return isinstance(error, ConnectionError | TimeoutError | http.client.HTTPException) or (
        isinstance(error, urllib.error.URLError)
    )


def _rest(source: str, part: Path, size: int, progress: Progress | None) -> None:
    """Ask for what is missing and append it."""
    have = part.stat().st_size
    headers = {"User-Agent": "vision_core"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(source, headers=headers)
    try:
        reply = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == _RANGE_REFUSED and have:
            part.write_bytes(b"")  # as large as the whole or larger: begin again
        raise
    with reply, part.open("ab") as stream:
        if have and getattr(reply, "status", None) != http.client.PARTIAL_CONTENT:
            stream.truncate(0)
            have = 0
        length = int(reply.headers.get("Content-Length") or 0)
        total = have + length if length else size
        done = _copy(reply, stream, have, total, progress)
    if length and done != total:
        raise ConnectionError(f"the connection closed after {done} of {total} bytes")


def _copy(
    reply: IO[bytes], stream: IO[bytes], done: int, total: int, progress: Progress | None
) -> int:
    while chunk := reply.read(CHUNK):
        stream.write(chunk)
        done += len(chunk)
        if progress is not None:
            progress(done, max(total, done))
    return done


@contextmanager
def _part(target: Path) -> Iterator[Path]:
    """The half file beside the target; another process that holds it gets one of its own."""
    path = target.with_name(f".{target.name}.part")
    stream = path.open("ab")
    if _locked(stream):
        try:
            yield path
        finally:
            stream.close()
            if path.exists() and not path.stat().st_size:
                path.unlink()
        return
    stream.close()
    with NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as own:
        pass
    try:
        yield Path(own.name)
    finally:
        Path(own.name).unlink(missing_ok=True)


def _locked(stream: IO[bytes]) -> bool:
    """Whether this process now holds the file; where files cannot be locked it always does."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
