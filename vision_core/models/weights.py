"""Weights files: where they are, whether they are what they claim to be, how to get them."""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import threading
import urllib.error
from collections import defaultdict
from pathlib import Path
from typing import Literal

from vision_core.errors import UserError, WeightsMissing
from vision_core.models.cards import ASSETS, Card, bundled_alternative
from vision_core.models.cards import card as card_of
from vision_core.models.cards import cards as cards_of
from vision_core.models.fetching import CHUNK, Progress, fetch

Status = Literal["bundled", "cached", "downloadable", "own"]

FOLDER_VARIABLE = "CONVSCOPE_WEIGHTS"
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


LECTURE_SET = (
    "ssdlite320_mobilenet_v3_large",
    "fasterrcnn_mobilenet_v3_large_fpn",
    "maskrcnn_resnet50_fpn",
    "keypointrcnn_resnet50_fpn",
    "lraspp_mobilenet_v3_large",
    "resnet18",
)
"""Full-size models that a lecture needs: one of each task, the fast ones."""
_FAST_FIRST = {
    "detection": (
        "ssdlite320_mobilenet_v3_large",
        "fasterrcnn_mobilenet_v3_large_320_fpn",
        "fasterrcnn_mobilenet_v3_large_fpn",
    ),
    "instance": ("maskrcnn_resnet50_fpn",),
    "keypoint": ("keypointrcnn_resnet50_fpn",),
    "segmentation": ("lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large"),
    "classification": ("resnet18", "mobilenet_v3_large"),
}


def lecture_set(folder: Path | None = None) -> tuple[Card, ...]:
    """Those of the lecture's full-size models whose weights are not on this machine."""
    entries = (card_of(name) for name in LECTURE_SET)
    return tuple(entry for entry in entries if find(entry, folder) is None)


def default_for_page(task: str) -> Card:
    """The model that a page opens with: the fastest full-size one that is here, else bundled."""
    for name in _FAST_FIRST.get(task, ()):
        if find(card_of(name)) is not None:
            return card_of(name)
    return cards_of(task)[0]


def hub_folder() -> Path:
    """Where torchvision keeps its downloads (``torch.hub.get_dir()/checkpoints``)."""
    if (hub := sys.modules.get("torch.hub")) is not None:  # a program may have set the folder
        return Path(hub.get_dir()) / "checkpoints"
    cache = os.getenv("XDG_CACHE_HOME", "~/.cache")
    home = os.getenv("TORCH_HOME", os.path.join(cache, "torch"))
    return Path(home).expanduser() / "hub" / "checkpoints"


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
    """``bundled``, ``cached`` (on this machine), ``downloadable``, or ``own`` (somebody's file)."""
    if card.own:
        return "own"
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
            f"repository.",
            card,
        )
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
        while chunk := stream.read(CHUNK):
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

    A download that broke off goes on where it stopped.

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
            fetch(
                source,
                target,
                name=f"the weights of {card.name}",
                size=card.bytes,
                right=lambda file: _wrong(card, file),
                progress=progress,
            )
        except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
            raise UserError(_failed(card, source, target, error)) from None
        return target


def _wrong(card: Card, file: Path) -> str | None:
    digest = sha256_of(file)
    if digest.startswith(card.sha256):
        return None
    return f"its SHA-256 starts with {digest[:8]}, not {card.sha256}"


def _failed(card: Card, source: str, target: Path, error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    if isinstance(error, urllib.error.HTTPError):
        reason = f"status {error.code}"
    return (
        f"The weights of {card.name} could not be downloaded ({reason}); check the network and try "
        f"again, which goes on where it stopped, or fetch {source} elsewhere and put it into "
        f"{target.parent}."
    )
