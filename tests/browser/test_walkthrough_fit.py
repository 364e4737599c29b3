"""Figures of the operators' pages in Chromium: nothing is cut, printed over or moved by a step."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.runs import idle, redrawn
from tests.browser.test_walkthroughs import ready

pytestmark = pytest.mark.browser
PATHS = [
    "/transposed_convolution?step=3",
    "/convolution?section=matrix&step=2",
    "/convolution?preset=colour-picture&step=2",
    "/roi_pooling?step=9",
    "/sentence?step=14",
    "/convolution?section=film&step=4",
    "/metrics?step=2",
    "/metrics?preset=seven-photos&step=9",
]
CUT = """svg => { const edge = svg.viewBox.baseVal; return [...svg.querySelectorAll('text')]
  .filter(t => t.textContent && (b => b.x < -2.5 || b.x + b.width > edge.width - 1)
    (t.closest('g') ? {x: 0, width: 0} : t.getBBox())).map(t => t.textContent); }"""
WIDE = """svg => [...svg.querySelectorAll('[data-cell]')].filter(c => {
  const [t, r] = [c.querySelector('text').getBBox(), c.querySelector('rect').getBBox()];
  return t.width > r.width - 2; }).map(c => c.querySelector('text').textContent)"""
FITTED = """box => { const { size, data } = box.player;
  return !box.clientWidth || size === `${box.clientWidth} ${innerHeight} ${data.above}`; }"""
WALK = """async box => {
  const player = box.player, scene = box.querySelector('.scene'), seen = [];
  const at = key => ({ key, bubbles: true, composed: true });
  const press = key => box.dispatchEvent(new KeyboardEvent('keydown', at(key)));
  const drawn = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  press('Home');
  for (let count = 0; count < 6; count++) {
    if (count) press('ArrowRight');
    await drawn();
    seen.push([player.k, scene.offsetTop]);
  }
  return [seen, player.end]; }"""
SHOW = "(box, step) => { box.player.go(step); box.player.tellStep(); }"
SIZES = [(1280, 720), (1920, 1080), (390, 844)]


def resized(page: Page, size: tuple[int, int]) -> None:
    """Give the window a size, and wait until the figures are laid out for it."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    redrawn(page)
    idle(page)
    for player in page.locator(".player").element_handles():
        page.wait_for_function(FITTED, arg=player, timeout=60_000)


def check_numbers_and_titles(page: Page) -> None:
    """Titles are whole, and numbers fit in their cells."""
    svg = page.locator(".player svg").first
    assert svg.evaluate(CUT) == []
    assert svg.evaluate(WIDE) == []


def check_walk(page: Page) -> None:
    """The figure keeps its place while it is walked, and when Python has heard of the step."""
    player = page.locator(".player").first
    seen, end = player.evaluate(WALK)
    assert [step for step, _ in seen] == [min(k, end) for k in range(6)]
    page.wait_for_function(
        "({ player }) => player.told.sent === player.k && !player.told.open.length",
        arg=player.element_handle(),
    )
    idle(page)
    seen.append((end, player.locator(".scene").evaluate("s => s.offsetTop")))
    assert len({top for _, top in seen}) == 1


@pytest.mark.parametrize("path", PATHS)
def test_titles_are_whole_numbers_fit_and_the_figure_stays(open_again, path) -> None:
    page = open_again(path, size=SIZES[0])
    ready(page)
    asked = page.locator(".player").first.evaluate("p => p.player.k")
    for size in SIZES:
        resized(page, size)
        page.locator(".player").first.evaluate(SHOW, asked)
        idle(page)
        check_numbers_and_titles(page)
        check_walk(page)


def test_labels_of_boxes_do_not_cover_each_other(open_again) -> None:
    chosen = "10,10,150,110;10,10,150,110;12,12,152,112;10,14,150,114"
    page = open_again(f"/nms?step=1&boxes={chosen}")
    ready(page)
    for size in (SIZES[0], SIZES[2]):
        resized(page, size)
        boxes = page.locator(".player [data-panel='board'] text").evaluate_all(
            "all => all.map(t => t.getBBox()).map(b => [b.x, b.y, b.x + b.width, b.y + b.height])"
        )
        assert len(boxes) == 4
        for i, (x1, y1, x2, y2) in enumerate(boxes):
            for a1, b1, a2, b2 in boxes[i + 1 :]:
                assert x2 <= a1 or a2 <= x1 or y2 <= b1 or b2 <= y1


def test_numbers_of_a_sentence_can_be_read_on_a_phone(open_again) -> None:
    """The figure scrolls sideways in its own frame; the page does not."""
    page = open_again("/sentence?step=2", size=(390, 844))
    ready(page)
    player = page.locator(".player").first
    for step in (2, 14, player.evaluate("p => p.player.end")):
        player.evaluate("(p, k) => p.player.go(k)", step)
        redrawn(page)
        assert player.get_attribute("data-step") == str(step)
        sizes = page.locator(".player [data-cell] text:first-of-type").evaluate_all(
            """all => all.filter(t => t.textContent)
              .map(t => parseFloat(t.getAttribute('font-size')))"""
        )
        assert len(sizes) > 40 and min(sizes) >= 10
        scene = player.locator(".scene")
        assert scene.evaluate("s => s.scrollWidth > s.clientWidth")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
