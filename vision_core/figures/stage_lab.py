"""Views of the network lab's operators: a sentence, a film, tied weights, pooling of channels."""

from __future__ import annotations

from dataclasses import replace

from vision_core.figures.stage import Block, Drawn, Panel, grid
from vision_core.walkthroughs.types import Walkthrough

_WORD_WIDE = 3.2
"""Columns of a cell's size that the words take."""
_BAR = 0.8
"""The same for each filter's bar beside the words that it won on."""


def sentence_blocks(walk: Walkthrough) -> list[Block]:
    """The words with what each filter won on, their numbers, the filters, and what they give."""
    filters = [
        grid(walk, f"filter_{f + 1}", f"filter {f + 1}").rows[0][0]
        for f in range(len(walk.facts["widths"]))
    ]
    pairs = tuple(tuple(filters[at : at + 2]) for at in range(0, len(filters), 2))
    # So wide a title keeps the numbers off the words' line on a phone, where both were too small.
    title = "a row of numbers for each word"
    numbers = grid(walk, "input", title).with_marks("input", _windows(walk))
    return [Block(((_words(walk),),)), numbers, Block(pairs, "*"), Block(_results(walk), "=")]


def _words(walk: Walkthrough) -> Panel:
    """The sentence downwards, and from its maximum on a bar for each filter."""
    facts, ends = walk.facts, len(walk.steps) - 1
    rows = len(facts["words"])
    marks = [
        Drawn("line", (0, i, _WORD_WIDE, i), "muted", label=word)
        for i, word in enumerate(facts["words"])
    ]
    first = sum(_counts(walk))
    for f, (at, on) in enumerate(zip(facts["winners"], facts["passes"], strict=True)):
        if on:
            left, low = _WORD_WIDE + _BAR * f, at + facts["widths"][f]
            place = (left + 0.1, at + 0.08, left + _BAR, low - 0.08)
            marks.append(Drawn("rect", place, "output", (first + f, ends), label=f"{f + 1}"))
    columns = _WORD_WIDE + _BAR * len(facts["widths"]) + 0.1
    board = Panel("", "words", "input", rows, columns, marks=tuple(marks))
    return replace(board, scale=max(rows, columns))


def _windows(walk: Walkthrough) -> list[Drawn]:
    """The words under the filter at work; at its maximum, the words that won."""
    facts = walk.facts
    wide = walk.operands["input"].array.shape[1]
    marks, step = [], 0
    for width, count in zip(facts["widths"], _counts(walk), strict=True):
        for at in range(count):
            marks.append(Drawn("rect", (0, at, wide, at + width), "input", (step, step)))
            step += 1
    for f, (at, on) in enumerate(zip(facts["winners"], facts["passes"], strict=True)):
        if on:
            place = (0.0, float(at), float(wide), float(at + facts["widths"][f]))
            marks.append(Drawn("rect", place, "output", (step + f, step + f)))
    return marks


def _counts(walk: Walkthrough) -> list[int]:
    """Places of each filter."""
    return [len(walk.facts["words"]) - width + 1 for width in walk.facts["widths"]]


def _results(walk: Walkthrough) -> tuple[tuple[Panel, ...], ...]:
    """The output cut into what each filter gives, what all of them keep, and the scores."""
    facts, counts, ends = walk.facts, _counts(walk), len(walk.steps) - 1
    whole = replace(grid(walk, "output").rows[0][0], decimals=2)
    found, before = [], sum(counts)
    for f, (start, count) in enumerate(zip(facts["starts"], counts, strict=True)):
        at = float(start + facts["winners"][f])
        won = Drawn("rect", (at, 0.0, at + 1, 1.0), "output", (before + f, ends))
        title = f"by filter {f + 1}"
        found.append(replace(whole, title=title, columns=count, first=(0, start), marks=(won,)))
    count, last = len(counts), before + len(counts)
    found.append(replace(whole, title="kept", columns=count, first=(0, before)))
    classes = len(facts["classes"])
    found.append(replace(whole, title="scores", columns=classes, first=(0, last)))
    return tuple(tuple(found[at : at + 2]) for at in range(0, len(found), 2))


def film_blocks(walk: Walkthrough) -> list[Block]:
    """Frames beside each other, with the window of the step in each frame that it covers."""
    facts = walk.facts
    kernel = facts["kernel_size"]
    frames = _beside(grid(walk, "input", "frame"))
    panels = []
    for t, panel in enumerate(frames.rows[0]):
        marks = []
        for k, step in enumerate(walk.steps):
            cell = step.writes[0].cell
            corner = [
                i * n - p for i, n, p in zip(cell, facts["stride"], facts["padding"], strict=True)
            ]
            if corner[0] <= t < corner[0] + kernel[0]:
                top, left = corner[1:]
                at = (left, top, left + kernel[2], top + kernel[1])
                marks.append(Drawn("rect", tuple(map(float, at)), "input", (k, k)))
        panels.append(replace(panel, marks=tuple(marks), ring=tuple(facts["padding"][1:])))
    made = [_in_pairs(Block((tuple(panels),))), _beside(grid(walk, "weight", "kernel", "*"))]
    if "bias" in walk.operands:
        made.append(grid(walk, "bias", sign="+"))
    return [*made, _in_pairs(grid(walk, "output", "result", "="))]


def _beside(block: Block) -> Block:
    """The panels of a block in one row."""
    return Block((tuple(panel for row in block.rows for panel in row),), block.sign)


def _in_pairs(block: Block) -> Block:
    """The panels of a block in rows of two."""
    panels = _beside(block).rows[0]
    return Block(tuple(panels[at : at + 2] for at in range(0, len(panels), 2)), block.sign)


def tied_blocks(walk: Walkthrough) -> list[Block]:
    """x, the weights that both layers share, C x and y, Cᵀ y, and the two sums."""
    down = Block((*grid(walk, "c_x", "C x:").rows, *grid(walk, "y", "y").rows))
    up = Block((*grid(walk, "input", "x").rows, *grid(walk, "ct_y", "Cᵀ y:").rows))
    whole = grid(walk, "output", "output", "→", along="column").rows[0][0]
    sums = tuple(
        (replace(whole, title=title, rows=1, first=(at, 0)),)
        for at, title in enumerate(("<C x, y>", "<x, Cᵀ y>"))
    )
    return [up, grid(walk, "weight", "weights of both"), down, Block(sums, "→")]


def channel_blocks(walk: Walkthrough) -> list[Block]:
    """Channels with their winners marked, and the maxima."""
    axes = walk.operands["input"].array.ndim - 1
    block = grid(walk, "input", "channel", axes=axes)
    ends = len(walk.steps) - 1
    won: dict[tuple[int, ...], list[Drawn]] = {}
    for k, step in enumerate(walk.steps):
        best = max(step.terms, key=lambda term: term.value).reads[0][1]
        row, column = (0, best[1]) if axes == 1 else best[1:]
        at = (float(column), float(row), column + 1.0, row + 1.0)
        won.setdefault(best[:1], []).append(Drawn("rect", at, "output", (k, ends)))
    panels = [replace(p, marks=tuple(won.get(p.prefix, []))) for row in block.rows for p in row]
    beside = walk.facts["kernel_size"] if axes == 2 else 1  # a row for each group
    rows = tuple(tuple(panels[at : at + beside]) for at in range(0, len(panels), beside))
    return [Block(rows), grid(walk, "output", "largest", "→", axes=axes)]
