"""Every page in a real browser: nothing breaks, and nothing is wider than a phone."""

from __future__ import annotations

import pytest

from pages import navigation

pytestmark = pytest.mark.browser
NAMES = sorted(navigation.ENTRIES)
DONE = """() => !document.querySelector('[data-testid=stStatusWidget]')
  && document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
  && !document.querySelector('[data-testid=stSpinner]')
  && document.querySelector('[data-testid=stMainBlockContainer]')?.innerText.length > 60"""


@pytest.mark.parametrize("name", NAMES)
def test_it_fits_a_phone(open_page, name: str) -> None:
    page = open_page("/" if name == "home" else f"/{name}", size=(390, 844))
    page.wait_for_function(DONE, timeout=120_000)
    page.wait_for_timeout(500)  # components draw after the script
    page.wait_for_function(DONE, timeout=120_000)
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.locator("[data-testid=stAlertContentError]").count() == 0
    wide = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth")
    assert wide <= 391, "the page must not scroll sideways"
