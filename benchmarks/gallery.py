"""Photos a second and peak memory of many photos: python -m benchmarks.gallery [COUNT] [MODEL ...]

The photos are the samples, shifted sideways so that no two are alike. Memory is looked at after a
tenth of them and at the end: if it is bounded, the two differ little.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.common import report
from vision_core.gallery.run import records, run
from vision_core.gallery.sources import Photos
from vision_core.gallery.totals import totals
from vision_core.models import load
from vision_core.samples import names, sample


def main(count: int = 1000, models: tuple[str, ...] = ("fcos_s",)) -> None:
    """Make the photos, run the models and print what it took."""
    loaded = [load(name, device="cpu") for name in models]
    with tempfile.TemporaryDirectory() as folder:
        place, out = Path(folder) / "photos", Path(folder) / "records.jsonl"
        place.mkdir()
        pixels = [sample(name).pixels for name in names()]
        for number in range(count):
            picture = np.roll(pixels[number % len(pixels)], number, axis=1)
            Image.fromarray(picture).save(place / f"{number:06}.jpg")
        early = 0.0
        start = time.perf_counter()
        for progress in run(Photos(place), loaded, out):
            if progress.done == max(count // 10, 1):
                early = _peak()
        seconds = time.perf_counter() - start
        summary = totals(records(out), models)
        report(
            "gallery",
            models=list(models),
            photos=summary["photos"],
            photos_a_second=summary["photos"] / seconds,
            peak_megabytes_after_a_tenth=early,
            peak_megabytes=_peak(),
            record_kilobytes=out.stat().st_size / 1024 / count,
        )


def _peak() -> float:
    """Greatest memory of this process so far; macOS counts bytes, Linux kilobytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 1000, tuple(given[1:]) or ("fcos_s",))
