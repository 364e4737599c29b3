"""Takes the picture of the Predictions page that README and docs show.

Run after the weights changed: python -m tests.browser.screenshot
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image

from tests.browser.driver import ROOT, chromium, scene, serve, settled

TARGET = ROOT / "docs" / "images" / "predictions.png"


def main() -> None:
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 760})
        page.goto(f"{address}/predictions")
        settled(page)
        best = scene(page)["ids"][:1]
        if best:
            page.goto(f"{address}/predictions?box={best[0]}")
            settled(page)
        page.wait_for_timeout(2000)
        shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    shot.quantize(256).save(TARGET, optimize=True)
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
