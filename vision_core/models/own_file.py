"""What a file of somebody's own network says of itself, and how such a network is called.

No PyTorch here: the command line checks its arguments with this.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from vision_core.errors import UserError
from vision_core.models.cards import Card, cards

PREFIX = "own-"
"""With it begin the names of networks that no catalogue knows."""
FORMAT = "convscope-taught-1"
"""How a file says that its network was taught here."""
PLAIN = "plain"
"""How such a file calls the small network."""
TAUGHT = "taught"
"""The small network as an architecture; it is not in the catalogue."""
TRUNK = "resnet_s"
"""The architecture that transfer learning teaches."""
_LONGEST = 40
_HEADER = 8
_MOST_HEADER = 100 * 2**20


def own_title(text: str) -> str:
    """A title of letters, digits and a few marks: it stands in menus, file names and tables."""
    line = " ".join(re.sub(r"[^\w .()+-]|_", " ", text).split())[:_LONGEST].strip(" .+-")
    return line or "my network"


def own_name(title: str, sha256: str) -> str:
    """How it stands in an address: the same for the same file under the same title."""
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "network"
    return f"{PREFIX}{slug}-{sha256[:10]}"


def is_own(name: str) -> bool:
    """Whether a name is that of somebody's own network."""
    return name.startswith(PREFIX)


def guess(file_name: str) -> Card | None:
    """The architecture that the name of a file speaks of: the longest that it holds."""
    plain = file_name.lower().replace("-", "_")
    found = [card for card in cards() if card.name in plain]
    return max(found, key=lambda card: len(card.name), default=None)


def metadata(file: Path) -> Mapping[str, str]:
    """What a safetensors file tells of itself; nothing for another file, or a damaged one.

    No PyTorch: the header is JSON behind its length (8 bytes, little-endian).
    """
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(_HEADER), "little")
            if not 0 < length <= _MOST_HEADER:
                return {}
            told = json.loads(stream.read(length)).get("__metadata__", {})
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}); check the path.") from None
    except (ValueError, AttributeError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def architecture_of(file: Path) -> str | None:
    """What a file says that it holds: ``taught`` or ``resnet_s``; ``None`` for other files."""
    told = metadata(file)
    if told.get("format") != FORMAT:
        return None
    return TAUGHT if told.get("network") == PLAIN else TRUNK


def said(file: Path) -> tuple[tuple[str, ...], int, int]:
    """Class names, channels and side of the pictures of a network that was taught here.

    Raises:
        UserError: the file does not say them.
    """
    told = metadata(file)
    try:
        names = tuple(map(str, json.loads(told["classes"])))
        channels, side = (int(n) for n in json.loads(told["input"])[:2])
    except (KeyError, ValueError, TypeError):
        channels, side, names = 0, 0, ()
    if not 1 <= side <= 512 or channels not in (1, 3) or not names:
        raise UserError(f"{file.name} does not say what it was taught with; keep it again.")
    return names, channels, side


def taught_card(file: Path) -> Card:
    """The card of a small network that was taught here.

    Raises:
        UserError: see ``said``.
    """
    names, channels, side = said(file)
    return Card(
        name=TAUGHT,
        title="Small network",
        task="classification",
        family="classifier",
        labels=names,
        parameters=0,
        bytes=file.stat().st_size,
        licence="",
        paper=None,
        scores=(),
        bundled=False,
        weights=None,
        url=None,
        filename=file.name,
        sha256="",
        input=f"RGB photo, its shorter side resized to {side} pixels, then the square in its "
        "middle" + (", in grey, dark strokes as 1" if channels == 1 else ""),
    )
