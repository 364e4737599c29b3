"""Inside a detector in a browser: a place and a box by the mouse, from section to section."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.driver import link, scene, settled, wait_scene
from tests.browser.runs import redrawn
from tests.browser.test_canvas import canvas

pytestmark = pytest.mark.browser
START = "/inside?photo=cat&model=faster_rcnn_s"
WIDTH = 451  # of the photo


def to_screen(page: Page, x: float, y: float) -> tuple[float, float]:
    """A point of the photo in pixels of the window."""
    factor = scene(page)["width"] / WIDTH
    corner = canvas(page).bounding_box()
    assert corner is not None
    return corner["x"] + x * factor, corner["y"] + y * factor


def place(page: Page) -> list[float]:
    """The middle of the square that marks the chosen place."""
    x1, y1, x2, y2 = scene(page)["boxes"][-1]
    return [(x1 + x2) / 2, (y1 + y2) / 2]


def go(page: Page, section: str) -> None:
    page.get_by_role("radio", name=section, exact=True).click()
    page.wait_for_function(f"location.search.includes('section={_ADDRESS[section]}')")
    settled(page)


_ADDRESS = {"Anchors": "anchors", "Head": "head", "Training": "taught", "Pyramid": "pyramid"}


def test_a_place_that_is_clicked_stays_from_section_to_section(open_again) -> None:
    page = open_again(START)
    settled(page)
    page.mouse.click(*to_screen(page, 120, 90))
    page.wait_for_function("location.search.includes('at=1')")
    settled(page)
    chosen = place(page)
    assert chosen == pytest.approx([120, 90], abs=2)
    for section in ("Anchors", "Head", "Training"):
        go(page, section)
        assert place(page) == chosen
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_box_that_is_dragged_asks_for_its_level_or_is_a_true_box(open_again) -> None:
    page = open_again(f"{START}&section=pyramid")
    settled(page)
    _drag(page, (40, 30, 420, 280))
    wait_scene(page, "view.scene.labels[0] === 'the box'")
    assert scene(page)["boxes"][0] == pytest.approx([40, 30, 420, 280], abs=3)
    go(page, "Training")
    _drag(page, (40, 30, 420, 280))
    wait_scene(page, "view.scene.labels.some(label => label.startsWith('true '))")
    page.get_by_text("(yours)").first.wait_for()
    page = open_again(link(page))
    settled(page)
    page.get_by_text("(yours)").first.wait_for()


def _drag(page: Page, box: tuple[float, float, float, float]) -> None:
    x1, y1, x2, y2 = box
    page.mouse.move(*to_screen(page, x1, y1))
    page.mouse.down()
    page.mouse.move(*to_screen(page, (x1 + x2) / 2, (y1 + y2) / 2), steps=3)
    page.mouse.move(*to_screen(page, x2, y2), steps=3)
    page.mouse.up()


_COUNTS = """() => {
  const box = [...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.limits'))
    .find(Boolean) ?? document.querySelector('.limits');
  const chips = [...box.querySelectorAll('.chip')];
  const number = text => Number(text.replaceAll(',', ''));
  const say = chip => [chip.dataset.name, number(chip.querySelector('b').textContent)];
  return {...Object.fromEntries(chips.map(say)), moving: Boolean(box.limits.moving)};
}"""


def counts(page: Page) -> dict[str, int]:
    """What the chips under the two limits say."""
    return page.evaluate(_COUNTS)


def test_counts_follow_a_limit_while_it_is_dragged_and_stay_on_release(open_again) -> None:
    page = open_again(f"{START}&section=taught")
    settled(page)
    slider = page.locator(".limits input[name=high]")
    box = slider.bounding_box()
    assert box is not None
    y, before = box["y"] + box["height"] / 2, [counts(page)]
    page.mouse.move(box["x"] + 0.7 * box["width"], y)
    page.mouse.down()
    for share in (0.6, 0.5, 0.4):
        page.mouse.move(box["x"] + share * box["width"], y)
        redrawn(page)
        before.append(counts(page))
    assert all(one["moving"] for one in before[1:]), "the hand is still on it"
    positives = [one["positive"] for one in before]
    assert positives == sorted(positives) and len(set(positives)) == 4
    assert len({sum(v for k, v in one.items() if k != "moving") for one in before}) == 1
    assert "high=" not in page.url
    page.mouse.up()
    page.wait_for_function(
        "location.search.includes('high=0.4') || location.search.includes('high=0.3')"
    )
    settled(page)
    after = counts(page)
    assert after["positive"] == positives[-1] and not after["moving"]
    drawn = scene(page)["labels"].count("positive anchor")
    few = after["positive"] <= 300
    assert drawn == (after["positive"] if few else 0), "Python draws as many as were counted"
    page = open_again(link(page))
    settled(page)
    assert counts(page)["positive"] == positives[-1]
    slider.focus()
    page.keyboard.press("ArrowRight")
    redrawn(page)
    assert counts(page)["positive"] <= positives[-1]
