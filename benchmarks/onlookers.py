"""Real browsers in a hall: python -m benchmarks.onlookers http://127.0.0.1:8501 --count 3

Each Chromium page opens Predictions, brings a photo of its own and moves the score slider by mouse.
Printed: seconds from giving the photo to the painted picture, and from the release of the slider to
the painted picture, as the browsers' own clocks have them; and what their consoles called an error.
``python -m benchmarks.hall --browsers 3`` runs it among the others.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from benchmarks.slider_to_picture import CLOCK
from benchmarks.visitor import LABEL, OwnPhoto, own_photo
from tests.browser.driver import FLAGS, find_browser

_PATIENCE = 120_000  # milliseconds
_FIRST = 100_000  # their photos are no other visitor's

_PAINTED = """() => [...document.querySelectorAll('*')].some((e) =>
  e.shadowRoot?.querySelector('.stage[data-painted]'))"""


async def look(
    browser: Browser, address: str, photo: OwnPhoto, seconds: float, every: float
) -> Any:
    """One page, for so many seconds; returns first, moves and errors."""
    page = await browser.new_page(viewport={"width": 1280, "height": 720})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    draw, until = random.Random(photo.name), time.monotonic() + seconds
    await page.goto(f"{address}/predictions?source=upload", timeout=_PATIENCE)
    upload = page.locator("[data-testid=stFileUploader] input[type=file]").first
    await upload.wait_for(state="attached", timeout=_PATIENCE)
    began = time.perf_counter()
    file: Any = {"name": photo.name, "mimeType": "image/jpeg", "buffer": photo.content}
    await upload.set_input_files([file])
    await page.wait_for_function(_PAINTED, timeout=_PATIENCE)
    first, moves = time.perf_counter() - began, []
    await page.wait_for_timeout(1500)
    await page.evaluate(CLOCK)
    while time.monotonic() < until:
        await asyncio.sleep(draw.uniform(0.5, 1.5) * every)
        moves = await _moved(page, draw.uniform(0.02, 0.8))
    await page.close()
    return first, moves, errors


async def _moved(page: Page, share: float) -> list[float]:
    """Drag the slider to a share of its track; the seconds of all moves so far."""
    track = await page.get_by_role("slider", name=LABEL).bounding_box()
    if track is None:
        raise RuntimeError(f"the page has no {LABEL!r}")
    before = await page.evaluate("clock.took.length")
    y = track["y"] + track["height"] / 2
    await page.mouse.move(track["x"] + track["width"] * (share + 0.1), y)
    await page.mouse.down()
    await page.mouse.move(track["x"] + track["width"] * share, y, steps=4)
    await page.mouse.up()
    await page.wait_for_function(f"() => clock.took.length > {before}", timeout=_PATIENCE)
    return [took / 1000 for took in await page.evaluate("clock.took")]


async def _all(
    chosen: argparse.Namespace,
) -> list[tuple[float, list[float], list[str]]]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        photos = [own_photo(_FIRST + number) for number in range(chosen.count)]
        seen = await asyncio.gather(
            *(look(browser, chosen.address, p, chosen.seconds, chosen.every) for p in photos)
        )
        await browser.close()
    return seen


def main() -> None:
    """Print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two moves")
    seen = asyncio.run(_all(parser.parse_args()))
    told = {
        "first": [first for first, _, _ in seen],
        "moves": [move for _, moves, _ in seen for move in moves],
        "errors": [error for _, _, errors in seen for error in errors],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
