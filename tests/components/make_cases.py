"""Writes the cases that Python's tests and Node's read: ``python -m tests.components.make_cases``.

Expected values come from torchvision and PyTorch where these compute the same, else from
``vision_core``, which its own tests hold against them. Numbers are the shortest text of a float32.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision.ops import batched_nms, box_iou

from tests.builders import make_trace
from tests.components.limit_cases import limits
from tests.components.traces import degenerate, grid, ties, touching, with_arrays
from vision_core.figures import colours, stage_layout
from vision_core.figures.browser.replaying import replay_data
from vision_core.figures.stage import Stage
from vision_core.figures.stage_views import stage_of
from vision_core.images import from_array
from vision_core.records import DetectionTrace
from vision_core.selection import Thresholds, select
from vision_core.walkthroughs import PRESETS, build

FOLDER = Path(__file__).with_name("cases")
SCALARS = ("score", "iou", "nms", "sigma", "agnostic")
DRAWN = (
    ("convolution", "stride-2"),
    ("convolution", "same-size"),
    ("transposed_convolution", "stride-2-doubles"),
    ("max_pool", "switches"),
    ("avg_pool", "grid"),
    ("relu_backward", "four-quadrants"),
    ("convolution_3d", "a-dot-that-moves"),
    ("tied_weights", "four-to-two"),
)


def short(values: Any) -> list[float]:
    """Numbers that a float32 reads back exactly."""
    return [float(str(v)) for v in np.asarray(values, np.float32).ravel()]


def overlap() -> dict[str, Any]:
    """Pairs of boxes, ordinary and not, and torchvision's IoU of each in float32."""
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 60, (24, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(0, 50, (24, 2))], 1).astype(np.float32)
    odd = [[5, 5, 5, 5], [0, 8, 100, 8], [0, 0, 200, 160], [0, 0, 9, 10], [0, 0, 3, 10]]
    boxes = np.concatenate([boxes, np.array(odd, np.float32)])
    iou = box_iou(torch.from_numpy(boxes), torch.from_numpy(boxes)).nan_to_num(0.0).numpy()
    return {"boxes": [short(b) for b in boxes], "iou": [short(row) for row in iou]}


def topk() -> list[dict[str, Any]]:
    """Scores with many equal ones, and the order in which torch.topk leaves all of them."""
    rng = np.random.default_rng(1)
    made = []
    for n, kinds in [(1, 1), (2, 1), (7, 3), (16, 2), (17, 2), (40, 5), (90, 4), (200, 12)]:
        scores = (rng.integers(0, kinds, n) / kinds).astype(np.float32)
        order = torch.topk(torch.from_numpy(scores), n).indices.tolist()
        made.append({"scores": short(scores), "order": order})
    return made


def large() -> DetectionTrace:
    """More boxes than ``batched_nms`` shifts apart; whole numbers keep the file small."""
    trace = make_trace(2, 1001)
    return with_arrays(trace, boxes=np.round(trace.boxes), scores=np.round(trace.scores, 4))


TRACES: dict[str, Callable[[], DetectionTrace]] = {
    "clusters": lambda: make_trace(1, 36),
    "ties": lambda: ties(40),
    "touching": touching,
    "degenerate": degenerate,
    "1,001": large,
    "one": lambda: make_trace(0, 1),
    "none": lambda: make_trace(0, 0),
}


def tried(trace: DetectionTrace) -> list[Thresholds]:
    """A part of the whole grid of thresholds that meets every variant of NMS."""
    if len(trace) > 500:
        each = [
            (0.3, 0.5, "hard", False),
            (0.3, 0.5, "hard", True),
            (0.9, 0.3, "soft-linear", True),
        ]
        return [Thresholds(s, i, n, 0.5, a, 2000) for s, i, n, a in each]  # type: ignore[arg-type]
    return grid(trace)[:: 13 if len(trace) > 1 else 61]


def selection() -> list[dict[str, Any]]:
    """Candidates, thresholds, and what becomes of each candidate."""
    made = []
    for name, build_trace in TRACES.items():
        trace = build_trace()
        made.append(
            {
                "name": name,
                "boxes": short(trace.boxes_net),
                "scores": short(trace.scores),
                "labels": trace.label_ids.tolist(),
                "runs": [_run(trace, thresholds) for thresholds in tried(trace)],
            }
        )
    return made


def thresholds_of(run: dict[str, Any], names: tuple[str, ...]) -> Thresholds:
    """The thresholds of a run, as Python takes them."""
    given = run["thresholds"]
    classes = given["classes"]
    return Thresholds(
        **{name: given[name] for name in SCALARS},
        max_detections=given["max"],
        classes=None if classes is None else frozenset(names[i] for i in classes),
    )


def _run(trace: DetectionTrace, thresholds: Thresholds) -> dict[str, Any]:
    """Thresholds as the canvas takes them, and the selection; only what is not plain is listed."""
    found = select(trace, thresholds)
    classes = thresholds.classes
    labels = trace.info.labels
    # A filter may name classes that a trace lacks; by index only those that it has can be named.
    wanted = None if classes is None else [i for i, n in enumerate(labels) if n in classes]
    lost = np.flatnonzero(found.by >= 0)
    changed = np.flatnonzero(found.final_scores.astype(np.float32) != trace.scores)
    run = {
        "thresholds": {
            **{name: getattr(thresholds, name) for name in SCALARS},
            "max": thresholds.max_detections,
            "classes": wanted,
        },
        "kept": found.detections.candidate.tolist(),
        "fate": "".join(map(str, found.fate.tolist())),
        "by": [[int(i), int(found.by[i]), *short(found.iou[i])] for i in lost],
        "final": [[int(i), *short(found.final_scores[i])] for i in changed],
    }
    if thresholds.nms == "hard":
        run["torchvision"] = torchvision_keeps(trace, thresholds)
    return run


def torchvision_keeps(trace: DetectionTrace, thresholds: Thresholds) -> list[int]:
    """What torchvision's own NMS leaves, before the limit and the class filter."""
    alive = np.flatnonzero(trace.scores > np.float32(thresholds.score))
    labels = np.zeros_like(trace.label_ids) if thresholds.agnostic else trace.label_ids
    arrays = [torch.from_numpy(a[alive]) for a in (trace.boxes_net, trace.scores, labels)]
    return alive[batched_nms(*arrays, thresholds.iou).numpy()].tolist()


def ink() -> list[dict[str, str]]:
    """Colours, and black or white for a text on them."""
    rng = np.random.default_rng(3)
    made = ["#{:02X}{:02X}{:02X}".format(*c) for c in rng.integers(0, 256, (60, 3))]
    named = [colours.class_colour(n) for n in ("cat", "dog", "person", "car")]
    return [{"colour": c, "ink": colours.text_on(c)} for c in [*made, *named, "#757575", "#767676"]]


@contextmanager
def plain_widths() -> Iterator[None]:
    """Texts measured by their length alone: each side has a font of its own.

    A panel's title has 2 pixels of air in the browser, and Python's widest font has it built in.
    """
    real = stage_layout.text_wide
    stage_layout.text_wide = lambda words, size: 0.3 * size * len(words) + 2 * (size == 14.5)
    try:
        yield
    finally:
        stage_layout.text_wide = real


def layout_stages() -> dict[str, Stage]:
    """A stage for each preset, and two with views beside each other."""
    made = {
        f"{n} {p.name}": stage_of(build(n, p.name)) for n, all_ in PRESETS.items() for p in all_
    }
    first = list(made.values())
    for k in (0, 4):
        views = (first[k].views[0], first[k + 1].views[0])
        counts = [len(v.walk.steps) for v in views]
        line = tuple((min(i, counts[0] - 1), min(i, counts[1] - 1)) for i in range(max(counts)))
        made[f"pair {k}"] = Stage(views, line)
    return made


def layout() -> list[dict[str, Any]]:
    """Where panels and words of every preset stand, for two sizes of a cell."""
    made = []
    for name, stage in layout_stages().items():
        views = stage.to_json()["views"]
        for view in views:
            del view["walk"]
            for panel in (p for b in view["blocks"] for row in b["rows"] for p in row):
                for unused in ("marks", "picture", "draw", "prefix", "decimals"):
                    del panel[unused]
        plans = [placed(stage, unit, stacked) for unit in (24, 61) for stacked in (True, False)]
        made.append({"name": name, "views": views, "plans": plans})
    return made


def placed(stage: Stage, unit: float, stacked: bool) -> dict[str, Any]:
    """Python's layout with cells of a size."""
    with plain_widths():
        plan = stage_layout.arranged(stage.views, unit, stacked)
    return {
        "unit": unit,
        "stacked": stacked,
        "size": [round(plan.width, 3), round(plan.height, 3)],
        "panels": [
            [round(v, 3) for v in (p.x, p.y, p.width, p.height, p.unit)] for p in plan.places
        ],
        "words": [[round(w.x, 3), round(w.y, 3), w.text, w.kind] for w in plan.words],
    }


def steps() -> list[dict[str, Any]]:
    """Walkthroughs as the player gets them, and every frame of their output."""
    made = []
    for name, which in DRAWN:
        stage = stage_of(build(name, which))
        walk = stage.views[0].walk
        frames = [np.round(walk.frame(k), 9).tolist() for k in range(len(walk.steps))]
        on = [sorted({w.cell for w in step.writes}) for step in walk.steps]
        reads = [
            {operand: sorted(cells) for operand, cells in step.reads.items()} for step in walk.steps
        ]
        data = _without_nan({"frames": frames, "writes": on, "reads": reads})
        made.append({"name": f"{name} {which}", "stage": stage.to_json(), **data})
    return made


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nan(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_without_nan(v) for v in value]
    return None if isinstance(value, float) and value != value else value


def replay() -> dict[str, Any]:
    """What the replay is sent of a small trace, and what the selection keeps of it in the end."""
    trace = make_trace(6, 40)
    thresholds = Thresholds(score=0.25, iou=0.3, sigma=0.5, max_detections=1000)
    photo = from_array(np.zeros((trace.info.photo_size[1], trace.info.photo_size[0], 3), np.uint8))
    data = replay_data(photo, trace, thresholds, "")
    finished = {}
    for variant in data["variants"]:
        found = select(trace, replace(thresholds, nms=variant["name"])).detections
        finished[variant["name"]] = [found.candidate.tolist(), found.scores.round(4).tolist()]
    return {"data": data, "finished": finished}


CASES: dict[str, Callable[[], Any]] = {
    "overlap": overlap,
    "topk": topk,
    "selection": selection,
    "ink": ink,
    "layout": layout,
    "steps": steps,
    "replay": replay,
    "limits": limits,
}


def main() -> None:
    """Write every file anew."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in CASES.items():
        file = FOLDER / f"{name}.json"
        text = json.dumps(make(), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        file.write_text(text.replace("},{", "},\n{") + "\n", encoding="utf-8")
        print(f"{file.name}: {file.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
