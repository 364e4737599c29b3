"""The Compare page in a real Chromium, with the network off."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.driver import link, settled
from tests.browser.runs import redrawn
from vision_core.selection.nms import iou_matrix

pytestmark = pytest.mark.browser
PAIR = "/compare?photo=astronaut&score=0.1"
PART = "[v.zoom.factor, v.zoom.left / v.size.width, v.zoom.top / v.size.height]"


def views(page: Page, what: str) -> Any:
    """The value of an expression on the view ``v`` of every column."""
    return page.locator("canvas[role=application]").evaluate_all(
        f"all => all.map(c => c.view).filter(v => v?.group === 'compare').map(v => ({what}))"
    )


def address_has(page: Page, text: str) -> None:
    """Wait until the address bar holds a text and the script has finished."""
    page.wait_for_function("text => location.search.includes(text)", arg=text, timeout=60_000)
    settled(page)


def opened(page: Page, count: int = 2) -> Page:
    """The page, once so many columns are painted and the script has finished."""
    expect(page.locator(".stage[data-painted]")).to_have_count(count, timeout=120_000)
    settled(page)
    return page


def test_both_detectors_find_the_person_and_zoom_together(open_again) -> None:
    page = opened(open_again(PAIR))
    assert all("person" in labels for labels in views(page, "v.scene.labels"))
    page.locator("[data-do=in]").first.click()
    page.locator("[data-do=in]").nth(1).click()
    first, second = views(page, PART)
    assert first[0] == pytest.approx(2.25) and first == pytest.approx(second)
    canvas = page.locator("canvas[role=application]").first
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 150, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 110, steps=5)
    page.mouse.up()
    panned, with_it = views(page, PART)
    assert panned == pytest.approx(with_it)
    assert panned[1] < first[1] and panned[2] < first[2]
    page.locator("[data-do=reset]").nth(1).click()
    assert views(page, "v.zoom.factor") == [1, 1]


def test_shared_sliders_move_together_and_separate_ones_alone(open_again) -> None:
    page = opened(open_again(PAIR))
    before = views(page, "v.frame.boxes.length")
    slider = page.locator("input[name=score]").first
    slider.evaluate("e => { e.value = 0.5; e.dispatchEvent(new Event('input')); }")
    redrawn(page)
    dragged = views(page, "v.frame.boxes.length")
    assert all(0 < now < then for now, then in zip(dragged, before, strict=True))
    assert "score=0.1" in page.url, "nothing is sent while the hand is on the slider"
    slider.evaluate("e => e.dispatchEvent(new Event('change'))")
    page.wait_for_function("() => !location.search.includes('score=0.1')")  # 0.5 is the default
    settled(page)
    assert views(page, "v.scene.boxes.length") == dragged
    page.get_by_text("One set of thresholds for all").click()
    settled(page)
    at_rest = views(page, "v.frame.boxes.length")
    page.locator("input[name=score]").first.evaluate(
        "e => { e.value = 0.05; e.dispatchEvent(new Event('input')); }"
    )
    redrawn(page)
    now = views(page, "v.frame.boxes.length")
    assert now[0] > at_rest[0] and now[1] == at_rest[1]


def test_a_pressed_count_shows_its_boxes_and_a_click_finds_the_partner(open_again) -> None:
    page = opened(open_again(PAIR))
    every = views(page, "v.scene.boxes")
    pill = page.get_by_text("in both:")
    count = int(pill.inner_text().split(":")[1])
    assert 0 < count < len(every[0])
    pill.click()
    address_has(page, "only=both")
    a, b = views(page, "v.scene.boxes")
    assert len(a) == len(b) == count
    overlap = iou_matrix(np.float32(a), np.float32(b))
    assert overlap.max(1).min() >= 0.5
    page.locator("canvas[role=application]").first.focus()
    page.keyboard.press("ArrowRight")
    address_has(page, "picked=a")
    chosen = views(page, "v.chosen")
    assert overlap[chosen[0], chosen[1]] >= 0.5


def test_a_drawn_box_is_the_truth_and_the_link_keeps_it(open_again) -> None:
    page = opened(open_again("/compare?photo=astronaut"))
    page.get_by_role("button", name="Draw true boxes").click()
    page.get_by_role("button", name="Stop drawing").wait_for()
    settled(page)
    assert page.locator("[data-do=ask]:visible").count() == 0, "one button for all pictures"
    box = page.locator("canvas[role=application]").first.bounding_box()
    page.mouse.move(box["x"] + 0.18 * box["width"], box["y"] + 0.02 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.65 * box["width"], box["y"] + 0.98 * box["height"], steps=6)
    page.mouse.up()
    address_has(page, "truth=")
    marks = views(page, "v.scene.marks")
    assert len(marks[0]) == len(marks[1]) == 1
    address = link(page)
    page.get_by_role("button", name="Stop drawing").click()
    page.get_by_role("button", name="Draw true boxes").wait_for()
    settled(page)
    assert views(page, "v.asking") == [False, False]
    assert views(page, "v.scene.marks") == marks
    page = opened(open_again(address))
    assert views(page, "v.scene.marks") == marks


def test_the_exported_page_opens_without_a_network(open_again, browser, tmp_path) -> None:
    page = opened(open_again(PAIR))
    with page.expect_download() as coming:
        page.get_by_role("button", name="Comparison (HTML)").click()
    file = tmp_path / "comparison.html"
    coming.value.save_as(file)
    with page.expect_download() as numbers:
        page.get_by_role("button", name="Numbers (JSON)").click()
    numbers.value.save_as(tmp_path / "numbers.json")
    record = json.loads((tmp_path / "numbers.json").read_text("utf-8"))
    context = browser.new_context(offline=True)
    report = context.new_page()
    asked: list[str] = []
    report.on("request", lambda r: asked.append(r.url))
    report.goto(file.as_uri())
    pictures = report.locator("img").evaluate_all("all => all.map(i => i.naturalWidth)")
    text = report.locator("body").inner_text()
    context.close()
    assert all(url.startswith(("file:", "data:")) for url in asked)
    assert len(pictures) >= 2 and min(pictures) > 100
    assert "FCOS, small" in text and "Faster R-CNN, small" in text
    assert "/compare?photo=astronaut" in text
    (pair,) = record["pairs"]
    assert f"{pair['f1']:.3f}" in text


def test_the_wipe_line_follows_the_keyboard(open_again) -> None:
    page = opened(open_again(PAIR))
    page.get_by_role("tab", name="Wipe").click()
    line = page.get_by_label("Wipe between the two")
    expect(line).to_be_attached(timeout=60_000)
    settled(page)
    where = "e => getComputedStyle(e.closest('.wipe')).getPropertyValue('--at')"
    assert line.evaluate(where) == "50%"
    line.focus()
    page.keyboard.press("ArrowRight")
    assert line.evaluate(where) == "50.5%"
    widths = page.locator(".wipe img").evaluate_all("all => all.map(i => i.naturalWidth)")
    assert len(widths) == 2 and min(widths) > 100
