"""What a newcomer sees: titles, whole words, figures as large as the window, one place to begin."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page

from tests.browser.driver import pick, settled
from tests.browser.runs import idle, redrawn
from tests.browser.test_attribution import maps_shown
from tests.browser.test_replay import opened
from tests.browser.test_walkthroughs import ready

pytestmark = pytest.mark.browser
HALL = (1920, 1080)


def overlap(a, b) -> bool:
    return (
        a["left"] < b["left"] + b["width"]
        and b["left"] < a["left"] + a["width"]
        and a["top"] < b["top"] + b["height"]
        and b["top"] < a["top"] + a["height"]
    )


def test_labels_of_the_replay_do_not_cover_each_other(open_again) -> None:
    page, replay = opened(open_again, "photo=cat&score=0.2&iou=0.1")
    check_labels(page, replay)
    page.set_viewport_size({"width": 390, "height": 844})
    redrawn(page)
    idle(page)
    check_labels(page, replay)


def check_labels(page: Page, replay: Locator) -> None:
    """No label covers another one in the first steps."""
    replay.focus()
    page.keyboard.press("Home")
    most = 0
    for _ in range(min(replay.evaluate("r => r.replay.last"), 6)):
        page.keyboard.press("ArrowRight")
        panels = replay.evaluate("r => [...r.replay.panels.children].map(p => p.labels)")
        for labels in panels:
            most = max(most, len(labels))
            for i, a in enumerate(labels):
                assert not any(overlap(a, b) for b in labels[i + 1 :])
    assert most > 4


def test_no_sidebar_that_holds_nothing(open_again) -> None:
    page = open_again("/receptive_field?section=growth")
    idle(page)
    assert not page.get_by_test_id("stSidebar").is_visible()


def test_maps_fill_a_large_window_and_their_captions_are_whole(open_again) -> None:
    """Also for a lecture hall, where the type is larger."""
    page = open_again("/attribution?present=0", size=HALL)
    plain = check_maps(page)
    page = open_again("/attribution?present=1", size=HALL)
    assert check_maps(page) > 1.2 * plain


def check_maps(page: Page) -> float:
    """The maps are large, their captions whole and beside them.

    Returns:
        the size of the captions' type, in pixels.
    """
    maps_shown(page, "Grad-CAM")
    idle(page)
    chart = page.locator(".js-plotly-plot").first.bounding_box()
    images = [i.bounding_box() for i in page.locator(".js-plotly-plot image").all()]
    assert chart["height"] > 0.6 * HALL[1] and chart["y"] + chart["height"] <= HALL[1]
    assert min(i["height"] for i in images) > 240
    captions = page.locator(".js-plotly-plot .annotation-text")
    for words in captions.all():
        box = words.bounding_box()
        assert box["x"] >= chart["x"] - 1
        assert box["x"] + box["width"] <= chart["x"] + chart["width"] + 1
        assert not any(
            box["y"] + box["height"] > i["y"] + 4
            and box["y"] < i["y"] + i["height"] - 4
            and box["x"] < i["x"] + i["width"]
            and i["x"] < box["x"] + box["width"]
            for i in images
        ), "a caption lies on a map"
    return captions.first.evaluate("t => parseFloat(getComputedStyle(t).fontSize)")


def test_present_puts_photo_and_features_beside_each_other(open_again) -> None:
    page = open_again("/roi_pooling?section=photo&present=1", size=HALL)
    ready(page)
    idle(page)
    photo, features = [p.bounding_box() for p in page.locator(".player").all()[:2]]
    assert photo["x"] + photo["width"] <= features["x"]
    assert abs(photo["y"] - features["y"]) < 40


def file_of(name: str, colour: int) -> dict[str, object]:
    out = io.BytesIO()
    Image.fromarray(np.full((60, 80, 3), colour, np.uint8)).save(out, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": out.getvalue()}


def test_the_start_page_takes_a_photo_and_the_buttons_that_walk_photos_are_whole(
    open_again,
) -> None:
    page = open_again("/")
    page.get_by_role("button", name="Show me the cat").wait_for()
    page.locator("input[type=file]").set_input_files([file_of("a.png", 40), file_of("b.png", 90)])
    page.wait_for_url("**/predictions?**", timeout=60_000)
    settled(page)
    assert "source=upload" in page.url and "file=a.png" in page.url
    for name in ("Previous", "Next"):
        button = page.get_by_role("button", name=name).first
        words = button.locator("p").first
        assert words.evaluate("p => p.scrollWidth <= p.clientWidth + 1"), name
        inner, outer = words.bounding_box(), button.bounding_box()
        assert inner["x"] >= outer["x"] and inner["x"] + inner["width"] <= (
            outer["x"] + outer["width"]
        )


def test_on_a_phone_the_page_opens_the_drawer_and_a_choice_closes_it(open_again) -> None:
    page = open_again("/predictions", size=(390, 844))
    settled(page)
    assert "on the left" not in page.inner_text("body")
    page.get_by_role("button", name="Choose photo").click()
    pick(page, "Sample", "Cup of coffee")
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stSidebar]')"
        ".getBoundingClientRect().right <= 1",
        timeout=20_000,
    )
    settled(page)
    assert "photo=coffee" in page.url


def test_why_not_here_says_what_to_do_when_it_is_pressed(open_again) -> None:
    page = open_again("/predictions")
    settled(page)
    note = page.locator(".note").last
    assert not note.is_visible()
    ask = page.get_by_role("button", name="Why not here?")
    ask.click()
    assert "where you expected an object" in note.inner_text()
    ask.click()
    assert not note.is_visible()
