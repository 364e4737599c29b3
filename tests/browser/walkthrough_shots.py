"""Takes the pictures of the operators' pages that docs/walkthroughs.md shows.

Run after the look changed: python -m tests.browser.walkthrough_shots
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from tests.browser.driver import ROOT, chromium, serve

FOLDER = ROOT / "docs" / "images"
SHOTS = {
    "convolution": "/convolution?step=4",
    "convolution_colour": "/convolution?preset=colour-picture&step=2",
    "convolution_matrix": "/convolution?section=matrix&step=2",
    "transposed": "/transposed_convolution?step=3",
    "checkerboard": "/transposed_convolution?section=overlap",
    "pooling": "/pooling?step=2",
    "unpooling": "/pooling?section=unpool&step=3",
    "roi": "/roi_pooling?step=9",
    "roi_photo": "/roi_pooling?section=photo&step=5",
    "nms": "/nms?step=1",
    "receptive_field": "/receptive_field",
}


def shot(page: Page, address: str, file: Path) -> None:
    page.goto(address)
    page.wait_for_selector(".player[data-step], .stage[data-painted]", timeout=120_000)
    page.wait_for_timeout(2500)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(128).save(file, optimize=True)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1024:.0f} kB")


def main() -> None:
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        for name, path in SHOTS.items():
            shot(page, address + path, FOLDER / f"walkthrough_{name}.png")


if __name__ == "__main__":
    main()
