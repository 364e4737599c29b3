"""Many photos in a browser: real files are given, stopped on the way, and gone on with."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser import driver
from vision_core import models, samples
from vision_core.gallery.files import write_csv
from vision_core.gallery.run import records, run
from vision_core.gallery.sources import Photos

pytestmark = pytest.mark.browser
NETWORKS = ("fcos_s", "faster_rcnn_s")


def made(place: Path, count: int) -> list[Path]:
    """Photos that are all different, and a file that is none."""
    place.mkdir()
    names = samples.names()
    for i in range(count):
        shifted = np.roll(samples.sample(names[i % len(names)]).pixels, 17 * i, 1)
        Image.fromarray(shifted).save(place / f"photo{i:02}.jpg")
    (place / "broken.jpg").write_bytes((place / "photo00.jpg").read_bytes()[:700])
    return sorted(place.iterdir())


def done(page) -> int:
    """Photos that are done, as the bar says."""
    return int(page.locator("[data-testid=stProgress]").inner_text().split()[0])


def test_many_photos_are_stopped_gone_on_with_and_taken_away(open_again, tmp_path) -> None:
    given = made(tmp_path / "photos", 30)
    page = open_again("/metrics?section=many", size=(1280, 900))
    go = page.locator(".st-key-many_go button")
    page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(given)
    go.filter(has_text="Start").click(timeout=120_000)
    page.wait_for_function(
        """() => parseInt(document.querySelector('[data-testid=stProgress]')?.innerText) >= 3""",
        timeout=60_000,
    )
    go.filter(has_text="Stop").click()
    go.filter(has_text="Go on").wait_for(timeout=60_000)
    stopped = done(page)
    assert 3 <= stopped < 31
    page.wait_for_timeout(1500)
    assert done(page) == stopped, "stopped means stopped"
    go.click()
    page.wait_for_timeout(300)
    page.get_by_text("Name", exact=True).click()  # it goes on while the order is changed
    go.filter(has_text="Done").wait_for(timeout=120_000)
    assert done(page) == 31 and page.get_by_text("1 file was skipped").count() == 1
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Table (CSV)").click()
    got = Path(waiting.value.path()).read_bytes().decode()
    loaded = [models.load(name, device="cpu") for name in NETWORKS]
    path = tmp_path / "all.jsonl"
    list(run(Photos(tmp_path / "photos"), loaded, path))
    unbroken = io.StringIO(newline="")
    write_csv(unbroken, records(path), NETWORKS)
    assert list(csv.reader(io.StringIO(got))) == list(csv.reader(io.StringIO(unbroken.getvalue())))
    page.locator(".st-key-tile_0 img").first.wait_for()
    page.locator(".st-key-open_0 button").click()
    page.wait_for_url("**/predictions**", timeout=60_000)
    driver.settled(page)
    assert page.get_by_text("Photo: photo00.jpg").count() == 1
    page.get_by_role("link", name="Metrics").first.click()  # everything is still there
    go.filter(has_text="Done").wait_for(timeout=60_000)
