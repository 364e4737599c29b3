"""Many photos on the page: what it makes of them is what an unbroken run of the core makes."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.metrics import many
from pages.metrics.many_held import Held
from tests.pages.conftest import sound, start, text_of, visit
from tests.pages.pressing import files, managers
from vision_core import models, samples
from vision_core.cli import main
from vision_core.gallery.run import run
from vision_core.gallery.sources import Photos

NETWORKS = ("fcos_s", "faster_rcnn_s")


def small(name: str) -> bytes:
    picture = Image.fromarray(samples.sample(name).pixels)
    picture.thumbnail((160, 160))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


GIVEN = {f"{name}.png": small(name) for name in ("cat", "coffee", "china", "astronaut")}
BROKEN = {"broken.png": GIVEN["cat.png"][:900]}
TRUTH = {
    "images": [{"id": 7, "file_name": "cat.png", "width": 320, "height": 320}],
    "categories": [{"id": 3, "name": "cat"}, {"id": 4, "name": "dog"}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 3, "bbox": [40, 10, 200, 200]},
        {"id": 2, "image_id": 7, "category_id": 4, "bbox": [0, 0, 9, 9]},
    ],
}


def opened(**params: str) -> AppTest:
    return sound(start("metrics", section="many", **params))


def give(app: AppTest, given: dict[str, bytes]) -> AppTest:
    [key] = [u.key for u in app.file_uploader if u.key.startswith("many_files")]
    app.file_uploader(key=key).set_value([(n, d, "image/png") for n, d in given.items()])
    return sound(app.run())


def told(app: AppTest) -> Held:
    return app.session_state["_many_photos"]


def unbroken(given: dict[str, bytes], place: Path, truth: bytes | None = None) -> bytes:
    """What the core writes of the same photos in a folder."""
    (place / "photos").mkdir()
    for name, data in given.items():
        (place / "photos" / name).write_bytes(data)
    loaded = [models.load(name, device="cpu") for name in NETWORKS]
    list(run(Photos(place / "photos"), loaded, place / "all.jsonl", truth))
    return (place / "all.jsonl").read_bytes()


def test_stopped_and_gone_on_with_it_is_what_an_unbroken_run_is(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(many, "_SLICE", 0.0)  # the page is drawn anew after every photo
    drawn: list[int] = []
    work = many._slice

    def slice_then_stop(mine: Held, *more: Any) -> None:
        work(mine, *more)
        drawn.append(len(mine.box.names))
        if len(drawn) == 2:  # as a press of Stop does
            mine.halt()

    monkeypatch.setattr(many, "_slice", slice_then_stop)
    app = give(opened(), GIVEN | BROKEN)
    sound(app.button(key="many_go").click().run())
    assert app.button(key="many_go").label == "Go on" and len(drawn) == 2
    [path] = told(app).box.folder.glob("*.jsonl")
    stopped = path.read_bytes()
    assert stopped.count(b"\n") == 3
    sound(app.button(key="many_go").click().run())
    assert app.button(key="many_go").disabled and len(drawn) == 5
    whole = unbroken(GIVEN | BROKEN, tmp_path)
    assert whole.startswith(stopped) and path.read_bytes() == whole
    assert "1 to 4 of 4" in text_of(app)
    assert any("1 file" in e.label for e in app.expander)


def test_the_downloads_are_what_the_command_writes(tmp_path) -> None:
    truth = json.dumps(TRUTH).encode()
    with managers() as made:
        app = give(opened(), GIVEN | BROKEN)
        [key] = [u.key for u in app.file_uploader if u.key.startswith("many_truth")]
        sound(app.file_uploader(key=key).set_value(("t.json", truth, "application/json")).run())
        sound(app.button(key="many_go").click().run())
        got = files(app, made[-1])
    place = tmp_path / "photos"
    place.mkdir()
    for name, data in (GIVEN | BROKEN).items():
        (place / name).write_bytes(data)
    (tmp_path / "t.json").write_bytes(truth)
    words = ["evaluate", "--photos", str(place), "--model", *NETWORKS, "--device", "cpu"]
    words += ["--truth", str(tmp_path / "t.json"), "--csv", str(tmp_path / "p.csv")]
    words += ["--coco", str(tmp_path / "c.json"), "--json", str(tmp_path / "totals.json")]
    assert main(words) == 0
    assert got["Table (CSV)"][1] == (tmp_path / "p.csv").read_bytes().decode()
    for name in NETWORKS:
        assert got[f"COCO: {name}"][1] == json.loads((tmp_path / f"c-{name}.json").read_text())
    assert got["Report (HTML)"][1].count("<img") >= 8
    table, totals = app.dataframe[-1].value, json.loads((tmp_path / "totals.json").read_text())
    assert list(table["AP50"]) == [m["AP50"] for m in totals["models"]]
    assert list(table["missed"]) == [m["kinds"]["missed"] for m in totals["models"]]
    assert app.session_state["order"] == "errors"


def test_a_zip_file_and_photos_lie_in_one_box_and_twins_are_told_apart() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for name in ("a/cat.png", "b/cat.png", "__MACOSX/cat.png", "notes.txt"):
            made.writestr(name, GIVEN["cat.png"])
    app = give(opened(), {"some.zip": packed.getvalue(), "cat.png": GIVEN["cat.png"]})
    app = give(app, {"cat.png": GIVEN["cat.png"]})  # once more the same
    app = give(app, {"cat.png": GIVEN["coffee.png"]})  # another photo of that name
    assert told(app).box.names == ("a/cat.png", "b/cat.png", "cat (2).png", "cat.png")
    with told(app).box.photos() as photos:
        assert photos.names == told(app).box.names
        assert photos.data("cat (2).png") == GIVEN["coffee.png"]


def test_what_is_no_zip_file_is_told_and_what_came_before_it_stays() -> None:
    app = give(opened(), {"cat.png": GIVEN["cat.png"], "bad.zip": b"no zip"})
    assert told(app).box.names == ("cat.png",)
    assert any("bad.zip is no folder and no zip file" in i.value for i in app.info)


def test_there_is_room_for_so_many_bytes_of_everybody(monkeypatch) -> None:
    size = len(GIVEN["cat.png"])
    monkeypatch.setattr("pages.shared.caps.galleries", lambda: size + 10)
    one = give(opened(), {"cat.png": GIVEN["cat.png"]})
    two = give(opened(), {"coffee.png": GIVEN["coffee.png"]})
    assert told(one).box.names == ("cat.png",) and not told(two).box.names
    assert any("had no room" in i.value for i in two.info)
    folder = told(one).box.folder
    sound(one.button(key="many_forget").click().run())
    assert not folder.exists() and not told(one).box.names
    two = give(two, {"coffee.png": GIVEN["cat.png"]})
    assert told(two).box.names == ("coffee.png",)


def test_a_session_sees_its_own_photos_only_and_they_go_with_it() -> None:
    app = give(opened(), GIVEN)
    folder = told(app).box.folder
    assert not told(opened()).box.names
    assert folder.exists()
    told(app).box.close()
    assert not folder.exists()


@pytest.mark.parametrize(("door", "page"), [("open_0", "predictions"), ("compare_0", "compare")])
def test_a_tile_opens_its_photo_elsewhere(door, page, monkeypatch) -> None:
    went: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(
        "pages.metrics.many_tiles.navigation.go", lambda name, params: went.append((name, params))
    )
    app = give(opened(order="name"), {"cat.png": GIVEN["cat.png"]})
    sound(app.button(key="many_go").click().run())
    sound(app.button(key=door).click().run())
    [(name, params)] = went
    assert name == page and params["source"] == "upload" and params["file"].startswith("cat.png~")
    sound(visit(app, page).run())
    assert "The server no longer holds" not in text_of(app)
    assert "Photo: cat.png" in text_of(app)
