"""What a link may bring to a page, in a real browser."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from pages.navigation import ENTRIES
from tests.browser.runs import idle

pytestmark = pytest.mark.browser
_TEXT = "![x](https://example.org/x.png) [Log in](//example.org) <img src=x> www.example.org"


def _path(name: str) -> str:
    return "/" if name == "home" else f"/{name}"


@pytest.mark.parametrize("name", ENTRIES)
def test_text_of_the_address_stays_text(open_again, name: str) -> None:
    told = "&".join(
        f"{key}={quote(_TEXT)}"
        for key in ("file", "score", "input", "photo", "model", "section", "target", "layer")
    )
    page = open_again(f"{_path(name)}?source=upload&{told}")
    idle(page)
    assert len(page.locator("[data-testid=stMainBlockContainer]").inner_text()) > 60
    planted = page.evaluate(
        "() => [...document.querySelectorAll('a, img')].map(e => e.href || e.src).filter("
        "to => to && (new URL(to).host.includes('example.org') || to.endsWith('/x')))"
    )
    assert planted == []
