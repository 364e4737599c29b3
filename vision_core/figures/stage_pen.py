"""A pen that draws a frame of a walkthrough as a picture and as SVG at once."""

from __future__ import annotations

import math
from itertools import pairwise
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw

from vision_core.figures.fonts import font

_WHITE = "#FFFFFF"
# What Pillow's own font lacks.
_PLAIN = str.maketrans({"→": "to", "ᵀ": "^T"})


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
            self.draw.text(
                (x, y),
                words.translate(_PLAIN),
                fill=fill,
                font=font(size),
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
