"""Steps of a stage as pictures for slides: SVG, PNG and GIF, made without a browser."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from vision_core.errors import UserError
from vision_core.figures.colours import ROLES, rgb
from vision_core.figures.stage import Drawn, Stage
from vision_core.figures.stage_layout import Layout, Spot, lay_out, text_wide
from vision_core.figures.stage_pen import Pen
from vision_core.walkthroughs.types import Cell, Walkthrough

MAX_FRAMES = 400  # a film of more is no film for a slide
_ROLES = ROLES["light"]
_TEXT, _MUTED = "#16202A", _ROLES["muted"]
_LINE, _MARGIN = 24, 12
_SAID, _LABEL = 17, 15  # type sizes of a step's sentence and of a mark's label
_HOLD, _LAST = 900, 2500  # milliseconds a frame, and the last one


@dataclass(frozen=True)
class _Plan:
    """What all frames of a stage share, so that they have one size.

    Attributes:
        layout: where the panels stand.
        width: of a frame, pixels, without its margins.
        lines: of text of the step that says most.
    """

    layout: Layout
    width: int
    lines: int


def _planned(stage: Stage) -> _Plan:
    layout = lay_out(stage)
    width = max(math.ceil(layout.width), 620)
    most = max(len(_sentences(stage, step, width)) for step in range(len(stage.timeline)))
    return _Plan(layout, width, most)


def _sentences(stage: Stage, step: int, width: int) -> list[str]:
    """What a step says, in lines that fit the width."""
    moment = stage.timeline[step]
    texts = [view.walk.steps[k].text for view, k in zip(stage.views, moment, strict=True)]
    return [line for text in dict.fromkeys(texts) for line in _wrapped(text, width)]


def _wrapped(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and text_wide(f"{lines[-1]} {word}", _SAID) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def svg(stage: Stage, step: int) -> str:
    """One step as the text of an SVG file.

    Raises:
        UserError: there is no such step.
    """
    return _frame(stage, step, _planned(stage), raster=False).svg_text()


def picture(stage: Stage, step: int) -> Image.Image:
    """One step as an RGB picture.

    Raises:
        UserError: there is no such step.
    """
    image = _frame(stage, step, _planned(stage), raster=True).image
    assert image is not None
    return image


def gif(stage: Stage) -> bytes:
    """All steps as a GIF that repeats, about a second a step.

    Raises:
        UserError: more than ``MAX_FRAMES`` steps.
    """
    _check(stage)
    plan = _planned(stage)
    frames = [_frame(stage, k, plan, raster=True).image for k in range(len(stage.timeline))]
    small = [frame.quantize(64) for frame in frames if frame is not None]
    out = io.BytesIO()
    times = [_HOLD] * (len(small) - 1) + [_LAST]
    small[0].save(
        out, "GIF", save_all=True, append_images=small[1:], duration=times, loop=0, disposal=1
    )
    return out.getvalue()


def svg_files(stage: Stage, folder: Path, stem: str) -> Iterator[Path]:
    """Write every step into a folder as ``STEM-000.svg`` ...; yields the files as they are made.

    Raises:
        UserError: more than ``MAX_FRAMES`` steps.
    """
    _check(stage)
    plan = _planned(stage)
    for k in range(len(stage.timeline)):
        file = folder / f"{stem}-{k:03d}.svg"
        file.write_text(_frame(stage, k, plan, raster=False).svg_text(), encoding="utf-8")
        yield file


def _check(stage: Stage) -> None:
    if len(stage.timeline) > MAX_FRAMES:
        raise UserError(
            f"This walkthrough has {len(stage.timeline)} steps, and pictures are made of at most "
            f"{MAX_FRAMES}; make the input smaller."
        )


def _frame(stage: Stage, step: int, plan: _Plan, raster: bool) -> Pen:
    if not 0 <= step < len(stage.timeline):
        raise UserError(
            f"There is no step {step}; this walkthrough has steps 0 to {len(stage.timeline) - 1}."
        )
    height = math.ceil(plan.layout.height)
    whole = height + _LINE * plan.lines + _LINE // 3
    pen = Pen(plan.width + 2 * _MARGIN, whole + 2 * _MARGIN, raster)
    moment = stage.timeline[step]
    for word in plan.layout.words:
        size = {"head": 17, "sign": 20, "title": 14.5}[word.kind]
        pen.text(
            word.x + _MARGIN,
            word.y + _MARGIN,
            word.text,
            size,
            _ROLES.get(word.role, _TEXT),
            word.kind == "sign",
            True,
        )
    largest = _largest(stage)
    taken = [_title_rect(w.x + _MARGIN, w.y + _MARGIN, w.text) for w in plan.layout.words]
    for place in plan.layout.places:
        walk = stage.views[place.view].walk
        _panel(pen, place, walk, moment[place.view], largest)
        shown = [
            m for m in place.panel.marks if m.steps is None or m.steps[0] <= step <= m.steps[1]
        ]
        for mark in shown:
            _mark(pen, place, mark)
        for mark in shown:  # over all outlines, and none over another
            _label(pen, place, mark, taken)
    for i, line in enumerate(_sentences(stage, step, plan.width)):
        pen.text(_MARGIN, height + _MARGIN + _LINE * (i + 1), line, _SAID, _TEXT)
    return pen


def _largest(stage: Stage) -> dict[str, float]:
    found: dict[str, float] = {}
    for view in stage.views:
        for name, operand in view.walk.operands.items():
            if name != "indices":
                most = float(np.abs(operand.array).max())
                found[operand.role] = max(found.get(operand.role, 0.0), most)
    return found


def _panel(pen: Pen, place: Spot, walk: Walkthrough, step: int, largest: dict[str, float]) -> None:
    panel, unit = place.panel, place.unit
    x, y = place.x + _MARGIN, place.y + _MARGIN
    if panel.board:
        pen.rect(x, y, place.width, place.height, _MUTED)
        return
    up, aside = panel.ring
    if up or aside:
        pen.rect(x, y, place.width, place.height, _MUTED, dashed=True)
    done = walk.steps[step]
    output = panel.operand == "output"
    values = walk.frame(step) if output else walk.operands[panel.operand].array
    on = {w.cell for w in done.writes} if output else set(done.reads.get(panel.operand, ()))
    for index in np.ndindex(*values.shape):
        cell: Cell = tuple(int(i) for i in index)
        spot = panel.place(cell)
        if spot is None:
            continue
        at = (x + (spot[1] + aside) * unit, y + (spot[0] + up) * unit)
        _cell(
            pen,
            at,
            unit,
            float(values[cell]),
            _ROLES[panel.role],
            largest.get(panel.role, 1.0) or 1.0,
            cell in on,
        )


def _cell(
    pen: Pen,
    at: tuple[float, float],
    unit: float,
    value: float,
    colour: str,
    largest: float,
    on: bool,
) -> None:
    empty = math.isnan(value)
    strength = 0.0 if empty else 0.05 + 0.4 * min(abs(value) / largest, 1)
    hue = rgb(_MUTED if not empty and value < 0 else colour)
    fill = "#" + "".join(f"{round(255 + (c - 255) * strength):02X}" for c in hue)
    pen.rect(*at, unit, unit, _MUTED, 1, fill)
    if on:
        inset = max(1.5, unit / 22)
        pen.rect(
            at[0] + inset, at[1] + inset, unit - 2 * inset, unit - 2 * inset, colour, 2 * inset
        )
    if not empty:
        text = f"{value + 0.0:.4g}"
        size = min(unit * 0.5, 0.84 * unit / text_wide(text, 100) * 100, 30)
        pen.text(at[0] + unit / 2, at[1] + unit / 2, text, size, _TEXT, True, on)


_Rect = tuple[float, float, float, float]  # x1, y1, x2, y2


def _mark(pen: Pen, place: Spot, mark: Drawn) -> None:
    p, colour = _pixels(place, mark), _ROLES[mark.role]
    if mark.kind == "point":
        pen.dot(p[0], p[1], 4.5, colour)
    elif mark.kind == "line":
        pen.line(p[0], p[1], p[2], p[3], colour, 3)
    else:
        pen.rect(p[0], p[1], p[2] - p[0], p[3] - p[1], colour, 3, dashed=mark.dashed)


def _pixels(place: Spot, mark: Drawn) -> list[float]:
    """The numbers of a mark in pixels of the frame."""
    panel = place.panel
    up, aside = (0, 0) if panel.board else panel.ring
    dx, dy = aside - panel.first[1], up - panel.first[0]
    return [
        _MARGIN + (place.y + (v + dy) * place.unit if i % 2 else place.x + (v + dx) * place.unit)
        for i, v in enumerate(mark.at)
    ]


def _label(pen: Pen, place: Spot, mark: Drawn, taken: list[_Rect]) -> None:
    """The letters of a mark at its corner, moved down or up to where no other label stands."""
    if not mark.label:
        return
    p = _pixels(place, mark)
    if mark.kind == "line":  # in the row below it, as large as the numbers of a cell
        size = min(0.52 * place.unit, 26, 0.94 * place.width / text_wide(mark.label, 1000) * 1000)
        pen.text(p[0] + 0.15 * place.unit, p[1] + 0.68 * place.unit, mark.label, size, _TEXT, False)
        return
    wide, tall = text_wide(mark.label, _LABEL), _LABEL + 2
    left = max(0.0, min(p[0] + 5, pen.size[0] - wide))
    first = (p[3] - 8 if mark.dashed else p[1] + 17) - tall
    steps = sorted(range(-len(taken) - 1, len(taken) + 2), key=lambda k: (abs(k), k < 0))
    tops = [top for k in steps if 0 <= (top := first + k * tall) <= pen.size[1] - tall]
    spots = [(left, top, left + wide, top + tall) for top in tops or [first]]
    spot = next((s for s in spots if not any(_meet(s, t) for t in taken)), spots[0])
    taken.append(spot)
    pen.text(left, spot[3] - 3, mark.label, _LABEL, _ROLES[mark.role], bold=True)


def _title_rect(x: float, y: float, words: str) -> _Rect:
    return x, y - 15, x + text_wide(words, 15), y + 4


def _meet(a: _Rect, b: _Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
