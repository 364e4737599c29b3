"""The live canvas in a real Chromium: drag, keys, hover, pin, zoom."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.driver import scene, settled, wait_scene
from tests.browser.runs import redrawn
from tests.builders import make_trace
from vision_core.selection import FATES, Thresholds, select

pytestmark = pytest.mark.browser
# Counts what the page sends over any websocket from now on.
_COUNT_SENT = """() => {
  globalThis.sent = 0;
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (...args) {
    globalThis.sent += 1;
    return send.apply(this, args);
  };
}"""
_FRAME = """c => ({ids: [...c.view.frame.ids], scores: c.view.frame.scores, frames: c.view.frames,
  labels: c.view.frame.labels, boxes: c.view.frame.boxes, counts: c.view.candidates.result?.counts,
  factor: c.view.zoom.factor, left: c.view.zoom.left, top: c.view.zoom.top,
  overriding: !!c.view.override})"""


def canvas(page: Page):
    return page.locator("canvas[role=application]").last


def frame(page: Page) -> dict:
    """What is drawn at this moment, also while a hand is on a slider."""
    return canvas(page).evaluate(_FRAME)


DIALS = {"score": "Score threshold", "IoU": "NMS IoU threshold"}


def dial(page: Page, name: str):
    return page.get_by_role("slider", name=DIALS[name])


def native(page: Page):
    """The number in the sidebar: another view of the same state."""
    return page.get_by_role("spinbutton", name=DIALS["score"])


def wait_address(page: Page, text: str) -> None:
    """Wait until the address bar holds a text; it is written last."""
    page.wait_for_function("text => location.search.includes(text)", arg=text, timeout=30_000)


def counts_on_page(page: Page) -> dict[str, int]:
    chips = page.locator(".panel .chip")
    return {
        chip.get_attribute("data-name"): int(chip.locator("b").inner_text().replace(",", ""))
        for chip in chips.all()
    }


def grab(page: Page, name: str) -> tuple[float, float, float]:
    """Put the mouse on a slider's thumb: where its track starts, how long it is, and its height."""
    box = dial(page, name).bounding_box()
    thumb = 22.1  # 1.3rem of 17 px: the middle of the thumb moves over what is left of the width
    start, length = box["x"] + thumb / 2, box["width"] - thumb
    y = box["y"] + box["height"] / 2
    value = float(dial(page, name).input_value())
    page.mouse.move(start + value * length, y)
    page.mouse.down()
    return start, length, y


def test_dragging_changes_every_frame_and_sends_nothing_until_release(open_case) -> None:
    page = open_case("300&max=300")
    trace = make_trace(1, 300, size=(640, 480))
    page.evaluate(_COUNT_SENT)
    seen = []
    start, length, y = grab(page, "score")
    for target in np.linspace(0.5, 0.1, 9)[1:]:
        page.mouse.move(start + target * length, y)
        redrawn(page)
        now = frame(page)
        value = float(dial(page, "score").input_value())
        assert abs(value - target) < 0.02
        expected = select(trace, Thresholds(score=value, max_detections=300))
        assert now["ids"] == expected.detections.candidate.tolist()
        assert now["labels"] == list(expected.detections.labels)
        np.testing.assert_allclose(now["boxes"], expected.detections.boxes, rtol=1e-5, atol=1e-3)
        shown = counts_on_page(page)
        assert shown == {n: c for n, c in expected.counts().items() if n in shown}
        assert sum(shown.values()) == 300
        seen.append((len(now["ids"]), now["frames"]))
    assert len({n for n, _ in seen}) > 4, "boxes must come while the mouse moves"
    assert all(a < b for (_, a), (_, b) in itertools.pairwise(seen))
    assert page.evaluate("sent") == 0, "nothing is sent while the mouse is down"
    assert float(native(page).input_value()) == 0.5
    page.mouse.up()
    wait_scene(page, "!view.override && view.scene.live.thresholds.score < 0.2")
    assert page.evaluate("sent") > 0
    settled(page)
    released = float(dial(page, "score").input_value())
    assert float(native(page).input_value()) == pytest.approx(released)
    wait_address(page, f"score={released:g}")
    assert (
        scene(page)["ids"]
        == select(
            trace, Thresholds(score=released, max_detections=300)
        ).detections.candidate.tolist()
    )


def test_a_page_that_stays_loaded_begins_a_new_session(open_case) -> None:
    page = open_case("100&score=0.2")
    assert float(dial(page, "score").input_value()) == 0.2
    page.evaluate("() => { globalThis.loaded = 1; }")
    canvas(page).evaluate("c => { c.drawn = 1; }")
    page = open_case("100")
    assert page.evaluate("globalThis.loaded") == 1
    assert canvas(page).evaluate("c => c.drawn") is None, "the picture is another one"
    assert float(dial(page, "score").input_value()) == float(native(page).input_value()) == 0.5


def test_the_number_in_the_sidebar_moves_the_slider(open_case) -> None:
    page = open_case("100")
    native(page).fill("0")
    page.keyboard.press("Enter")
    wait_scene(page, "view.scene.live.thresholds.score === 0")
    settled(page)
    assert float(dial(page, "score").input_value()) == 0


def test_a_thumb_that_is_put_back_asks_for_nothing(open_case) -> None:
    page = open_case("100")
    before = scene(page)["ids"]
    page.evaluate(_COUNT_SENT)
    start, length, y = grab(page, "score")
    page.mouse.move(start + 0.2 * length, y, steps=3)
    redrawn(page)
    assert frame(page)["ids"] != before
    page.mouse.move(start + 0.5 * length, y, steps=3)
    page.mouse.up()
    wait_scene(page, "!view.override && !view.controls.moving")
    assert page.evaluate("sent") == 0
    assert frame(page)["ids"] == before


def test_arrow_keys_move_the_live_slider_that_has_the_focus(open_case) -> None:
    page = open_case("100")
    dial(page, "IoU").focus()
    page.keyboard.press("ArrowLeft")
    ring = dial(page, "IoU").evaluate("e => getComputedStyle(e).outlineStyle")
    assert ring == "solid", "a visible focus ring"
    for _ in range(9):
        page.keyboard.press("ArrowLeft")
    assert float(dial(page, "IoU").input_value()) == pytest.approx(0.4)
    wait_scene(page, "!view.override && Math.abs(view.scene.live.thresholds.iou - 0.4) < 1e-9")
    settled(page)
    wait_address(page, "iou=0.4")
    trace = make_trace(1, 100, size=(640, 480))
    expected = select(trace, Thresholds(iou=0.4)).detections.candidate.tolist()
    assert scene(page)["ids"] == expected


@pytest.mark.parametrize("nms", ["soft-linear", "none"])
def test_the_other_variants_follow_the_hand_as_well(open_case, nms) -> None:
    page = open_case(f"120&nms={nms}&agnostic=1&max=20")
    start, length, y = grab(page, "score")
    page.mouse.move(start + 0.2 * length, y, steps=2)
    redrawn(page)
    value = float(dial(page, "score").input_value())
    trace = make_trace(1, 120, size=(640, 480))
    expected = select(trace, Thresholds(value, 0.5, nms, 0.5, True, 20))
    assert frame(page)["ids"] == expected.detections.candidate.tolist()
    assert sum(counts_on_page(page).values()) == 120
    page.mouse.up()
    assert dial(page, "IoU").is_disabled() == (nms == "none")


def spot_of(page: Page, candidate: int) -> dict[str, float]:
    """Where a shown box's own corner region lies on the canvas."""
    shown = scene(page)
    x1, y1, x2, y2 = shown["boxes"][shown["ids"].index(candidate)]
    scale = shown["width"] / shown["photo"]["width"]
    return {"x": (x1 + x2) / 2 * scale, "y": (y1 + y2) / 2 * scale}


def test_hovering_names_the_losers_and_a_click_pins(open_case) -> None:
    page = open_case("fates&score=0.01")
    assert scene(page)["ids"] == [0, 3, 4, 2]
    canvas(page).hover(position=spot_of(page, 0))
    redrawn(page)
    assert page.locator(".tip").last.inner_text() == "dog 0.970, 1 box lost to it"
    victims = canvas(page).evaluate("c => c.view.victims(c.view.hover)")
    assert victims == [1]
    canvas(page).click(position=spot_of(page, 0))
    page.get_by_text("Class probabilities of the selected dog").wait_for()
    settled(page)
    assert scene(page)["selected"] == 0
    wait_address(page, "box=0")
    rows = page.locator("[data-testid=stDataFrame] [role=row][aria-selected=true]")
    expect(rows).to_have_count(1)  # the table tells screen readers a moment later


def test_all_candidates_are_coloured_by_fate_and_tell_it(open_case) -> None:
    page = open_case("fates&max=2")
    before = canvas(page).evaluate("c => c.toDataURL()")
    page.get_by_role("button", name="All candidates").click()
    redrawn(page)
    assert canvas(page).evaluate("c => c.toDataURL()") != before
    scale = scene(page)["width"] / 200
    expected = {  # candidate: (a point in it alone, words)
        (55, 12): "dog 0.800: suppressed by dog 0.97, IoU 0.67",
        (120, 30): "cat 0.043: below score",
        (75, 75): "cow 0.550: over the limit",
    }
    for (x, y), words in expected.items():
        canvas(page).hover(position={"x": x * scale, "y": y * scale})
        redrawn(page)
        assert page.locator(".tip").last.inner_text() == words
    assert set(counts_on_page(page)) == {"kept", "below_score", "suppressed", "cut_by_max"}
    assert set(counts_on_page(page)) < set(FATES)


def test_wheel_keys_and_buttons_zoom_and_a_drag_pans(open_case) -> None:
    page = open_case("fates")
    target = canvas(page)
    target.focus()
    page.keyboard.press("+")
    redrawn(page)
    assert frame(page)["factor"] == pytest.approx(1.5)
    page.get_by_role("button", name="Zoom in").click()
    redrawn(page)
    assert frame(page)["factor"] == pytest.approx(2.25)
    box = target.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 80)
    page.evaluate(_COUNT_SENT)
    before = frame(page)
    at = canvas(page).evaluate("c => [(100 - c.view.zoom.left) / c.view.scale()]")[0]
    page.mouse.wheel(0, -200)
    redrawn(page)
    now = frame(page)
    assert now["factor"] > before["factor"]
    held = canvas(page).evaluate("c => [(100 - c.view.zoom.left) / c.view.scale()]")[0]
    assert held == pytest.approx(at, abs=0.1), "what lies under the pointer stays there"
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 60, steps=4)
    page.mouse.up()
    redrawn(page)
    panned = frame(page)
    assert panned["left"] == pytest.approx(now["left"] - 40, abs=1)
    assert panned["top"] == pytest.approx(now["top"] - 20, abs=1)
    assert page.evaluate("sent") == 0, "a drag is no click, and zooming is no news"
    canvas(page).focus()
    page.keyboard.press("0")
    redrawn(page)
    reset = frame(page)
    assert (reset["factor"], reset["left"], reset["top"]) == (1, 0, 0)


def test_the_page_scrolls_over_a_picture_that_is_not_zoomed(open_case) -> None:
    page = open_case("fates")
    box = canvas(page).bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 80)
    page.mouse.wheel(0, 300)
    page.wait_for_function(
        "([canvas, y]) => canvas.getBoundingClientRect().y < y",
        arg=[canvas(page).element_handle(), box["y"]],
    )
    assert frame(page)["factor"] == 1


def test_two_fingers_zoom(open_case) -> None:
    page = open_case("fates", size=(390, 844), is_mobile=True, has_touch=True)
    canvas(page).scroll_into_view_if_needed()
    box = canvas(page).bounding_box()
    client = page.context.new_cdp_session(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def touch(kind: str, apart: float) -> None:
        points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        client.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [] if kind == "touchEnd" else points},
        )

    touch("touchStart", 30)
    for apart in (40, 50, 60, 75, 90):
        touch("touchMove", apart)
    touch("touchEnd", 90)
    redrawn(page)
    assert frame(page)["factor"] == pytest.approx(3, rel=0.15)


def test_a_finger_drags_the_live_slider(open_case) -> None:
    page = open_case("100", size=(390, 844), is_mobile=True, has_touch=True)
    dial(page, "score").scroll_into_view_if_needed()
    box = dial(page, "score").bounding_box()
    client = page.context.new_cdp_session(page)
    y = box["y"] + box["height"] / 2
    before = frame(page)["ids"]

    def touch(kind: str, part: float) -> None:
        points = [{"x": box["x"] + box["width"] * part, "y": y}]
        client.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [] if kind == "touchEnd" else points},
        )

    touch("touchStart", 0.5)
    for part in (0.45, 0.4, 0.3, 0.2):
        touch("touchMove", part)
        redrawn(page)
    assert len(frame(page)["ids"]) > len(before)
    touch("touchEnd", 0.2)
    wait_scene(page, "!view.override && view.scene.live.thresholds.score < 0.3")


def test_more_candidates_than_a_browser_gets(open_case) -> None:
    page = open_case("5200&score=0.011")
    assert page.get_by_text("best 5,000 of 5,200 candidates").count() == 1
    lowest = float(dial(page, "score").get_attribute("min"))
    assert 0.03 < lowest < 0.07
    assert canvas(page).evaluate("c => c.view.candidates.selector.size") == 5000
    dial(page, "IoU").focus()
    page.keyboard.press("ArrowLeft")
    wait_scene(page, "!view.override && Math.abs(view.scene.live.thresholds.iou - 0.49) < 1e-9")
    settled(page)
    wait_address(page, "iou=0.49")
    wait_address(page, "score=0.011")  # a slider that nobody moved says nothing
    dial(page, "score").focus()
    page.keyboard.press("ArrowRight")
    trace = make_trace(1, 5200, size=(640, 480))
    redrawn(page)
    value = float(dial(page, "score").input_value())
    expected = select(trace, Thresholds(value, 0.49)).detections
    assert frame(page)["ids"] == expected.candidate.tolist()
