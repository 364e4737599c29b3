"""The league in a real Chromium: start, stop, go on, the table, a box of one's own, the files."""

from __future__ import annotations

import csv
import json

import pytest

pytestmark = pytest.mark.browser

ASKED = "/attribution?task=classification&model=alexnet_s&target=cat&league=1&steps_of_curve=4"
FEW = f"{ASKED}&rivals=gradient,gradcam,guided_backprop"
PHONE = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36"
_OVERLAPPING = """plot => {
  const words = [...plot.querySelectorAll('.xtitle, .ytitle, .annotation-text, .legendtext')]
    .map(e => [e.textContent, e.getBoundingClientRect()]).filter(([, r]) => r.width > 0);
  return words.flatMap(([a, p], i) => words.slice(i + 1).filter(([, q]) => p.left < q.right - 1
    && q.left < p.right - 1 && p.top < q.bottom - 1 && q.top < p.bottom - 1).map(([b]) => [a, b]));
}"""


def ended(page) -> None:
    page.get_by_role("button", name="Run again").wait_for(timeout=120_000)
    page.locator("[data-league] img").first.wait_for(timeout=60_000)


def download(page, name: str) -> str:
    with page.expect_download(timeout=60_000) as coming:
        page.get_by_role("button", name=name).click()
    return coming.value.path().read_text("utf-8")


def test_the_league_from_its_cost_to_its_files(open_again) -> None:
    page = open_again(FEW)
    page.get_by_text("Cost: ").wait_for(timeout=120_000)
    page.get_by_role("button", name="Start the league").click()
    ended(page)
    assert page.locator("[data-league] img").count() == 4
    page.locator(".js-plotly-plot .legend").wait_for(timeout=60_000)
    table = list(csv.DictReader(download(page, "Table (CSV)").splitlines()))
    assert sorted(row["method"] for row in table[:3]) == ["gradcam", "gradient", "guided_backprop"]
    told = json.loads(download(page, "Numbers (JSON)"))
    assert told["box"]["from"].startswith("found by") and len(told["methods"]) == 4
    assert "data:image" in download(page, "Take home (HTML)")
    # a box of one's own: only two scores change, nothing runs
    canvas = page.locator("canvas[role=application]").last
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6, steps=5)
    page.mouse.up()
    page.get_by_text("Box: drawn by you").wait_for(timeout=60_000)
    page.wait_for_function("() => location.search.includes('drag=')", timeout=30_000)
    again = json.loads(download(page, "Numbers (JSON)"))
    assert again["box"]["from"] == "drawn by you" and again["by_chance"] != told["by_chance"]
    first, second = ({m["method"]: m["scores"] for m in t["methods"]} for t in (told, again))
    for name, scores in first.items():
        assert second[name]["deletion"] == scores["deletion"]
        assert second[name]["energy"] < scores["energy"]


def test_it_can_be_stopped_and_goes_on(open_again) -> None:
    page = open_again(ASKED)
    page.get_by_role("button", name="Start the league").click(timeout=120_000)
    page.get_by_text("passes. ").first.wait_for(timeout=60_000)
    page.locator("[data-testid=stDataFrame]").first.wait_for(timeout=60_000)
    page.locator(".st-key-league_stop button").click()
    page.get_by_text("Stopped at").wait_for(timeout=60_000)
    page.locator("[data-league] img").first.wait_for(timeout=60_000)  # drawn after the words
    page.get_by_role("button", name="Go on").click()
    ended(page)
    page.wait_for_function("() => document.querySelectorAll('[data-league] img').length >= 12")


@pytest.mark.parametrize(
    ("size", "more", "options"),
    [((1280, 720), "", {}), ((1920, 1080), "&present=1", {}),
     ((390, 844), "", {"user_agent": PHONE})],
)  # fmt: skip
def test_words_of_the_curves_stand_clear_of_each_other(open_again, size, more, options) -> None:
    page = open_again(f"{FEW},layercam,input_x_gradient,deconvnet{more}", size=size, **options)
    start = page.get_by_role("button", name="Start the league")
    start.or_(page.get_by_role("button", name="Run again")).wait_for(timeout=120_000)
    if start.count():  # the first of these; the server keeps what was found
        start.click()
    ended(page)
    plot = page.locator(".js-plotly-plot").first
    plot.locator(".legendtext").first.wait_for(timeout=60_000)
    page.wait_for_timeout(1000)  # Plotly makes room for its legend in a second drawing
    assert plot.locator(".legendtext").count() == 7
    assert plot.evaluate(_OVERLAPPING) == []
