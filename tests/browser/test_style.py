"""Style in a real Chromium: start, progress, stop, go on, take back, files; DeepDream once."""

from __future__ import annotations

import io
import json
import re

import pytest
from PIL import Image
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ASKED = "/style?grow_side=128&grow_steps=500"
DREAM = (
    "/style?section=dream&task=classification&model=vgg_s&octaves=2&dream_steps=2&dream_side=128"
)


def step_of(page: Page) -> int:
    """The step that the page shows."""
    words = page.locator("p", has_text=re.compile(r"^Step \d+")).first.inner_text(timeout=120_000)
    return int(re.search(r"\d+", words).group())


def until_step(page: Page, least: int) -> None:
    page.wait_for_function(
        """least => [...document.querySelectorAll('p')].some(p => {
          const found = p.textContent.match(/^Step\\s+(\\d+)/);
          return found && Number(found[1]) >= least; })""",
        arg=least,
        timeout=180_000,
    )


def download(page: Page, name: str) -> bytes:
    with page.expect_download(timeout=60_000) as coming:
        page.get_by_role("button", name=name).click()
    return coming.value.path().read_bytes()


def test_a_picture_grows_stops_goes_on_and_comes_as_files(open_again) -> None:
    page = open_again(ASKED)
    page.get_by_text("A step takes about").wait_for(timeout=120_000)
    page.get_by_role("button", name="Start").click()
    until_step(page, 12)
    page.locator(".st-key-style_stop button").click()
    page.get_by_role("button", name="Go on").wait_for(timeout=60_000)
    page.get_by_alt_text("Gram matrix: Style").wait_for(timeout=60_000)
    stopped = step_of(page)
    assert 12 <= stopped < 500
    page.wait_for_timeout(1500)
    assert step_of(page) == stopped, "it stands still"
    assert page.locator(".st-key-grow_steps input").input_value() == "500", "as it was chosen"
    picture = Image.open(io.BytesIO(download(page, "Picture (PNG)")))
    assert max(picture.size) == 128
    told = json.loads(download(page, "Losses"))
    # a step that was on its way when the page was drawn is in the file already
    assert len(told["steps"]) - 1 in (stopped, stopped + 1)
    assert told["steps"][-1]["style"] < told["steps"][0]["style"]
    page.get_by_role("button", name="Go on").click()
    until_step(page, stopped + 5)
    page.locator(".st-key-style_stop button").click()
    page.get_by_role("button", name="Go on").wait_for(timeout=60_000)
    page.wait_for_timeout(1500)  # the steps that were on their way
    again = step_of(page)
    assert again >= stopped + 5
    page.locator(".st-key-style_back button").click()
    page.wait_for_function(
        "most => [...document.querySelectorAll('p')].some(p => Number(p.textContent.match("
        "/^Step\\s+(\\d+)/)?.[1] ?? 1e9) < most)",
        arg=again,
        timeout=60_000,
    )
    assert step_of(page) % 10 == 0


def test_deepdream_tells_its_cost_and_ends(open_again) -> None:
    page = open_again(DREAM)
    page.get_by_text(re.compile(r"Cost: 4 steps.*about \d+ s")).wait_for(timeout=120_000)
    page.get_by_role("button", name="Start").click()
    until_step(page, 4)
    page.get_by_role("button", name="Numbers").wait_for(timeout=60_000)
    told = json.loads(download(page, "Numbers"))
    assert [step for step, _ in told["steps"]] == [0, 1, 2, 3, 4]
    assert told["steps"][2][1] > told["steps"][0][1]
    assert max(Image.open(io.BytesIO(download(page, "Picture (PNG)"))).size) == 128


@pytest.mark.parametrize("path", [ASKED, DREAM])
@pytest.mark.parametrize("size", [(390, 844), (1920, 1080)])
def test_it_fits_a_phone_and_a_stage(open_again, path, size) -> None:
    page = open_again(f"{path}&present=1" if size[0] > 1000 else path, size=size)
    page.get_by_role("button", name="Start").wait_for(timeout=120_000)
    page.locator(".stMain img[alt]").first.wait_for(timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
