"""From a detection to its explanation, in a real Chromium."""

from __future__ import annotations

import pytest

from tests.browser.driver import scene, settled

pytestmark = pytest.mark.browser


def area(x1: float, y1: float, x2: float, y2: float) -> float:
    return (x2 - x1) * (y2 - y1)


def maps_shown(page, wanted: str) -> None:
    page.wait_for_function(
        f"() => [...document.querySelectorAll('.js-plotly-plot .annotation-text')]"
        f".some(t => t.textContent.includes('{wanted}'))", timeout=90_000,
    )


def test_click_a_detection_and_explain_it(open_page) -> None:
    page = open_page("/predictions?photo=cat")
    settled(page)
    shown = scene(page)
    # a click picks the smallest box under it
    at = min(range(len(shown["boxes"])), key=lambda i: area(*shown["boxes"][i]))
    assert shown["labels"][at] == "cat"
    canvas = page.locator("canvas[role=application]").last
    x1, y1, x2, y2 = shown["boxes"][at]
    scale = shown["width"] / shown["photo"]["width"]
    canvas.click(position={"x": (x1 + x2) / 2 * scale, "y": (y1 + y2) / 2 * scale})
    page.get_by_role("link", name="Explain this box").click()
    maps_shown(page, "Guided backprop")
    candidate = shown["ids"][at]
    page.get_by_text("Class logit of cat").first.wait_for(timeout=60_000)
    assert "photo=cat" in page.url or "photo" not in page.url  # the cat is the default
    assert f"target=box%3A{candidate}" in page.url or f"target=box:{candidate}" in page.url
    images = page.locator(".js-plotly-plot image")
    assert images.count() == 3


def test_another_class_of_an_occlusion(open_page) -> None:
    page = open_page("/attribution?task=classification&methods=occlusion")
    maps_shown(page, "Occlusion")
    before = page.locator(".js-plotly-plot image").first.get_attribute("href")
    page.get_by_role("combobox", name="Class").click()
    page.get_by_role("option").nth(4).click()
    page.wait_for_function(
        "was => { const i = document.querySelector('.js-plotly-plot image');"
        " return i && i.getAttribute('href') !== was; }", arg=before, timeout=60_000,
    )


def test_the_randomisation_slider(open_page) -> None:
    page = open_page("/attribution?task=classification&methods=gradient,guided_backprop")
    maps_shown(page, "Guided backprop")
    thumb = page.get_by_role("slider", name="Sanity check: random layers")
    thumb.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.get_by_text("With the last 4 of").wait_for(timeout=60_000)
    page.wait_for_function(
        "() => document.querySelectorAll('.js-plotly-plot image').length === 4", timeout=60_000
    )
    page.wait_for_function("() => location.search.includes('random=4')", timeout=30_000)


def test_a_patch_is_dragged_without_asking_the_server(open_page) -> None:
    page = open_page("/attribution?task=classification&methods=occlusion")
    canvas = page.locator(".occluder canvas[data-ready]")
    canvas.wait_for(timeout=90_000)
    page.wait_for_timeout(1500)
    sent: list[str] = []
    page.on("websocket", lambda socket: sent.append("new socket"))
    before = page.evaluate("() => performance.getEntriesByType('resource').length")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    values = page.locator(".occluder .value").first
    seen = {values.inner_text()}
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    for share in (0.4, 0.5, 0.6, 0.7):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.55, steps=4)
        seen.add(values.inner_text())
    page.mouse.up()
    assert len(seen) > 2, "the bars follow the patch"
    assert "with it" in page.locator(".occluder .words").inner_text()
    at = canvas.evaluate("c => c.occluder.at")
    assert at >= 0
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    assert canvas.evaluate("c => c.occluder.at") != at
    page.keyboard.press("Escape")
    assert canvas.evaluate("c => c.occluder.at") == -1
    assert sent == []
    assert page.evaluate("() => performance.getEntriesByType('resource').length") == before
