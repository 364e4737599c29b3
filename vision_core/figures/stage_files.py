"""Steps of a stage as pictures for slides: SVG, PNG and GIF, made without a browser."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vision_core.errors import UserError
from vision_core.figures.colours import GREEN, INPUT, KERNEL, rgb
from vision_core.figures.stage import Mark, Stage
from vision_core.figures.stage_layout import Layout, Place, lay_out, text_wide
from vision_core.walkthroughs.types import Cell, Walkthrough

MAX_FRAMES = 400  # a film of more is no film for a slide
_TEXT, _MUTED, _WHITE = "#16202A", "#6B7280", "#FFFFFF"
_ROLES = {"input": INPUT, "kernel": KERNEL, "output": GREEN, "muted": _MUTED}
_LINE, _LINES, _MARGIN = 24, 4, 12
# What Pillow's own font lacks.
_PLAIN = str.maketrans({"→": "to", "ᵀ": "^T"})
_HOLD, _LAST = 900, 2500  # milliseconds a frame, and the last one


class Pen:
    """Draws one frame twice at once: into a picture and into the lines of an SVG file."""

    def __init__(self, width: int, height: int, raster: bool) -> None:
        self.size = (width, height)
        self.svg: list[str] = []
        self.image = Image.new("RGB", self.size, _WHITE) if raster else None
        self.draw = ImageDraw.Draw(self.image) if self.image else None

    def rect(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        stroke: str,
        width: float = 1,
        fill: str = "none",
        dashed: bool = False,
    ) -> None:
        dash = ' stroke-dasharray="6 4"' if dashed else ""
        self.svg.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" '
            f'fill="{fill}" stroke="{stroke}" stroke-width="{width:g}"{dash}/>'
        )
        if self.draw is None:
            return
        if fill != "none":
            self.draw.rectangle([x, y, x + w, y + h], fill=fill)
        corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)]
        for a, b in pairwise(corners):
            self.line(*a, *b, stroke, width, dashed, vector=False)

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        stroke: str,
        width: float = 1,
        dashed: bool = False,
        vector: bool = True,
    ) -> None:
        if vector:
            self.svg.append(
                f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                f'stroke="{stroke}" stroke-width="{width:g}"/>'
            )
        if self.draw is None:
            return
        pieces = max(int(math.hypot(x2 - x1, y2 - y1) / 5), 1) if dashed else 1
        for i in range(0, pieces, 2 if dashed else 1):
            a, b = i / pieces, (i + 1) / pieces
            self.draw.line(
                [x1 + (x2 - x1) * a, y1 + (y2 - y1) * a, x1 + (x2 - x1) * b, y1 + (y2 - y1) * b],
                fill=stroke,
                width=max(round(width), 1),
            )

    def dot(self, x: float, y: float, radius: float, fill: str) -> None:
        self.svg.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}"/>')
        if self.draw is not None:
            self.draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=fill)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float,
        fill: str,
        middle: bool = False,
        bold: bool = False,
    ) -> None:
        anchor = ' text-anchor="middle" dominant-baseline="central"' if middle else ""
        weight = ' font-weight="700"' if bold else ""
        self.svg.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:.1f}" fill="{fill}" '
            f'font-family="sans-serif"{anchor}{weight}>{escape(words)}</text>'
        )
        if self.draw is not None:
            font = ImageFont.load_default(size)
            self.draw.text(
                (x, y),
                words.translate(_PLAIN),
                fill=fill,
                font=font,
                anchor="mm" if middle else "ls",
                stroke_width=0.4 if bold else 0,
            )

    def svg_text(self) -> str:
        width, height = self.size
        body = "\n".join(self.svg)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}">\n<rect width="100%" height="100%" '
            f'fill="{_WHITE}"/>\n{body}\n</svg>\n'
        )


def svg(stage: Stage, step: int) -> str:
    """One step as the text of an SVG file.

    Raises:
        UserError: there is no such step.
    """
    return _frame(stage, step, lay_out(stage), raster=False).svg_text()


def picture(stage: Stage, step: int) -> Image.Image:
    """One step as an RGB picture.

    Raises:
        UserError: there is no such step.
    """
    image = _frame(stage, step, lay_out(stage), raster=True).image
    assert image is not None
    return image


def gif(stage: Stage) -> bytes:
    """All steps as a GIF that repeats, about a second a step.

    Raises:
        UserError: more than ``MAX_FRAMES`` steps.
    """
    _check(stage)
    plan = lay_out(stage)
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
    plan = lay_out(stage)
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


def _frame(stage: Stage, step: int, plan: Layout, raster: bool) -> Pen:
    if not 0 <= step < len(stage.timeline):
        raise UserError(
            f"There is no step {step}; this walkthrough has steps 0 to {len(stage.timeline) - 1}."
        )
    width, height = max(math.ceil(plan.width), 620), math.ceil(plan.height)
    room = _LINE * _LINES
    pen = Pen(width + 2 * _MARGIN, height + room + 2 * _MARGIN, raster)
    moment = stage.timeline[step]
    for word in plan.words:
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
    for place in plan.places:
        walk = stage.views[place.view].walk
        _panel(pen, place, walk, moment[place.view], largest)
        for mark in place.panel.marks:
            if mark.steps is None or mark.steps[0] <= step <= mark.steps[1]:
                _mark(pen, place, mark)
    texts = [view.walk.steps[k].text for view, k in zip(stage.views, moment, strict=True)]
    lines = [line for text in dict.fromkeys(texts) for line in textwrap.wrap(text, width // 9)]
    for i, line in enumerate(lines[:_LINES]):
        pen.text(_MARGIN, height + _MARGIN + _LINE * (i + 1), line, 17, _TEXT)
    return pen


def _largest(stage: Stage) -> dict[str, float]:
    found: dict[str, float] = {}
    for view in stage.views:
        for name, operand in view.walk.operands.items():
            if name != "indices":
                most = float(np.abs(operand.array).max())
                found[operand.role] = max(found.get(operand.role, 0.0), most)
    return found


def _panel(pen: Pen, place: Place, walk: Walkthrough, step: int, largest: dict[str, float]) -> None:
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


def _mark(pen: Pen, place: Place, mark: Mark) -> None:
    panel = place.panel
    up, aside = (0, 0) if panel.board else panel.ring
    dx, dy = aside - panel.first[1], up - panel.first[0]
    p = [
        _MARGIN + (place.y + (v + dy) * place.unit if i % 2 else place.x + (v + dx) * place.unit)
        for i, v in enumerate(mark.at)
    ]
    colour = _ROLES[mark.role]
    if mark.kind == "point":
        pen.dot(p[0], p[1], 4.5, colour)
    elif mark.kind == "line":
        pen.line(p[0], p[1], p[2], p[3], colour, 3)
    else:
        pen.rect(p[0], p[1], p[2] - p[0], p[3] - p[1], colour, 3, dashed=mark.dashed)
    if mark.label:
        below = p[3] - 8 if mark.dashed else p[1] + 17
        pen.text(p[0] + 5, below, mark.label, 15, colour, bold=True)
