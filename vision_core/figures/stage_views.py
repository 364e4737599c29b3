"""The usual view of every operator: which operands stand where, and what is marked on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vision_core.figures.encode import png
from vision_core.figures.stage import Block, Drag, Drawn, Panel, Stage, View, grid
from vision_core.figures.stage_curve import curve_blocks
from vision_core.figures.stage_lab import (
    channel_blocks,
    film_blocks,
    sentence_blocks,
    tied_blocks,
)
from vision_core.figures.stage_roi import align_box, align_marks, cropped, pool_marks, window
from vision_core.walkthroughs.types import Cell, Walkthrough


def stage_of(walk: Walkthrough) -> Stage:
    """A stage with one walkthrough in its usual view."""
    return Stage((view_of(walk),))


def view_of(walk: Walkthrough, title: str = "") -> View:
    """The usual view of a walkthrough.

    Args:
        walk: of any operator.
        title: above it; nothing for the only one.
    """
    make = _VIEWS.get(walk.name, _plain)
    return View(title, walk, tuple(make(walk)))


def _plain(walk: Walkthrough) -> list[Block]:
    names = [name for name in walk.operands if name != "output"]
    return [*(grid(walk, name) for name in names), grid(walk, "output", sign="→")]


def _ring(walk: Walkthrough, fact: str = "padding") -> tuple[int, int]:
    pads = walk.facts[fact]
    return (pads[0], pads[1]) if len(pads) == 2 else (0, pads[0])


def _axes(walk: Walkthrough) -> int:
    return len(walk.facts["output_size"])


def _box(corner: Sequence[float], reach: Sequence[float]) -> tuple[float, ...]:
    """(x1, y1, x2, y2) of a window whose corner and reach are given per axis."""
    if len(corner) == 1:
        return (corner[0], 0, corner[0] + reach[0], 1)
    return (corner[1], corner[0], corner[1] + reach[1], corner[0] + reach[0])


def _convolution(walk: Walkthrough) -> list[Block]:
    facts, axes = walk.facts, _axes(walk)
    kernel = walk.operands["weight"].array.shape[-axes:]
    reach = [d * (k - 1) + 1 for d, k in zip(facts["dilation"], kernel, strict=True)]
    marks = []
    for k, step in enumerate(walk.steps):
        place = step.writes[0].cell[-axes:]
        corner = [
            i * s - p for i, s, p in zip(place, facts["stride"], facts["padding"], strict=True)
        ]
        marks.append(Drawn("rect", _box(corner, reach), "input", (k, k)))
    title = "kernel, rotated by 180°" if facts["flip"] else "kernel"
    blocks = [
        grid(walk, "input", axes=axes, ring=_ring(walk)).with_marks("input", marks),
        grid(walk, "weight", title, "*", axes, flipped=facts["flip"]),
    ]
    return [
        *_colours(walk, marks),
        *blocks,
        *_bias(walk),
        grid(walk, "output", sign="=", axes=axes),
    ]


def _colours(walk: Walkthrough, marks: Sequence[Drawn]) -> list[Block]:
    """A 2-D input of three channels as the picture that they make: red, green and blue."""
    x = walk.operands["input"].array
    if x.ndim != 3 or len(x) != 3 or len(walk.facts["output_size"]) != 2:
        return []
    low, high = min(x.min(), 0.0), x.max()
    pixels = np.round(255 * (x - low) / max(high - low, 1e-12)).astype(np.uint8)
    picture = png(np.ascontiguousarray(pixels.transpose(1, 2, 0)).repeat(32, 0).repeat(32, 1))
    rows, columns = x.shape[1:]
    board = Panel(
        "",
        "as a picture",
        "input",
        rows,
        columns,
        marks=tuple(marks),
        picture=picture,
        scale=max(rows, columns),
    )
    return [Block(((board,),))]


def _bias(walk: Walkthrough) -> list[Block]:
    return [grid(walk, "bias", sign="+", axes=1)] if "bias" in walk.operands else []


def _transposed(walk: Walkthrough) -> list[Block]:
    facts, axes = walk.facts, _axes(walk)
    if facts["view"] == "gather":
        return [
            grid(walk, "stretched", "input with zeros", axes=axes),
            grid(walk, "weight", "kernel, rotated by 180°", "*", axes, flipped=True),
            *_bias(walk),
            grid(walk, "output", sign="=", axes=axes),
        ]
    kernel = walk.operands["weight"].array.shape[-axes:]
    reach = [d * (k - 1) + 1 for d, k in zip(facts["dilation"], kernel, strict=True)]
    places: list[Cell] = []
    for step in walk.steps[1:]:
        read = step.reads.get("input", ())
        places.append(read[0][-axes:] if read else ())
    marks = [
        Drawn(
            "rect",
            _box(
                [
                    i * s - p
                    for i, s, p in zip(place, facts["stride"], facts["padding"], strict=True)
                ],
                reach,
            ),
            "kernel",
            (k, k),
        )
        for k, place in enumerate(places, 1)
        if place
    ]
    return [
        grid(walk, "input", axes=axes),
        grid(walk, "weight", "kernel", "·", axes),
        *_bias(walk),
        grid(
            walk,
            "output",
            "output (dashed: cut)" if any(facts["padding"]) else "",
            "=",
            axes,
            ring=_ring(walk),
        ).with_marks("output", marks),
    ]


def _matrix(walk: Walkthrough) -> list[Block]:
    if walk.facts["view"] == "matrix":
        return [grid(walk, "weight", "kernel"), grid(walk, "output", "C", "→")]
    forward = walk.facts["view"] == "forward"
    vector, turned = ("column", False) if forward else ("grad_output", True)
    return [
        grid(walk, "matrix", "Cᵀ" if turned else "C", transposed=turned),
        grid(walk, vector, "x" if forward else "g", "·", along="column"),
        grid(walk, "output", "y" if forward else "Cᵀg", "=", along="column"),
    ]


def _pooling(walk: Walkthrough) -> list[Block]:
    facts, axes = walk.facts, _axes(walk)
    reach = [d * (k - 1) + 1 for d, k in zip(facts["dilation"], facts["kernel_size"], strict=True)]
    frames, ends = [], len(walk.steps) - 1
    winners: dict[Cell, list[Drawn]] = {}
    for k, step in enumerate(walk.steps):
        cell = step.writes[0].cell
        corner = [
            i * s - p
            for i, s, p in zip(cell[-axes:], facts["stride"], facts["padding"], strict=True)
        ]
        frames.append(Drawn("rect", _box(corner, reach), "input", (k, k)))
        if walk.name == "max_pool":
            best = max(step.terms, key=lambda term: term.value).reads[0][1]
            at = _box(best[-axes:], [1] * axes)
            winners.setdefault(best[:-axes], []).append(Drawn("rect", at, "output", (k, ends)))
    block = grid(walk, "input", axes=axes, ring=_ring(walk)).with_marks("input", frames)
    rows = tuple(
        tuple(Block(((p,),)).with_marks("input", winners.get(p.prefix, [])).rows[0][0] for p in row)
        for row in block.rows
    )
    return [Block(rows), grid(walk, "output", sign="→", axes=axes)]


def _pool_backward(walk: Walkthrough) -> list[Block]:
    axes = len(walk.facts["stride"])
    return [
        grid(walk, "input", axes=axes),
        grid(walk, "grad_output", "gradient of the output", axes=axes),
        grid(walk, "output", "gradient of the input", "→", axes),
    ]


def _unpool(walk: Walkthrough) -> list[Block]:
    axes = _axes(walk)
    extra = ["indices"] if "indices" in walk.operands else []
    return [
        grid(walk, "input", axes=axes),
        *(grid(walk, n, "switches", axes=axes) for n in extra),
        grid(walk, "output", sign="→", axes=axes),
    ]


def _roi(walk: Walkthrough) -> list[Block]:
    pooled = walk.name == "roi_pool"
    last, shape = len(walk.steps) - 1, walk.operands["input"].array.shape
    drawn = pool_marks(walk, last) if pooled else align_marks(walk, last, 2)
    cells = walk.facts["projected"] if pooled else align_box(walk)
    true = Drawn("rect", tuple(cells), "input")
    block = grid(walk, "input", "features")
    if len(shape) == 2:
        block = cropped(block, window(cells, shape))
    return [block.with_marks("input", [*drawn, true]), grid(walk, "output", sign="→")]


def _nms(walk: Walkthrough) -> list[Block]:
    boxes = walk.operands["boxes"].array
    n, ends = len(boxes), len(walk.steps) - 1
    decided = {w.cell[0]: (k, w.value) for k, s in enumerate(walk.steps) for w in s.writes}
    scores = walk.operands["scores"].array
    kept = set(walk.facts["kept"])
    marks = []
    for i in range(n):
        at = tuple(float(v) for v in boxes[i])
        label, drag = f"{i}: {scores[i]:g}", Drag("boxes", i)
        k = decided[i][0]
        if k > 0:
            marks.append(Drawn("rect", at, "input", (0, k - 1), False, label, drag))
        word = f"{label} kept" if i in kept else f"{label} dropped"
        role = "output" if i in kept else "kernel"
        marks.append(Drawn("rect", at, role, (k, ends), i not in kept, word, drag))  # type: ignore[arg-type]
    high = max(float(boxes[:, 3].max()) * 1.08, 1.0)
    wide = max(float(boxes[:, 2].max()) * 1.08, 1.0)
    board = Panel(
        "",
        "boxes: drag them",
        "input",
        round(high),
        round(wide),
        marks=tuple(marks),
        scale=9,
        draw=Drag("boxes", n),
    )
    return [
        Block(((board,),)),
        grid(walk, "scores", along="column"),
        grid(walk, "output", "kept score", "→", along="column"),
    ]


def _anchors(walk: Walkthrough) -> list[Block]:
    """The picture with room around it, for anchors reach beyond its edges."""
    per = walk.facts["per_place"]
    boxes = walk.operands["output"].array
    shift = walk.operands["shift"].array
    wide, high = (
        float(shift[..., axis].max()) * n / max(n - 1, 1)
        for axis, n in ((0, shift.shape[1]), (1, shift.shape[0]))
    )
    left, top = (max(0.0, -float(v)) for v in boxes[:, :2].min(0))
    right, bottom = np.maximum(boxes[:, 2:].max(0), (wide, high))

    def moved(*corners: float) -> tuple[float, ...]:
        return tuple(float(v) + (top if i % 2 else left) for i, v in enumerate(corners))

    marks = [Drawn("rect", moved(0, 0, wide, high), "input", label="picture")]
    for k in range(len(walk.steps)):
        for box in boxes[k * per : (k + 1) * per]:
            marks.append(Drawn("rect", moved(*box), "output", (k, k)))
    for y, x in ((y, x) for y in range(shift.shape[0]) for x in range(shift.shape[1])):
        marks.append(Drawn("point", moved(*shift[y, x]), "muted"))
    tall, broad = max(bottom + top, 1), max(right + left, 1)
    board = Panel("", "anchors", "output", tall, broad, marks=tuple(marks), scale=12)
    return [grid(walk, "base", "anchors about 0"), Block(((board,),), "→")]


def _corner_pairs(walk: Walkthrough) -> list[Block]:
    titles = {
        "top_left": "top-left heat",
        "bottom_right": "bottom-right heat",
        "embedding_top_left": "top-left embeddings",
        "embedding_bottom_right": "bottom-right embeddings",
    }
    return [
        *(grid(walk, name, title) for name, title in titles.items()),
        grid(walk, "output", "score of pairs", "→"),
    ]


_VIEWS: dict[str, Callable[[Walkthrough], list[Block]]] = {
    "convolution": _convolution,
    "transposed_convolution": _transposed,
    "convolution_matrix": _matrix,
    "max_pool": _pooling,
    "avg_pool": _pooling,
    "max_pool_backward": _pool_backward,
    "nearest_unpool": _unpool,
    "bed_of_nails": _unpool,
    "max_unpool": _unpool,
    "roi_pool": _roi,
    "roi_align": _roi,
    "nms": _nms,
    "anchors": _anchors,
    "average_precision": curve_blocks,
    "corner_pairs": _corner_pairs,
    "channel_pool": channel_blocks,
    "convolution_3d": film_blocks,
    "tied_weights": tied_blocks,
    "sentence": sentence_blocks,
}
