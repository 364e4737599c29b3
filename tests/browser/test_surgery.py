"""Surgery in a browser: a block switched off, all subsets run, stopped and gone on with."""

from __future__ import annotations

import pytest

from tests.browser.driver import settled

pytestmark = pytest.mark.browser
BLOCKS = ",".join(
    f"backbone.trunk.stages.{at}" for at in ("0.0", "1.0", "1.1", "2.0", "2.1", "3.0", "3.1")
)


def test_a_block_is_skipped_and_the_page_does_not_jump(open_again) -> None:
    page = open_again("/surgery?photo=cat")
    page.locator(".stage").nth(1).wait_for(timeout=120_000)
    page.get_by_text("Nothing is done yet.").wait_for()
    settled(page)
    top = page.locator(".stage").first.bounding_box()["y"]
    page.get_by_role("button", name="1.1", exact=True).click()
    page.get_by_text("skip block trunk.stages.1.1").wait_for(timeout=60_000)
    settled(page)
    assert abs(page.locator(".stage").first.bounding_box()["y"] - top) < 2
    assert "skip=trunk.stages.1.1" in page.url
    page.get_by_role("button", name="Undo all").click()
    page.get_by_text("Nothing is done yet.").wait_for(timeout=60_000)


def test_subsets_are_stopped_and_go_on(open_again) -> None:
    page = open_again(f"/surgery?task=detection&model=fcos_s&photo=cat&path_blocks={BLOCKS}")
    page.locator(".stage").nth(1).wait_for(timeout=120_000)
    page.get_by_role("tab", name="All subsets of blocks").click()
    page.get_by_role("button", name="Run all 128 subsets").click()
    page.locator(".st-key-paths_stop button").click(timeout=60_000)
    page.get_by_role("button", name="Run all 128 subsets").wait_for(timeout=60_000)
    assert page.get_by_text("Ranked by the F1").count() == 0
    page.get_by_role("button", name="Run all 128 subsets").click()
    page.get_by_text("Ranked by the F1").wait_for(timeout=120_000)
    assert page.locator(".st-key-paths_stop").count() == 0


def test_on_a_phone_nothing_is_wider_than_the_screen(open_again) -> None:
    page = open_again("/surgery?bits=4", size=(390, 844), is_mobile=True, has_touch=True)
    page.locator(".stage").nth(1).wait_for(timeout=120_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
