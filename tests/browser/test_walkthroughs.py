"""The players of the operators' pages in a real Chromium, with the network off."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect
from torch.nn import functional as F

from tests.browser.driver import link, settled
from tests.browser.runs import idle

pytestmark = pytest.mark.browser


def ready(page: Page) -> None:
    """Wait until the players are drawn and the script has finished."""
    page.wait_for_selector(".player[data-step]", timeout=120_000)
    idle(page)
    expect(page.locator(".player:not([data-step])")).to_have_count(0)


def step(page: Page, at: int = 0) -> int:
    return int(page.locator(".player").nth(at).get_attribute("data-step") or -1)


def wait_step(page: Page, wanted: int) -> None:
    page.locator(f".player[data-step='{wanted}']").first.wait_for(timeout=30_000)


def shown(page: Page, operand: str, view: int = 0, at: int = 0) -> dict[str, str]:
    """What stands in the cells of an operand, as text."""
    cells = (
        page.locator(".player").nth(at).locator(f"[data-operand='{operand}'][data-view='{view}']")
    )
    return dict(
        cells.evaluate_all(
            "all => all.map(c => [c.dataset.cell, c.querySelector('text').textContent])"
        )
    )


def as_array(cells: dict[str, str]) -> np.ndarray:
    places = [tuple(int(i) for i in key.split(",")) for key in cells]
    size = tuple(max(p[a] for p in places) + 1 for a in range(len(places[0])))
    found = np.full(size, np.nan)
    for place, text in zip(places, cells.values(), strict=True):
        found[place] = float(text.replace("\u2212", "-"))
    return found


def transposed(x: Any, w: Any, **options: int) -> np.ndarray:
    tensors = [torch.tensor(v, dtype=torch.float64)[None, None] for v in (x, w)]
    return F.conv_transpose2d(*tensors, None, **options)[0, 0].numpy()


KERNEL = [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


def test_a_transposed_convolution_is_played_to_its_end_by_keyboard_alone(open_again) -> None:
    page = open_again("/transposed_convolution?step=0")
    ready(page)
    assert step(page) == 0
    assert "" in shown(page, "output", view=1).values(), "nothing is complete at the start"
    page.keyboard.press("ArrowRight")
    wait_step(page, 1)
    page.keyboard.press("ArrowLeft")
    wait_step(page, 0)
    page.keyboard.press(" ")  # plays
    wait_step(page, 4)
    expected = transposed([[1, 2], [3, 4]], KERNEL, stride=2, padding=1, output_padding=1)
    for view in (0, 1):
        assert np.array_equal(as_array(shown(page, "output", view)), expected)
    page.wait_for_url(re.compile("step=4"), timeout=30_000)


def test_a_link_to_a_step_shows_that_step(open_again) -> None:
    page = open_again("/convolution?step=7")
    ready(page)
    assert step(page) == 7
    assert "y[2,1] =" in page.locator(".maths").first.inner_text()
    values = shown(page, "output")
    assert values["2,1"] != "" and values["2,2"] == ""


_PRESSES = """async (box, [times, pause]) => {
  const seen = [];
  new MutationObserver(() => {
    if (box.dataset.step !== seen.at(-1)) seen.push(box.dataset.step);
  }).observe(box, { attributes: true, attributeFilter: ["data-step"] });
  globalThis.stepsSeen = seen;
  for (let i = 0; i < times; i++) {
    box.querySelector(".on").click();
    await new Promise((done) => setTimeout(done, pause));
  }
}"""


def test_steps_that_are_pressed_faster_than_the_server_answers_stay(open_again) -> None:
    page = open_again("/roi_pooling?step=0")
    ready(page)
    page.locator(".player").first.evaluate(_PRESSES, [9, 60])
    idle(page)
    assert page.evaluate("stepsSeen") == [str(k) for k in range(1, 10)]
    assert "step=9" in page.url


def test_numbers_are_changed_in_place_and_stand_in_the_address(open_again) -> None:
    page = open_again("/transposed_convolution?step=4")
    ready(page)
    cell = page.locator("[data-operand='input'][data-view='0'][data-cell='0,1']")
    cell.dblclick()
    page.locator(".entry").first.fill("-7")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("input=1"), timeout=30_000)
    ready(page)
    options = {"stride": 2, "padding": 1, "output_padding": 1}
    expected = transposed([[1, -7], [3, 4]], KERNEL, **options)
    assert np.array_equal(as_array(shown(page, "output")), expected)
    page = open_again(link(page))
    ready(page)
    assert np.array_equal(as_array(shown(page, "output", view=1)), expected)


def test_a_bad_parameter_shows_its_rule_and_the_last_valid_picture_stays(open_again) -> None:
    page = open_again("/transposed_convolution?step=4")
    ready(page)
    before = shown(page, "output")
    entry = page.get_by_role("spinbutton", name="Output padding")
    entry.fill("2")
    entry.press("Enter")
    page.get_by_text("output_padding must be smaller than the stride (2)").wait_for(timeout=30_000)
    ready(page)
    rule = page.get_by_text("output_padding must be").bounding_box()
    box = entry.bounding_box()
    assert 0 < rule["y"] - box["y"] < 200, "the rule stands beside its control"
    assert shown(page, "output") == before
    entry.fill("0")
    entry.press("Enter")
    page.locator(".player [data-cell='2,2']").first.wait_for()
    page.wait_for_url(re.compile("output_padding=0"), timeout=30_000)
    ready(page)
    assert as_array(shown(page, "output")).shape == (3, 3)


def test_pointing_at_cells_tells_what_they_are_made_of(open_again) -> None:
    page = open_again("/convolution?step=0")
    ready(page)
    maths = page.locator(".maths").first
    page.locator("[data-operand='output'][data-cell='1,2']").hover()
    assert maths.inner_text().startswith("y[1,2] =")
    lit = page.locator("[data-operand='input'][data-on='1']")
    assert sorted(lit.evaluate_all("all => all.map(c => c.dataset.cell)")) == sorted(
        f"{r},{c}" for r in (1, 2, 3) for c in (2, 3, 4)
    )
    page.locator("[data-operand='input'][data-cell='0,0']").hover()
    assert "feeds 1 output cell" in maths.inner_text()


def test_dragging_a_region_on_the_photo_moves_the_misalignment(open_again) -> None:
    page = open_again("/roi_pooling?section=photo")
    ready(page)
    measured = page.locator("[data-pool]")
    before = measured.get_attribute("data-pool")
    photo = page.locator(".player [data-panel='board'] image").first
    box = photo.bounding_box()
    start = (box["x"] + 0.1 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + 40, start[1] + 30)
    page.mouse.move(start[0] + 0.33 * box["width"], start[1] + 0.41 * box["height"])
    page.mouse.up()
    page.wait_for_url(re.compile("roi="), timeout=30_000)
    ready(page)
    assert measured.get_attribute("data-pool") != before
    x1, y1, x2, y2 = (
        float(v)
        for v in re.search(r"roi=([^&]+)", page.url).group(1).replace("%2C", ",").split(",")
    )
    width = photo.evaluate("i => i.ownerSVGElement && 451")
    assert abs(x1 - 0.1 * width) < 5 and abs(x2 - x1 - 0.33 * width) < 8 and y2 > y1
    # One cell of the shown layer in pixels of the photo, as the page says it.
    cell = float(re.search(r"covers ([\d.]+) pixels", page.inner_text("body")).group(1))
    edges = []
    for value, last in ((x1, False), (y1, False), (x2, True), (y2, True)):
        snapped = np.floor(value / cell + 0.5) + last
        edges.append(abs(snapped * cell - value))
    assert float(measured.get_attribute("data-pool")) == pytest.approx(max(edges), abs=0.6)
    assert float(measured.get_attribute("data-align")) < 0.01


def test_boxes_of_nms_can_be_dragged(open_again) -> None:
    page = open_again("/nms?step=1")
    ready(page)
    assert shown(page, "output")["3"] == "0"
    board = page.locator(".player [data-panel='board'] rect").first.bounding_box()
    scale = board["width"] / 270  # the board ends 8 % beyond the last box, at 250
    x, y = board["x"] + 235 * scale, board["y"] + 128 * scale  # inside box 3 alone
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 30, y + 10)
    page.mouse.move(x - 120 * scale, y)
    page.mouse.up()
    page.wait_for_url(re.compile("boxes="), timeout=30_000)
    ready(page)
    page.keyboard.press("End")
    assert shown(page, "output")["3"] == ".77", "moved away, it is no longer suppressed"


def test_saved_files(open_again) -> None:
    page = open_again("/transposed_convolution?step=3")
    ready(page)
    with page.expect_download() as svg:
        page.get_by_role("button", name="save this step as SVG").first.click()
    assert svg.value.suggested_filename == "transposed_convolution-step-3.svg"
    text = svg.value.path().read_text("utf-8")
    assert text.startswith("<svg") and "times the kernel" in text
    with page.expect_download() as png:
        page.get_by_role("button", name="save this step as PNG").first.click()
    assert png.value.path().read_bytes()[:4] == b"\x89PNG"
    with page.expect_download() as film:
        page.get_by_role("button", name="GIF of all steps").click()
    assert film.value.path().read_bytes()[:3] == b"GIF"


def test_clicking_the_photo_moves_the_receptive_field(open_again) -> None:
    page = open_again("/receptive_field")
    settled(page)
    before = page.locator("[data-field]").get_attribute("data-field")
    page.locator("canvas[role=application]").last.click(position={"x": 60, "y": 60})
    page.wait_for_url(re.compile("at="), timeout=30_000)
    settled(page)
    assert page.locator("[data-field]").get_attribute("data-field") != before


PAGES = {
    "/convolution": ("As a matrix", "On a film"),
    "/transposed_convolution": ("Tied weights",),
    "/pooling": ("Unpooling", "Across channels"),
    "/roi_pooling": ("Backward", "On the photo", "Corner pooling", "Corner pairs", "Anchors"),
}


def check_on_a_phone(page: Page) -> None:
    """The first figure does not scroll sideways, and its numbers can be read."""
    wide = page.locator(".scene").first.evaluate("s => [s.scrollWidth, s.clientWidth]")
    assert wide[0] <= wide[1] + 1
    board = page.locator(".player [data-panel='board'] image")
    if board.count():
        assert board.first.bounding_box()["width"] > 250
    sizes = page.locator(".player [data-cell] text:first-of-type").evaluate_all(
        "all => all.filter(t => t.textContent).map(t => parseFloat(t.getAttribute('font-size')))"
    )
    assert min(sizes) >= 8


@pytest.mark.parametrize("path", PAGES)
def test_pages_fit_a_phone(open_again, path) -> None:
    """The first section as it opens, and others as they are chosen."""
    page = open_again(path, size=(390, 844))
    ready(page)
    check_on_a_phone(page)
    for section in PAGES[path]:
        page.get_by_role("radio", name=section, exact=True).click()
        ready(page)
        assert "section=" in page.url
        check_on_a_phone(page)
