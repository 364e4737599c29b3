"""A strict reader of the exported file, so that tests see what a browser sees."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from html.parser import HTMLParser

from PIL import Image

VOID = {"meta", "img", "br", "link", "input", "hr"}


@dataclass
class Cell:
    """One cell of a table: its words, and the exact numbers in it."""

    text: str = ""
    values: list[float] = field(default_factory=list)


class Page(HTMLParser):
    """Tags, words and tables of a file; a tag that is not closed in order is an error."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.tables: dict[str, list[list[list[Cell]]]] = {}
        self.numbers: list[float] = []
        self._open: list[str] = []
        self._row: list[Cell] | None = None
        self.feed(text)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self._rows: list[list[Cell]] = []
            self.tables.setdefault((given.get("class") or "plain").split()[0], []).append(
                self._rows
            )
        elif tag == "tr":
            self._row = []
            self._rows.append(self._row)
        elif tag in ("td", "th"):
            assert self._row is not None
            self._row.append(Cell())
        elif tag == "data":
            self.numbers.append(float(given["value"]))
            if self._row and {"td", "th"} & set(self._open):
                self._row[-1].values.append(float(given["value"]))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "tr":
            self._row = None

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            return
        self.words.append(data)
        if self._row and {"td", "th"} & set(self._open):
            self._row[-1].text += data

    @property
    def text(self) -> str:
        """All words on one line."""
        return " ".join(" ".join(self.words).split())

    @property
    def pictures(self) -> list[Image.Image]:
        """All pictures, decoded; each must lie in the file."""
        found = []
        for tag, attrs in self.tags:
            if tag == "img":
                head, _, data = attrs["src"].partition(";base64,")
                assert head in ("data:image/jpeg", "data:image/png") and attrs["alt"]
                picture = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
                picture.load()
                found.append(picture)
        return found

    def cells(self, name: str, number: int = 0) -> list[list[str]]:
        """The words of the cells of a table, by the first word of its class."""
        return [[c.text.strip() for c in row] for row in self.tables[name][number]]

    def values(self, name: str, number: int = 0) -> list[list[float]]:
        """The exact numbers of each row of a table, rows without any left out."""
        rows = [[v for c in row for v in c.values] for row in self.tables[name][number]]
        return [row for row in rows if row]
