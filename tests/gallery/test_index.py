"""The index of a growing file: what it tells is what a second reading of the whole file tells."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vision_core.errors import UserError
from vision_core.gallery.index import ORDERS, Index
from vision_core.gallery.run import records
from vision_core.gallery.totals import totals
from vision_core.gallery.uploads import PhotoBox


def lines(count: int) -> list[bytes]:
    """A head and made-up records, some without numbers, some skipped."""
    rng = np.random.default_rng(0)
    made: list[dict] = [{"gallery": 1}]
    for i in rng.permutation(count).tolist():
        if i % 7 == 0:
            made.append({"photo": f"{i:03}", "error": "no photo"})
            continue
        number = round(float(rng.integers(0, 5)) / 4, 2)
        made.append(
            {
                "photo": f"{i:03}",
                "truth": None,
                "models": {"a": {"doubt": number, "count": i, "detections": []}},
                "disagreement": None if i % 5 == 0 else number,
                "errors": None,
                "doubt": number,
            }
        )
    return [json.dumps(row).encode() + b"\n" for row in made]


def test_a_file_that_grows_is_read_on_from_where_it_was(tmp_path) -> None:
    path, given = tmp_path / "r.jsonl", lines(60)
    index = Index(path, ("a",))
    index.update()
    assert index.places == [] and index.totals()["photos"] == 0
    whole, at = b"".join(given), 0
    for cut in (5, 14, 15, 200, 201, 2000, len(whole) - 1, len(whole)):
        path.open("ab").write(whole[at:cut])
        at = cut
        index.update()
    every = list(records(path))
    assert index.totals() == totals(every, ("a",))
    assert [index.record(p) for p in index.places] == [r for r in every if "error" not in r]
    assert [p.photo for p in index.skipped] == [r["photo"] for r in every if "error" in r]


def test_photos_come_in_order_and_those_without_a_number_last(tmp_path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(b"".join(lines(60)))
    index = Index(path, ("a",))
    index.update()
    assert index.orders() == ("disagreement", "doubt", "name") and set(index.orders()) < {*ORDERS}
    rows = [r for r in records(path) if "error" not in r]
    rows.sort(key=lambda r: r["photo"])
    assert [p.photo for p in index.ordered("name", 3, 5)] == [r["photo"] for r in rows[3:8]]
    rows.sort(key=lambda r: -1 if r["disagreement"] is None else r["disagreement"], reverse=True)
    wanted = [r["photo"] for r in rows]
    assert [p.photo for p in index.ordered("disagreement", 0, 99)] == wanted
    assert [p.photo for p in index.ordered("disagreement", 10, 4)] == wanted[10:14]


def test_a_box_keeps_nothing_in_memory_and_goes_with_its_folder() -> None:
    box = PhotoBox()
    folder = box.folder
    assert box.add("../x/.cat.png", b"one", 100).new == 1
    assert box.add("cat.png", b"one", 100).new == 0
    assert box.names == ("cat.png",) and box.nbytes == 3
    with pytest.raises(UserError, match=r"two\.png and what came after it had no room"):
        box.add("two.png", b"x" * 101, 100)
    assert [f.name for f in folder.iterdir()] == ["photos.zip"]
    del box
    assert not Path(folder).exists()
