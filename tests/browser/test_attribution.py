"""From a detection to its explanation, in a real Chromium."""

from __future__ import annotations

import pytest

from tests.browser.driver import scene, settled
from tests.browser.runs import idle

pytestmark = pytest.mark.browser


def area(x1: float, y1: float, x2: float, y2: float) -> float:
    return (x2 - x1) * (y2 - y1)


def maps_shown(page, wanted: str) -> None:
    page.wait_for_function(
        f"() => [...document.querySelectorAll('.js-plotly-plot .annotation-text')]"
        f".some(t => t.textContent.includes('{wanted}'))",
        timeout=90_000,
    )


def test_click_a_detection_and_explain_it(open_again) -> None:
    page = open_again("/predictions?photo=cat")
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
    assert (
        f"target=candidate%3A{candidate}" in page.url or f"target=candidate:{candidate}" in page.url
    )
    images = page.locator(".js-plotly-plot image")
    assert images.count() == 3


def test_another_class_of_an_occlusion(open_again) -> None:
    page = open_again("/attribution?task=classification&methods=occlusion")
    maps_shown(page, "Occlusion")
    before = page.locator(".js-plotly-plot image").first.get_attribute("href")
    page.get_by_role("combobox", name="Class").click()
    page.get_by_role("option").nth(4).click()
    page.wait_for_function(
        "was => { const i = document.querySelector('.js-plotly-plot image');"
        " return i && i.getAttribute('href') !== was; }",
        arg=before,
        timeout=60_000,
    )


def test_the_randomisation_slider(open_again) -> None:
    page = open_again("/attribution?task=classification&methods=gradient,guided_backprop")
    maps_shown(page, "Guided backprop")
    thumb = page.get_by_role("slider", name="Sanity check: random layers")
    idle(page)  # the first row may still be arriving
    for count in range(1, 5):
        thumb.press("ArrowRight")
        page.get_by_text(f"With the last {count} of").wait_for(timeout=60_000)
    page.get_by_text("With the last 4 of").wait_for(timeout=60_000)
    page.wait_for_function(
        "() => document.querySelectorAll('.js-plotly-plot image').length === 4", timeout=60_000
    )
    page.wait_for_function("() => location.search.includes('random=4')", timeout=30_000)


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "task=classification&",
        "methods=gradient&photo=astronaut&",
        "methods=gradient,guided_backprop,gradcam,smoothgrad&samples=2&",
    ],
)
def test_slider_and_both_rows_of_maps_fit_one_screen(open_again, asked) -> None:
    page = open_again(f"/attribution?{asked}random=4", size=(1280, 720))
    page.get_by_text("With the last 4 of").wait_for(timeout=60_000)
    page.wait_for_function(
        "() => document.querySelectorAll('.js-plotly-plot .main-svg').length >= 2"
        " && document.querySelectorAll('[data-testid=stDataFrame]').length",
        timeout=90_000,
    )
    idle(page)
    main = page.locator("[data-testid=stMain]")
    slider = main.get_by_role("slider", name="Sanity check: random layers").bounding_box()
    charts = [chart.bounding_box() for chart in main.locator(".js-plotly-plot").all()]
    assert len(charts) == 2 and main.evaluate("m => m.scrollTop") == 0
    assert 0 < slider["y"] < charts[0]["y"] < charts[1]["y"]
    for chart in charts:
        assert chart["height"] > 100 and chart["y"] + chart["height"] <= 720
    for words in main.locator(".js-plotly-plot .annotation-text").all():
        box = words.bounding_box()
        chart = charts[0]
        assert box["x"] >= chart["x"] - 1
        assert box["x"] + box["width"] <= chart["x"] + chart["width"] + 1, words.inner_text()


def test_a_patch_is_dragged_without_asking_the_server(open_again) -> None:
    page = open_again("/attribution?task=classification&methods=occlusion")
    canvas = page.locator(".occluder canvas[data-ready]")
    canvas.wait_for(timeout=90_000)
    idle(page)
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
