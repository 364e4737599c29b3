"""The page "Metrics" in a browser: played, its numbers edited."""

from __future__ import annotations

from urllib.parse import parse_qs, urlparse

import pytest

from tests.browser import driver
from tests.browser.test_walkthroughs import ready

pytestmark = pytest.mark.browser


def test_average_precision_is_played_and_its_areas_are_written_out(open_again) -> None:
    page = open_again("/metrics?step=1", size=(1280, 1200))
    ready(page)
    maths = page.locator(".player .maths").first
    assert "a duplicate" in maths.inner_text()
    page.locator(".player .last").first.click()
    maths.filter(has_text="34 \u00d7").wait_for()  # equal terms are counted, not listed
    assert "= 0.733333" in maths.inner_text().replace("\n", "")
    page.get_by_text("My numbers").click()
    page.locator("[data-testid=stDataFrame]").first.wait_for(timeout=60_000)
    ready(page)
    assert page.locator("[data-testid=stException]").count() == 0


def joints_in(page) -> dict[str, list[float]]:
    """The true joints that stand in the address."""
    text = parse_qs(urlparse(page.url).query).get("joints", [""])[0]
    parts = (part.split(":") for part in text.split(";")[1:])
    return {name: [float(v) for v in numbers.split(",")] for name, numbers in parts}


def test_joints_are_placed_and_dragged_on_the_photo(open_again) -> None:
    page = open_again("/metrics?section=pose&photo=astronaut", size=(1280, 900))
    driver.settled(page)
    page.get_by_role("button", name="Place true joints").click()
    page.get_by_text("The next click places").wait_for(timeout=60_000)
    driver.settled(page)
    box = page.locator("canvas[role=application]").last.bounding_box()
    assert box is not None
    scale = box["width"] / 512

    def at(x: float, y: float) -> tuple[float, float]:
        return box["x"] + x * scale, box["y"] + y * scale

    for count, (x, y) in enumerate(((100, 400), (120, 300), (150, 200)), 1):
        page.mouse.click(*at(x, y))
        page.wait_for_function(
            f"(location.search.match(/%3A/g) || []).length === {count}", timeout=60_000
        )
        driver.settled(page)
    placed = joints_in(page)
    assert list(placed) == ["right_ankle", "right_knee", "right_hip"]
    assert placed["right_knee"] == pytest.approx([120, 300], abs=2)
    page.mouse.move(*at(120, 300))
    page.mouse.down()
    page.mouse.move(*at(200, 330), steps=4)
    page.mouse.move(*at(300, 350))
    page.mouse.up()
    page.wait_for_function(
        f"!location.search.includes('right_knee%3A{placed['right_knee'][0]:g}%2C')", timeout=60_000
    )
    driver.settled(page)
    assert joints_in(page)["right_knee"] == pytest.approx([300, 350], abs=2)
    page.reload()  # the joints survive
    driver.settled(page)
    assert joints_in(page)["right_knee"] == pytest.approx([300, 350], abs=2)
    assert len(driver.scene(page)["boxes"]) == 3


def test_a_truth_is_painted_and_survives_a_reload(open_again) -> None:
    page = open_again("/metrics?section=pixels&photo=cat&drawing=1&tool=brush", size=(1280, 900))
    driver.settled(page)
    box = page.locator("canvas[role=application]").last.bounding_box()
    assert box is not None

    def stroke(*points: tuple[float, float]) -> None:
        for i, (x, y) in enumerate(points):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
            if i == 0:
                page.mouse.down()
        page.mouse.up()

    def count(n: int) -> None:
        page.get_by_text(f"Remove the painting ({n})").wait_for(timeout=60_000)
        driver.settled(page)

    stroke((0.2, 0.3), (0.5, 0.3), (0.5, 0.6))
    stroke((0.7, 0.3), (0.8, 0.7))  # before the answer to the first is here
    stroke((0.9, 0.5))
    count(3)
    page.get_by_text("Erase", exact=True).click()
    driver.settled(page)
    stroke((0.2, 0.3), (0.3, 0.3))
    count(4)
    page.get_by_role("button", name="Undo the last stroke").click()
    count(3)
    text = page.get_by_text("TP / (TP + FP + FN)").inner_text()
    page.reload()
    driver.settled(page)
    count(3)
    assert page.get_by_text("TP / (TP + FP + FN)").inner_text() == text
