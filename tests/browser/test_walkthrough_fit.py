"""Figures of the operators' pages in Chromium: nothing is cut, printed over or moved by a step."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (390, 844)])
def test_titles_are_whole_numbers_fit_and_the_figure_stays(open_page, path, size) -> None:
    page = open_page(path, size=size)
    ready(page)
    svg = page.locator(".player svg").first
    assert svg.evaluate(CUT) == []
    assert svg.evaluate(WIDE) == []
    page.locator(".player .first").first.click()
    tops = set()
    for _ in range(6):
        tops.add(page.locator(".player .scene").first.evaluate("s => s.offsetTop"))
        page.locator(".player .on").first.click()
    assert len(tops) == 1


@pytest.mark.parametrize("size", [(1280, 720), (390, 844)])
def test_labels_of_boxes_do_not_cover_each_other(open_page, size) -> None:
    chosen = "10,10,150,110;10,10,150,110;12,12,152,112;10,14,150,114"
    page = open_page(f"/nms?step=1&boxes={chosen}", size=size)
    ready(page)
    boxes = page.locator(".player [data-panel='board'] text").evaluate_all(
        "all => all.map(t => t.getBBox()).map(b => [b.x, b.y, b.x + b.width, b.y + b.height])"
    )
    assert len(boxes) == 4
    for i, (x1, y1, x2, y2) in enumerate(boxes):
        for a1, b1, a2, b2 in boxes[i + 1 :]:
            assert x2 <= a1 or a2 <= x1 or y2 <= b1 or b2 <= y1


@pytest.mark.parametrize("step", [2, 14, 40])
def test_numbers_of_a_sentence_can_be_read_on_a_phone(open_page, step) -> None:
    """The figure scrolls sideways in its own frame; the page does not."""
    page = open_page(f"/sentence?step={step}", size=(390, 844))
    ready(page)
    sizes = page.locator(".player [data-cell] text:first-of-type").evaluate_all(
        "all => all.filter(t => t.textContent).map(t => parseFloat(t.getAttribute('font-size')))"
    )
    assert len(sizes) > 40 and min(sizes) >= 10
    scene = page.locator(".player .scene").first
    assert scene.evaluate("s => s.scrollWidth > s.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
