"""Pointing at a place: each fate on a constructed case; masks and joints in a drag."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.driver import scene, settled, wait_scene
from tests.browser.runs import redrawn
from tests.browser.test_canvas import (
    canvas,
    dial,
    frame,
    grab,
    native,
    wait_address,
)
from tests.selection.test_why import BOXES

pytestmark = pytest.mark.browser
WIDTH = 200  # of the constructed photo


def scaled(page: Page, *numbers: float) -> list[float]:
    factor = scene(page)["width"] / WIDTH
    return [number * factor for number in numbers]


def ask_mode(page: Page) -> None:
    page.get_by_role("button", name="Why not here?").click()


def drag_box(page: Page, box: list[float]) -> None:
    """Drag a rectangle over a box in photo pixels."""
    x1, y1, x2, y2 = scaled(page, *box)
    corner = canvas(page).bounding_box()
    page.mouse.move(corner["x"] + x1, corner["y"] + y1)
    page.mouse.down()
    page.mouse.move(corner["x"] + (x1 + x2) / 2, corner["y"] + (y1 + y2) / 2, steps=3)
    page.mouse.move(corner["x"] + x2, corner["y"] + y2, steps=3)
    page.mouse.up()


def sentence(page: Page) -> str:
    alert = page.locator("[data-testid=stAlert]")
    alert.wait_for()
    settled(page)
    return alert.inner_text()


def marks(page: Page) -> list[dict]:
    return canvas(page).evaluate("c => c.view.scene.marks")


@pytest.mark.parametrize(
    ("asked", "address", "fate", "words"),
    [
        (0, "", "kept", ["It is here: box 1, dog 0.97"]),
        (1, "", "suppressed", ["dog 0.80 was suppressed by box 1 (dog 0.97)", "IoU 0.67", "0.50"]),
        (2, "", "below score", ["cat", "0.043", "threshold 0.50"]),
        (4, "&max=2", "over the limit", ["cow 0.55 was cut by the limit of 2", "number 3"]),
        (3, "&classes=dog", "hidden by class", ["hidden by the class filter"]),
        (1, "&nms=soft-gaussian", "decayed", ["from 0.80", "box 1 (dog 0.97)", "IoU 0.67"]),
    ],
)
def test_a_dragged_box_gets_the_fate_of_its_candidate(
    open_case, asked, address, fate, words
) -> None:
    page = open_case(f"fates{address}")
    ask_mode(page)
    drag_box(page, BOXES[asked])
    said = sentence(page)
    assert all(word in said for word in words), said
    assert page.get_by_text(f"result: {fate}").count() == 1
    shown = marks(page)
    assert shown[0]["box"] == BOXES[asked]
    assert shown[-1]["text"] == "asked"
    suppressor = [mark["box"] for mark in shown[1:-1]]
    assert suppressor == ([BOXES[0]] if fate in ("suppressed", "decayed") else [])
    wait_address(page, "ask=")


@pytest.mark.parametrize(
    ("fates", "words", "roles"),
    [
        ("rpn_nms,source,rpn_pre_nms", ["lost in the RPN's own NMS to proposal", "IoU 0.74"], 3),
        ("rpn_pre_nms,rpn_pre_nms,rpn_pre_nms", ["not among the 1000 best anchors"], 2),
        ("rpn_post_nms,rpn_post_nms,rpn_post_nms", ["not among the 50 best proposals"], 2),
        ("level_topk,level_topk,level_topk", ["not among the 400 best scores of its level"], 2),
        ("score_floor,score_floor,score_floor", ["Never proposed", "floor 0.001"], 2),
    ],
)
def test_places_lost_before_any_candidate(open_case, fates, words, roles) -> None:
    page = open_case(f"lost:{fates}")
    ask_mode(page)
    drag_box(page, [150, 40, 190, 80])  # the third anchor, alone at the right edge
    said = sentence(page)
    if fates.startswith("rpn_nms"):  # the first of the two that lie on each other was suppressed
        drag_box(page, [150, 120, 190, 156])
        page.get_by_text("lost in the RPN").wait_for()
        said = sentence(page)
    assert all(word in said for word in words), said
    assert len(marks(page)) == roles + 1


def test_nothing_was_ever_proposed(open_case) -> None:
    page = open_case("lost:source,source,source")
    ask_mode(page)
    drag_box(page, [2, 150, 20, 159])
    assert "Never proposed: the nearest anchor has IoU" in sentence(page)


def test_a_clicked_spot_is_asked_about_and_the_answer_follows_the_threshold(open_case) -> None:
    page = open_case("fates")
    ask_mode(page)
    x, y = scaled(page, 120, 30)
    canvas(page).click(position={"x": x, "y": y})
    assert "0.043 is not above the threshold 0.50" in sentence(page)
    assert canvas(page).evaluate("c => c.view.scene.pin") == pytest.approx([120, 30], abs=1)
    native(page).fill("0")
    page.keyboard.press("Enter")
    page.get_by_text("It is here: box 4, cat 0.04").wait_for()
    page.get_by_role("button", name="Close").click()
    wait_scene(page, "view.scene.marks.length === 0 && view.scene.pin === null")
    settled(page)
    page.wait_for_function("() => !location.search.includes('ask=')")
    assert page.locator("[data-testid=stAlert]").count() == 0


def test_escape_leaves_the_asking_mode_and_clicks_select_again(open_case) -> None:
    page = open_case("fates")
    ask_mode(page)
    canvas(page).focus()
    page.keyboard.press("Escape")
    x, y = scaled(page, 20, 30)
    canvas(page).click(position={"x": x, "y": y})
    page.get_by_text("Class probabilities of the selected dog").wait_for()
    assert "ask=" not in page.url


def test_a_stage_of_the_funnel_shows_the_boxes_behind_it(open_case) -> None:
    page = open_case("fates")
    before = canvas(page).evaluate("c => c.toDataURL()")
    page.get_by_role("tab", name="Funnel").click()
    page.get_by_test_id("stRadioGroup").get_by_text("score threshold", exact=True).click()
    wait_scene(page, "view.scene.rects !== null")
    settled(page)
    assert page.get_by_text("The picture shows 4 boxes.").count() == 1
    assert canvas(page).evaluate("c => c.view.painter.rectsFlat.length") == 16
    assert canvas(page).evaluate("c => c.toDataURL()") != before
    wait_address(page, "stage=score_threshold")


@pytest.mark.parametrize("parts", ["masks", "keypoints"])
def test_parts_stay_with_their_boxes_in_a_drag_and_new_ones_come_on_release(
    open_case, parts
) -> None:
    page = open_case(f"fates&parts={parts}&max=300")
    first = scene(page)["ids"]
    known = """c => c.view.scene.overlay ? c.view.scene.overlay.owners
      : c.view.frame.skeletons.map((s, i) => s && c.view.frame.ids[i]).filter((id) => id >= 0)"""
    assert canvas(page).evaluate(known) == first
    inside = """c => { const [x1, y1, x2, y2] = c.view.scene.boxes[0], s = c.width
      / c.view.scene.photo.width; return [...c.getContext('2d').getImageData(
      (x1 + x2) / 2 * s, (y1 + y2) / 2 * s, 1, 1).data]; }"""
    painted = canvas(page).evaluate(inside)
    assert len(set(painted[:3])) > 1, "a mask or a joint colours the middle of the grey photo"
    start, length, y = grab(page, "score")
    page.mouse.move(start + 0.99 * length, y, steps=3)
    redrawn(page)
    assert frame(page)["ids"] == []
    assert len(set(canvas(page).evaluate(inside)[:3])) == 1, "its mask went with the box"
    page.mouse.move(start + 0.0 * length, y, steps=3)
    redrawn(page)
    now = frame(page)["ids"]
    assert len(now) > len(first)
    assert canvas(page).evaluate(inside) == painted
    assert canvas(page).evaluate(known) == first, "what is not known yet is not made up"
    page.mouse.up()
    wait_scene(page, "!view.override && view.scene.ids.length === " + str(len(now)))
    settled(page)
    assert canvas(page).evaluate(known) == now
    assert float(dial(page, "score").input_value()) == 0
