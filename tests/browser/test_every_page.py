"""Every page in a real browser, each loaded once: nothing breaks, nothing is wider than a phone,
page, tab and menu say where one is, and axe-core has no serious and no critical finding."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from pages import navigation
from tests.browser.driver import ROOT
from tests.browser.runs import idle, redrawn
from tests.browser.test_journeys import TITLES

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = pytest.mark.browser
PHONE = (390, 844)
WITHOUT_RAIL = ("home", "relu_rules")
MARK = """all => all.filter(e => Number(getComputedStyle(e).fontWeight) >= 600)
  .map(e => e.textContent)"""
STREAMLITS: tuple[tuple[str, str], ...] = ()
"""Findings in what Streamlit draws and no page can reach: rule, and a piece of the element."""
FADED = """() => document.getAnimations().every((a) => a.playState !== "running"
  || a.effect.getComputedTiming().iterations === Infinity)"""
"""Colours fade when a theme changes, and on the way contrasts are too low."""
_RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.filter((v) => ["serious", "critical"].includes(v.impact))
    .flatMap((v) => v.nodes.map((n) => ({ rule: v.id, html: n.html.slice(0, 300),
      why: n.failureSummary, at: n.target.flat().join(" ") })));
}"""


def fits_a_phone(page: Page) -> None:
    """Nothing broke, and the page does not scroll sideways in a window of a phone's size."""
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.locator("[data-testid=stAlertContentError]").count() == 0
    main = page.locator("[data-testid=stMainBlockContainer]")
    assert len(main.inner_text()) > 60, "the page is there"
    wide = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth")
    assert wide <= 391, "the page must not scroll sideways"


def enlarge(page: Page) -> None:
    """Make the window as large as a computer's, where the rail stands open."""
    page.set_viewport_size({"width": 1280, "height": 900})
    redrawn(page)
    if (opener := page.get_by_test_id("stExpandSidebarButton")).is_visible():
        opener.click()
        page.get_by_test_id("stSidebarCollapseButton").wait_for(state="attached")
    idle(page)


def says_where_one_is(page: Page, name: str) -> None:
    """The heading can be seen, the tab has the name in the menu, and the menu marks its group."""
    title = TITLES["" if name == "home" else name]
    box = page.get_by_role("heading", name=title, exact=True).first.bounding_box()
    assert box is not None and box["width"] > 30 and box["height"] > 15
    in_menu = navigation.ENTRIES[name].title
    assert page.title() == ("ConvScope" if name == "home" else f"{in_menu} · ConvScope")
    marked = page.locator("[data-testid=stTopNavSection]").evaluate_all(MARK)
    _, *closed = navigation.SECTIONS.items()  # the first group stands open in the menu
    groups = [group for group, pages in closed if name in {entry.name for entry in pages}]
    assert len(marked) == len(groups) and all(g in m for g, m in zip(groups, marked, strict=True))


def has_no_empty_rail(page: Page) -> None:
    assert not page.get_by_test_id("stSidebar").is_visible()
    assert not page.get_by_test_id("stExpandSidebarButton").is_visible()


def findings(page: Page) -> list[str]:
    """Serious and critical findings that are not Streamlit's own."""
    page.wait_for_function(FADED, timeout=60_000)
    return [
        f"{f['rule']} at {f['at']}: {f['html']}: {f['why']}"
        for f in page.evaluate(_RUN)
        if not any(f["rule"] == rule and piece in f["html"] for rule, piece in STREAMLITS)
    ]


def has_no_serious_finding_in_either_theme(page: Page) -> None:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    light = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert findings(page) == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "was => getComputedStyle(document.querySelector('.stApp')).backgroundColor !== was",
        arg=light,
    )
    redrawn(page)  # the figures follow
    assert findings(page) == []


@pytest.mark.parametrize("name", sorted(navigation.ENTRIES))
def test_it_fits_a_phone_says_its_name_and_is_accessible(open_page, name: str) -> None:
    page = open_page("/" if name == "home" else f"/{name}", size=PHONE)
    idle(page)
    fits_a_phone(page)
    enlarge(page)
    says_where_one_is(page, name)
    if name in WITHOUT_RAIL:
        has_no_empty_rail(page)
    if not AXE.exists():
        pytest.skip("all but accessibility is right; axe-core is not installed; run: npm install")
    has_no_serious_finding_in_either_theme(page)
