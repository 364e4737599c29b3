"""Text that came from outside, shown as text: never as Markdown or HTML, never too long.

From outside come the address bar, file names, class names of a user's file, and error sentences
that quote them. Streamlit renders Markdown in nearly everything that it shows, and turns bare
addresses into links as well, so that escaping the marks alone would not do.
"""

from __future__ import annotations

import re
import unicodedata

MOST = 80  # characters of one text from outside

_MARKS = re.compile(r"[\\`*\[\]<>$~&|{}]|(?<![^\W_])_|_(?![^\W_])")
# What becomes a link, an icon or an emoji although no mark stands there: it is broken by a
# character that is not seen (U+2060, word joiner), since a backslash does not hinder it.
_ALIVE = re.compile(r"(?i)(?<=:)(?=//)|(?<=www)(?=\.)|(?<=\w)(?=@)|(?<=:)(?=[\w+-]+[:/])")
_FIRST = re.compile(r"(?:[#>+=-]|\d{1,9}(?=[.)]))")  # would open a heading, a list, a quotation
_QUOTED = re.compile(r"(?<=“)[^”]*(?=”)")
_JOINER = "\u2060"


def short(text: str, most: int = MOST) -> str:
    """One line of at most so many characters; what cannot be seen is left out."""
    line = " ".join("".join(c if _seen(c) else " " for c in text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def plain(text: str) -> str:
    """One text from outside as Markdown that shows it as it is, at most 80 characters of it."""
    return _escaped(short(text))


def sentence(text: str) -> str:
    """A whole sentence as Markdown that shows it as it is.

    What it quotes in “ ” and any word of it are cut to 80 characters.
    """
    line = short(text, 2000)
    line = _QUOTED.sub(lambda found: short(found[0]), line)
    return _escaped(" ".join(short(word) for word in line.split()))


def _escaped(line: str) -> str:
    line = _MARKS.sub(r"\\\g<0>", line)
    line = _ALIVE.sub(_JOINER, line)
    return _JOINER + line if _FIRST.match(line) else line


def _seen(character: str) -> bool:
    """Whether a character is printed; those that turn the direction of a line are not."""
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
