"""Records of many photos: stopped and resumed, from a folder and from a zip file."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.gallery.photos import folder, packed
from vision_core.comparison.annotations import CocoFile
from vision_core.errors import UserError
from vision_core.gallery import run as running
from vision_core.gallery.records import doubt_of
from vision_core.gallery.run import records, run
from vision_core.gallery.sources import Photos
from vision_core.models import load

MODELS = ("fcos_s", "fcn_voc_s")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return folder(tmp_path_factory.mktemp("gallery") / "photos")


@pytest.fixture(scope="module")
def models():
    return [load(name, device="cpu") for name in MODELS]


@pytest.fixture(scope="module")
def unbroken(place, models, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("unbroken") / "records.jsonl"
    done = list(run(Photos(place), models, path))
    assert [p.done for p in done] == [1, 2, 3, 4] and done[-1].left == 0
    return path.read_bytes()


def test_hidden_files_and_other_files_are_no_photos(place) -> None:
    assert Photos(place).names == ("below/coffee.jpg", "broken.png", "cat.png", "z.png")


def test_a_broken_photo_has_a_sentence_and_the_others_their_record(unbroken) -> None:
    rows = [json.loads(line) for line in unbroken.splitlines()[1:]]
    assert [("error" in row, row["photo"]) for row in rows] == [
        (False, "below/coffee.jpg"),
        (True, "broken.png"),
        (False, "cat.png"),
        (False, "z.png"),
    ]
    assert "damaged PNG file" in rows[1]["error"]
    cat = rows[2]["models"]
    assert cat["fcos_s"]["detections"][0]["label"] == "cat"
    assert sum(cat["fcn_voc_s"]["shares"].values()) == pytest.approx(1)
    assert rows[2]["disagreement"] is None, "a detector and a segmenter cannot be compared"


def test_a_run_that_is_killed_goes_on(place, models, unbroken, tmp_path) -> None:
    """A process is killed once it has written a record; another one does the rest."""
    path = tmp_path / "records.jsonl"
    words = ["evaluate", "--photos", str(place), "--model", *MODELS, "--out", str(path)]
    words += ["--device", "cpu"]
    child = subprocess.Popen([sys.executable, "-m", "vision_core", *words])
    while child.poll() is None and (not path.exists() or path.read_bytes().count(b"\n") < 2):
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    stopped = path.read_bytes()
    assert unbroken.startswith(stopped) and stopped.count(b"\n") >= 2
    left = len(list(run(Photos(place), models, path)))
    assert path.read_bytes() == unbroken and left == 5 - stopped.count(b"\n")
    assert not list(run(Photos(place), models, path)), "nothing is left to do"


def test_wherever_the_file_was_cut_it_becomes_whole(
    place, models, unbroken, tmp_path, monkeypatch
) -> None:
    known = {row["photo"]: row for row in map(json.loads, unbroken.splitlines()[1:])}
    monkeypatch.setattr(running, "photo_record", lambda name, *_: known[name])
    path = tmp_path / "records.jsonl"
    ends = [i + 1 for i, byte in enumerate(unbroken) if byte == 10]
    for cut in {0, 1, *ends, *(e - 1 for e in ends), *(e + 1 for e in ends[:-1])}:
        path.write_bytes(unbroken[:cut])
        if cut >= ends[0]:
            whole = unbroken[:cut].count(b"\n") - 1
            assert len(list(records(path))) == whole, "half a line is no record"
        list(run(Photos(place), models, path))
        assert path.read_bytes() == unbroken, cut


def test_a_file_of_another_gallery_is_left_alone(place, models, unbroken, tmp_path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(unbroken)
    with pytest.raises(UserError, match="other models"):
        next(run(Photos(place), models[:1], path))
    with pytest.raises(UserError, match="another threshold"):
        next(run(Photos(place), models, path, score=0.2))
    assert path.read_bytes() == unbroken
    path.write_bytes(b"my diary\n")
    with pytest.raises(UserError, match="no file of records"):
        next(run(Photos(place), models, path))
    assert path.read_bytes() == b"my diary\n"
    path.write_bytes(unbroken.splitlines(keepends=True)[0] + b"{}\n")
    with pytest.raises(UserError, match="Line 2 of"):
        list(records(path))


def test_a_zip_file_gives_what_the_folder_gives(place, models, unbroken, tmp_path) -> None:
    with Photos(packed(place, tmp_path / "photos.zip")) as photos:
        list(run(photos, models, tmp_path / "records.jsonl"))
    assert (tmp_path / "records.jsonl").read_bytes() == unbroken


def test_damage_inside_a_zip_file_is_a_sentence(place, tmp_path) -> None:
    path = packed(place, tmp_path / "photos.zip")
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as made:
        start = made.getinfo("cat.png").header_offset
    data[start + 200] ^= 255
    path.write_bytes(data)
    with Photos(path) as photos:
        assert photos.photo("z.png").width == 160
        with pytest.raises(UserError, match="cannot be taken out of the zip file"):
            photos.photo("cat.png")


@pytest.mark.parametrize(
    ("scores", "threshold", "doubt"),
    [
        ([], 0.5, 0),
        ([0.5], 0.5, 1),
        ([1.0], 0.5, 0),
        ([0.75], 0.5, 0.5),
        ([0.25], 0.5, 0.5),
        ([0.1], 0.2, 0.5),
        ([1.0, 0.5], 0.5, 0.5),
        ([1.0] * 5 + [0.5], 0.5, 0),  # only the best five count
        ([1.0, 0.3], 1.0, 0.65),
        ([0.0, 0.4], 0.0, 0.8),
    ],
)
def test_doubt_by_hand(scores, threshold, doubt) -> None:
    assert doubt_of(np.array(scores), threshold) == pytest.approx(doubt)


def test_photos_are_found_by_path_or_by_name() -> None:
    names = ("a/x.jpg", "b/x.jpg", "y.jpg", "z.jpg", "z.jpg")
    images = [{"id": i, "file_name": n, "width": 9, "height": 9} for i, n in enumerate(names)]
    file = CocoFile(json.dumps({"images": images, "categories": [], "annotations": []}).encode())
    found = [file.find(n) for n in ("a/x.jpg", "b/x.jpg", "x.jpg", "below/y.jpg", "z.jpg")]
    assert found == [0, 1, None, 2, None]
