"""Takes the small pictures of the pages that the start page shows.

Run after a page or the weights changed: python -m tests.browser.cards [NAME ...]
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageOps
from playwright.sync_api import Page

from tests.browser.driver import ROOT, chromium, serve

TARGET = ROOT / "assets" / "cards"
SIZE = (480, 270)
PLOT, STAGE, PLAYER = ".js-plotly-plot", ".stage", ".player svg"
# What to open, and which part of the page is the picture.
CARDS = {
    "predictions": ("predictions?photo=cat", STAGE),
    "compare": ("compare?photo=cat", "[data-testid=stHorizontalBlock]:has(.stage)"),
    "metrics": ("metrics?preset=seven-photos", PLOT),
    "models": ("models", "[data-testid=stDataFrame]"),
    "attribution": ("attribution?methods=gradient,gradcam", PLOT),
    "activations": ("activations", PLOT),
    "filters": ("filters", PLOT),
    "receptive_field": ("receptive_field", STAGE),
    "inside": ("inside?model=faster_rcnn_s&section=anchors", STAGE),
    "race": ("race", PLOT),
    "surgery": (
        "surgery?task=segmentation&skip=trunk.stages.1.1",
        "[data-testid=stHorizontalBlock]:has(.stage)",
    ),
    "feature_space": (
        "feature_space?photo=astronaut&section=map&map=tsne",
        ".st-key-space_map .js-plotly-plot",
    ),
    "training": ("training", "[data-testid=stHorizontalBlock]:has(.js-plotly-plot)"),
    "style": (
        "style?photo=china",
        "[data-testid=stHorizontalBlock]:has(img[alt*='after step 50'])",
    ),
    "relu_rules": ("relu_rules?step=4", PLAYER),
    "convolution": ("convolution?step=3", PLAYER),
    "transposed_convolution": ("transposed_convolution?step=3", PLAYER),
    "pooling": ("pooling?step=2", PLAYER),
    "roi_pooling": ("roi_pooling?step=6", PLAYER),
    "nms": ("nms?step=1", PLAYER),
    "sentence": ("sentence?step=16", PLAYER),
}
PRESSED = {"race": "Start the race", "training": "Start", "style": "Start"}
"""Pages that show nothing before a button is pressed."""
_DONE = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  return app && app.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid=stSpinner]');
}"""


def taken(page: Page, address: str, part: str, button: str | None = None) -> Image.Image:
    """The upper part of an element, in the shape of a card."""
    page.goto(address)
    if button:
        page.get_by_role("button", name=button).click()
    page.locator(part).first.wait_for(timeout=120_000)
    for _ in range(2):
        page.wait_for_function(_DONE, timeout=120_000)
        page.wait_for_timeout(900)
    shot = page.locator(part).first.screenshot()
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    high = picture.width * SIZE[1] // SIZE[0]
    if picture.height > high:
        picture = picture.crop((0, 0, picture.width, high))
    return ImageOps.pad(picture, SIZE, color="#FFFFFF")


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 760})
        for name in sys.argv[1:] or CARDS:
            path, part = CARDS[name]
            picture = taken(page, f"{address}/{path}", part, PRESSED.get(name))
            file = TARGET / f"{name}.png"
            picture.quantize(96).save(file, optimize=True)
            print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
