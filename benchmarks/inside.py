"""Server time and bytes of every section of "Inside a detector": python -m benchmarks.inside

The page runs in this process as in Streamlit's own tests, after one run that fills the caches. A
section should answer in 150 ms and send 300 kB at most, also for the 100,000 anchors and more of
``--model fasterrcnn_resnet50_fpn``, which needs its weights on the machine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from benchmarks.common import report
from vision_core.models import card

APP = Path(__file__).resolve().parents[1] / "app.py"
SECTIONS = ("place", "pyramid", "anchors", "proposals", "head", "taught", "losses")


def main() -> None:
    """Print milliseconds and kilobytes for each section, and the ratio to the first one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="faster_rcnn_s", help="a name of the catalogue")
    parser.add_argument("--photo", default="cat", help="a sample photo")
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    app = AppTest.from_file(str(APP), default_timeout=600)
    first = None
    for section in SECTIONS:
        query = {"photo": chosen.photo, "model": chosen.model, "section": section}
        query["task"] = card(chosen.model).task
        for name, value in query.items():
            app.query_params[name] = value
        app._page_hash = calc_hash("inside")  # ``switch_page`` only knows pages that are files
        app.run()
        times = []
        for _ in range(chosen.repeats):
            began = time.perf_counter()
            app.run()
            times.append((time.perf_counter() - began) * 1000)
        sent = sum(_bytes(element) for element in app.main)
        median = statistics.median(times)
        first = first or median
        report("inside", section=section, ms=median, ratio=median / first, kilobytes=sent / 1000)


def _bytes(element: object) -> int:
    """Serialised size of an element and of what it holds."""
    proto = getattr(element, "proto", None)
    own = proto.ByteSize() if proto is not None and hasattr(proto, "ByteSize") else 0
    children = getattr(element, "children", {})
    return own + sum(_bytes(child) for child in children.values())


if __name__ == "__main__":
    main()
