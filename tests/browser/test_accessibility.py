"""axe-core on every page, in light and dark: no serious and no critical finding."""

from __future__ import annotations

from typing import Any

import pytest

from pages import navigation
from tests.browser.driver import ROOT
from tests.browser.test_every_page import DONE

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; run: npm install"),
]
NAMES = sorted(navigation.ENTRIES)
STREAMLITS: tuple[tuple[str, str], ...] = ()
"""Findings in what Streamlit draws and no page can reach: rule, and a piece of the element."""
SETTLED = "() => !document.querySelector('[data-stale=true]')"
"""What is about to be replaced is drawn pale."""
FADED = """() => document.getAnimations().every((a) => a.playState !== "running"
  || a.effect.getComputedTiming().iterations === Infinity)"""
"""Colours fade when a theme changes, and on the way contrasts are too low."""
_RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.filter((v) => ["serious", "critical"].includes(v.impact))
    .flatMap((v) => v.nodes.map((n) => ({ rule: v.id, html: n.html.slice(0, 300),
      why: n.failureSummary, at: n.target.flat().join(" ") })));
}"""


def findings(page: Any) -> list[str]:
    """Serious and critical findings that are not Streamlit's own."""
    return [
        f"{f['rule']} at {f['at']}: {f['html']}: {f['why']}"
        for f in page.evaluate(_RUN)
        if not any(f["rule"] == rule and piece in f["html"] for rule, piece in STREAMLITS)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_no_serious_finding_in_either_theme(open_page, name: str) -> None:
    page = open_page("/" if name == "home" else f"/{name}", size=(1280, 900))
    page.wait_for_function(DONE, timeout=120_000)
    page.wait_for_timeout(1500)
    page.wait_for_function(DONE, timeout=120_000)
    page.wait_for_function(SETTLED, timeout=120_000)
    page.wait_for_timeout(1000)  # colours fade
    page.wait_for_function(FADED, timeout=60_000)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    light = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert findings(page) == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "was => getComputedStyle(document.querySelector('.stApp')).backgroundColor !== was",
        arg=light,
    )
    page.wait_for_timeout(500)
    page.wait_for_function(FADED, timeout=60_000)
    assert findings(page) == []
