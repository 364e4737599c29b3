"""Weights files: where they are, whether they are what they claim to be, how to get them."""

from __future__ import annotations

import hashlib
import os
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Literal

from vision_core.errors import UserError, WeightsMissing
from vision_core.models.cards import ASSETS, Card, bundled_alternative

Status = Literal["bundled", "cached", "downloadable"]
Progress = Callable[[int, int], None]

FOLDER_VARIABLE = "CONVSCOPE_WEIGHTS"
_CHUNK = 1 << 20
_TIMEOUT = 30  # seconds without a byte
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def hub_folder() -> Path:
    """Where torchvision keeps its downloads (``torch.hub.get_dir()/checkpoints``)."""
    import torch.hub

    return Path(torch.hub.get_dir()) / "checkpoints"


def user_folder() -> Path | None:
    """The folder named by the environment variable ``CONVSCOPE_WEIGHTS``, if any."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named).expanduser() if named else None


def find(card: Card, folder: Path | None = None) -> Path | None:
    """The weights file of a model on this machine, or ``None``; it is not verified here.

    Args:
        card: of the model.
        folder: looked into last; ``CONVSCOPE_WEIGHTS`` where it is ``None``.
    """
    if card.bundled:
        places: list[Path | None] = [ASSETS]
    else:
        places = [hub_folder(), folder or user_folder()]
    for place in places:
        if place is not None and (file := place / card.filename).is_file():
            return file
    return None


def status(card: Card, folder: Path | None = None) -> Status:
    """``bundled``, ``cached`` (on this machine) or ``downloadable``."""
    if card.bundled:
        return "bundled"
    return "cached" if find(card, folder) else "downloadable"


def require(card: Card, folder: Path | None = None) -> Path:
    """Like :func:`find`, but the file must be there.

    Raises:
        WeightsMissing: it is not; the message says how to get it and what to use instead.
    """
    if (file := find(card, folder)) is not None:
        return file
    if card.bundled:
        raise WeightsMissing(
            f"The weights of {card.name} are missing from assets/weights; restore them from the "
            f"repository.", card,
        )  # fmt: skip
    other = bundled_alternative(card)
    instead = f", or choose the bundled {other.name}" if other else ""
    raise WeightsMissing(
        f"The weights of {card.name} ({card.bytes / 2**20:.0f} MB) are not on this machine; run "
        f"python -m vision_core weights download {card.name} while there is a network{instead}.",
        card,
    )


def sha256_of(file: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def verify(card: Card, file: Path) -> str:
    """Check a file against its card.

    Returns:
        its SHA-256 in full.

    Raises:
        UserError: the file is not what the card describes, or cannot be read.
    """
    try:
        digest = sha256_of(file)
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}); check the path.") from None
    if not digest.startswith(card.sha256):
        todo = (
            "restore it from the repository"
            if card.bundled
            else f"delete it and run python -m vision_core weights download {card.name}"
        )
        raise UserError(
            f"{file} is damaged or is not the weights of {card.name} "
            f"(its SHA-256 starts with {digest[:8]}, not {card.sha256[:8]}); {todo}."
        )
    return digest


def download(
    card: Card,
    folder: Path | None = None,
    progress: Progress | None = None,
    url: str | None = None,
) -> Path:
    """Fetch a model's weights unless they are here already; whole and verified, or not at all.

    Args:
        card: of the model.
        folder: where to put them; the torch hub cache where it is ``None``.
        progress: called with (bytes so far, bytes in all) after each megabyte.
        url: another source than the card's, for mirrors and tests.

    Raises:
        UserError: no network, no space, or the file that came is not the right one.
    """
    if card.bundled:
        return require(card)
    with _locks[card.filename]:  # a second user waits, and then finds the file
        if (file := find(card, folder)) is not None:
            verify(card, file)
            return file
        target = (folder or hub_folder()) / card.filename
        source = url or str(card.url)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _fetch(source, target, card, progress)
        except OSError as error:  # URLError and timeouts are OSErrors
            raise UserError(_failed(card, source, target, error)) from None
        return target


def _fetch(source: str, target: Path, card: Card, progress: Progress | None) -> None:
    """Download beside the target, verify, rename: a half file never bears the final name."""
    request = urllib.request.Request(source, headers={"User-Agent": "vision_core"})
    temporary: Path | None = None
    try:
        with (
            urllib.request.urlopen(request, timeout=_TIMEOUT) as reply,
            NamedTemporaryFile(
                dir=target.parent, prefix=f".{card.name}-", suffix=".part", delete=False
            ) as stream,
        ):
            temporary = Path(stream.name)
            total = int(reply.headers.get("Content-Length") or 0)
            done = _copy(reply, stream, total or card.bytes, progress)
        if total and done != total:
            raise OSError(f"the connection closed after {done} of {total} bytes")
        digest = sha256_of(temporary)
        if not digest.startswith(card.sha256):
            host = urllib.parse.urlsplit(source).netloc or source
            raise UserError(
                f"What {host} sent is not the weights of {card.name} (its SHA-256 starts with "
                f"{digest[:8]}, not {card.sha256}); try again, or on another network."
            )
        temporary.chmod(0o644)
        temporary.replace(target)
    except BaseException:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise


def _copy(reply: IO[bytes], stream: IO[bytes], total: int, progress: Progress | None) -> int:
    done = 0
    while chunk := reply.read(_CHUNK):
        stream.write(chunk)
        done += len(chunk)
        if progress is not None:
            progress(done, max(total, done))
    return done


def _failed(card: Card, source: str, target: Path, error: OSError) -> str:
    reason = getattr(error, "reason", None) or error.strerror or error
    if isinstance(error, urllib.error.HTTPError):
        reason = f"status {error.code}"
    return (
        f"The weights of {card.name} could not be downloaded ({reason}); check the network, or "
        f"fetch {source} elsewhere and put it into {target.parent}."
    )
