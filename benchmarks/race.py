"""How many times longer the older detectors take, on two samples: python -m benchmarks.race

The lectures' ratios, with proposals, are 250 for R-CNN, 25 for Fast R-CNN and 1 for Faster R-CNN.
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks.common import network, report
from vision_core.race import Contest, race, selective_search
from vision_core.race.record import COURSE, record
from vision_core.samples import sample


def main() -> None:
    """Print seconds, boxes and ratios of every system for two photos."""
    for name in ("cat", "china"):
        photo = sample(name)
        contest = Contest(
            photo, network("faster_rcnn_s"), network("resnet_s"), {"fcos_s": network("fcos_s")}
        )
        contest = replace(contest, regions=selective_search(photo))
        systems = ("sliding_window", "rcnn", "fast_rcnn", "faster_rcnn", "fcos_s")
        laps = {system: list(race(contest, system))[-1] for system in systems}
        for entry in record(laps):
            without = entry["seconds"] - entry["stages"].get("selective search", 0.0)
            report(
                "race",
                photo=name,
                system=entry["system"],
                seconds=entry["seconds"],
                seconds_without_proposals=without,
                ratio=entry["ratio"],
                ratio_in_the_lectures=COURSE.get(entry["system"], (None, None))[1],
                boxes=entry["boxes_examined"],
                recall=entry["recall"],
            )


if __name__ == "__main__":
    main()
