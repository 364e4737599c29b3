"""The page "Metrics" in a browser: played, its numbers edited."""

from __future__ import annotations

import pytest

from tests.browser.test_walkthroughs import ready

pytestmark = pytest.mark.browser


def test_average_precision_is_played_and_its_areas_are_written_out(open_page) -> None:
    page = open_page("/metrics?step=1", size=(1280, 1200))
    ready(page)
    maths = page.locator(".player .maths").first
    assert "a duplicate" in maths.inner_text()
    page.locator(".player .last").first.click()
    maths.filter(has_text="34 \u00d7").wait_for()  # equal terms are counted, not listed
    assert "= 0.733333" in maths.inner_text().replace("\n", "")
    page.get_by_text("My numbers").click()
    page.locator("[data-testid=stDataFrame]").first.wait_for(timeout=60_000)
    ready(page)
    assert page.locator("[data-testid=stException]").count() == 0
