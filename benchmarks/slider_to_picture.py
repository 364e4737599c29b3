"""From the release of the score slider to the new picture in Chromium, promised at most 200 ms.

Prints JSON. The clock runs in the browser: from the mouse button's release to the moment at which
the picture component has painted the new boxes. Run: python benchmarks/slider_to_picture.py
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Page

from tests.browser.driver import chromium, scene, serve, settled

PROMISE_MS = 200

# Notes the time of each release of the mouse and of each painted picture.
CLOCK = """() => {
  const canvas = document.querySelectorAll('*');
  const hosts = [...canvas].filter((e) => e.shadowRoot?.querySelector('.stage'));
  const stage = hosts.at(-1).shadowRoot.querySelector('.stage');
  globalThis.clock = { released: 0, took: [] };
  addEventListener('pointerup', () => { clock.released = performance.now(); }, true);
  new MutationObserver(() => {
    if (clock.released) clock.took.push(performance.now() - clock.released);
    clock.released = 0;
  }).observe(stage, { attributes: true, attributeFilter: ['data-painted'] });
}"""


def measure(page: Page, moves: int) -> list[float]:
    """Milliseconds of each move of the score slider between two places, by mouse."""
    page.evaluate(CLOCK)
    slider = page.get_by_role("slider", name="Score threshold")
    for i in range(moves):
        track = slider.bounding_box()
        assert track is not None
        y = track["y"] + track["height"] / 2
        page.mouse.move(track["x"] + track["width"] / 2, y)
        page.mouse.down()
        page.mouse.move(track["x"] + track["width"] * (0.8 if i % 2 else 0.02), y, steps=6)
        page.mouse.up()
        page.wait_for_function(f"() => clock.took.length > {i}", timeout=30_000)
        page.wait_for_timeout(700)
    return page.evaluate("clock.took")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=20)
    moves = parser.parse_args().moves
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(f"{address}/predictions?max=300")
        settled(page)
        page.wait_for_timeout(1500)
        took = measure(page, moves)
        boxes = len(scene(page)["boxes"])
    print(
        json.dumps(
            {
                "what": "score slider released to picture painted, 300 boxes and none in turn",
                "moves": len(took),
                "median_ms": round(statistics.median(took), 1),
                "p90_ms": round(sorted(took)[int(0.9 * (len(took) - 1))], 1),
                "min_ms": round(min(took), 1),
                "max_ms": round(max(took), 1),
                "boxes_at_end": boxes,
                "promise_ms": PROMISE_MS,
            }
        )
    )


if __name__ == "__main__":
    main()
