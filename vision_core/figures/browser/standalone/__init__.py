"""Components as one HTML file each that works without a server, a network or any other file.

The modules are the app's own. A content security policy in the file forbids every load but pictures
that the file itself holds, and every script and style but its own, which it names by their hash.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vision_core.figures.browser import HERE, component
from vision_core.figures.browser.bundle import bundle

_FOLDER = HERE / "standalone"


@dataclass(frozen=True)
class Part:
    """A component on a page.

    Attributes:
        component: its name, see ``vision_core.figures.browser.NAMES``.
        data: what it is sent, strict JSON.
        heading: above it; empty for none.
        words: below the heading.
    """

    component: str
    data: dict[str, Any]
    heading: str = ""
    words: str = ""


def page(script: str, title: str, words: Sequence[str], parts: Sequence[Part]) -> str:
    """The text of an HTML file, to be written as UTF-8.

    Args:
        script: the name of a module in this folder, which starts the components of ``parts``.
        title: of the page; it may hold a user's text.
        words: sentences below the title; they too.
        parts: what is on the page, from top to bottom.
    """
    pieces = {part.component: component(part.component) for part in parts}
    css, js = (_FOLDER / "page.css").read_text(encoding="utf-8"), _script(script)
    styles = [css, *(piece.css for piece in pieces.values())]
    assert not any("</" in text for text in styles)
    assert "</script" not in js and "<!--" not in js  # either would end the script too early
    policy = (
        "default-src 'none'; img-src data: blob:; base-uri 'none'; form-action 'none'; "
        f"style-src {' '.join(map(_source, styles))}; script-src {_source(js)}"
    )
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            title=title,
            words=words,
            parts=parts,
            pieces=pieces,
            policy=policy,
            css=css,
            script=js,
            # A text of a user must not end the element that holds it.
            data=_json([part.data for part in parts]).replace("<", "\\u003c"),
            made=date.today().isoformat(),
        )
    )


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@functools.cache
def _script(name: str) -> str:
    return bundle(_FOLDER / f"{name}.js")


def _source(text: str) -> str:
    """A text as a source of a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
