"""Server time and bytes of every section of "Inside a detector": python -m benchmarks.inside

The page runs in this process as in Streamlit's own tests, after one run that fills the caches. A
section should answer in 150 ms and send 300 kB at most, also for 100,000 anchors and more: the
second network is torchvision's Faster R-CNN with random weights, whose input is always 800 pixels
wide or high at least, on a photo enlarged with ``--times``.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from unittest import mock

import cv2
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from benchmarks.common import report
from vision_core import models, samples
from vision_core.images import Photo, from_array
from vision_core.inside.opened import opened, photo_boxes
from vision_core.models import Model, card

APP = Path(__file__).resolve().parents[1] / "app.py"
SECTIONS = ("place", "pyramid", "anchors", "proposals", "head", "parts", "taught", "losses")
WANTED = {"ms": 150, "kilobytes": 300}
_MOVES = {"proposals": ("k", 900), "taught": ("high", 0.05)}
"""What is asked for in a section to have as much as possible drawn."""


def main() -> None:
    """Print milliseconds and kilobytes for each section, and whether both are as wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--models",
        nargs="+",
        default=["mask_rcnn_s", "maskrcnn_resnet50_fpn"],
        help="names of the catalogue; random weights where there are none",
    )
    parser.add_argument("--photo", default="cat", help="a sample photo")
    parser.add_argument("--times", type=int, default=4, help="it is enlarged by this factor")
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    photo = _enlarged(samples.sample(chosen.photo), chosen.times)
    with (
        mock.patch("vision_core.samples.sample", lambda _name: photo),
        mock.patch("vision_core.models.load", _load(models.load)),
    ):
        for name in chosen.models:
            _measure(name, photo, chosen.photo, chosen.repeats)


def _enlarged(photo: Photo, times: int) -> Photo:
    size = (photo.width * times, photo.height * times)
    return from_array(cv2.resize(photo.pixels, size, interpolation=cv2.INTER_CUBIC), photo.name)


def _load(whole):  # type: ignore[no-untyped-def]
    """Random weights in place of those that are not bundled."""

    def load(name: str, **given: object) -> Model:
        return whole(name, **given, random_seed=None if card(name).bundled else 0)

    return load


def _measure(name: str, photo: Photo, shown: str, repeats: int) -> None:
    here = opened(models.load(name, device="cpu"), photo)
    anchors = len(here.logits)
    x1, y1, x2, y2 = photo_boxes(here, here.trace.source_boxes_net[:1])[0]
    w, h = photo.width, photo.height
    truth = ";".join(
        f"person:{x * w:.0f},{y * h:.0f},{(x + s) * w:.0f},{(y + s) * h:.0f}"
        for x, y, s in ((0.1, 0.1, 0.8), (0.3, 0.2, 0.4), (0.6, 0.5, 0.1))
    )
    query = {"photo": shown, "model": name, "task": card(name).task}
    query |= {"truth": f"{photo.sha256[:8]};{truth}", "when": "before"}
    query["at"] = f"{(x1 + x2) / 2:.0f},{(y1 + y2) / 2:.0f}"
    app = AppTest.from_file(str(APP), default_timeout=600)
    for section in SECTIONS:
        app.query_params.clear()
        for key, value in (query | {"section": section}).items():
            app.query_params[key] = value
        if section in _MOVES:
            key, value = _MOVES[section]
            app.query_params[key] = str(value)
        app._page_hash = calc_hash("inside")  # ``switch_page`` only knows pages that are files
        if section == SECTIONS[0]:
            app.run()  # photo and code are sent once, whatever is shown first
        began = time.perf_counter()
        app.run()
        first = (time.perf_counter() - began) * 1000  # with what is made once for it
        sent = _bytes(app) / 1000  # with the overlay, if any
        times = []
        for _ in range(repeats):
            began = time.perf_counter()
            app.run()
            times.append((time.perf_counter() - began) * 1000)
        assert not app.exception, app.exception[0].message
        found = {"ms": statistics.median(times), "first_ms": first, "kilobytes": sent}
        kept = all(found[key] <= most for key, most in WANTED.items())
        said = [one.value for one in app.info]
        report(
            "inside", model=name, anchors=anchors, section=section, **found, kept=kept, info=said
        )


def _bytes(app: AppTest) -> int:
    """Serialised size of all elements; blocks count as what they hold."""
    protos = [getattr(element, "proto", None) for element in app.main]
    return sum(p.ByteSize() for p in protos if hasattr(p, "ByteSize"))


if __name__ == "__main__":
    main()
