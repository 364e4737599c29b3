"""The terms of ``docs/glossary.md`` as hover help; the sentences stand in that file alone."""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path

_FILE = Path(__file__).resolve().parents[2] / "docs" / "glossary.md"
_ENTRY = re.compile(r"^- (\*\*.+?)(?=^- |^#|\Z)", re.MULTILINE | re.DOTALL)
_HEAD = re.compile(r"\*\*(.+?)\*\*\s*(?:\(([^)]*)\))?")


@cache
def terms() -> dict[str, str]:
    """What each term means, by its name in small letters; also by what stands in brackets.

    Empty where the documentation is not installed.
    """
    if not _FILE.is_file():
        return {}
    found: dict[str, str] = {}
    for entry in _ENTRY.findall(_FILE.read_text(encoding="utf-8")):
        text = " ".join(entry.split())
        head = text.split(": ", 1)[0]
        for name, other in _HEAD.findall(head):
            for word in (*name.split(", "), other.removeprefix("or ")):
                if word:
                    found.setdefault(word.lower(), text)
        for name, _ in _HEAD.findall(text[len(head) :]):  # a second term in the same entry
            found.setdefault(name.lower(), text)
    return found


def meaning(term: str) -> str:
    """The sentence about a term, as Markdown; empty for one that the glossary does not have."""
    known = terms()
    return known.get(term.lower()) or known.get(term.lower().removesuffix("s"), "")


def with_help(term: str, more: str = "") -> str | None:
    """Text for the help of a widget: what the term means, and what else there is to say."""
    return " ".join(filter(None, (more, meaning(term)))) or None


def marked(term: str) -> str:
    """A term in HTML; the pointer and a screen reader find what it means."""
    text = meaning(term).replace("**", "")
    if not text:
        return f"<b>{term}</b>"
    return f"<abbr tabindex='0' title='{html.escape(text, quote=True)}'><b>{term}</b></abbr>"
