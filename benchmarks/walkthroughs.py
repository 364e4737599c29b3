"""How long the server takes for a walkthrough: to build it and to make all that the player needs.

Stepping itself needs no server. Promise: at most 100 ms. Run: python -m benchmarks.walkthroughs
"""

from __future__ import annotations

import json
import statistics

from benchmarks.common import milliseconds, report
from vision_core.figures.stage_views import stage_of
from vision_core.walkthroughs import PRESETS, build


def main() -> None:
    medians = {}
    for name, presets in PRESETS.items():
        for preset in presets:
            times = milliseconds(
                lambda n=name, p=preset: json.dumps(stage_of(build(n, p.name)).to_json()), 15
            )
            medians[f"{name}/{preset.name}"] = statistics.median(times)
    slowest = max(medians, key=lambda key: medians[key])
    report(
        "walkthroughs",
        presets=len(medians),
        median_ms=statistics.median(medians.values()),
        slowest=slowest,
        slowest_ms=medians[slowest],
    )


if __name__ == "__main__":
    main()
