"""``league``: what it prints and writes is what the core says."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from vision_core import models, samples
from vision_core.attribution import ask, parse
from vision_core.cli import main
from vision_core.images import decode
from vision_core.inference import trace
from vision_core.league import COLUMNS, Terms, compete, detected_box, standings


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("league") / "cat.png"
    Image.fromarray(samples.sample("cat").pixels[::2, ::2]).save(path)
    return path


WORDS = ["--model", "alexnet_s", "--target", "cat", "--steps", "4"]
NAMES = ["gradient", "guided_backprop", "gradcam"]


def test_the_table_is_that_of_the_core(photo, tmp_path, capsys) -> None:
    files = {kind: tmp_path / f"league.{kind}" for kind in ("json", "csv", "html")}
    options = [word for kind, path in files.items() for word in (f"--{kind}", str(path))]
    assert main(["league", str(photo), *WORDS, "--method", *NAMES, *options]) == 0
    made = json.loads(files["json"].read_text())
    picture, model = decode(photo.read_bytes(), "cat.png"), models.load("alexnet_s")
    question = ask(model, picture, trace(model, picture), parse("cat"))
    *_, last = compete(question, NAMES, Terms(steps=4))
    box = detected_box("cat", trace(models.load("fcos_s"), picture))
    assert made["box"] == {"corners": pytest.approx(list(box)), "from": "fcos_s"}
    rows = standings(last.competitors, box)
    assert [m["method"] for m in made["methods"]] == [r.competitor.name for r in rows]
    for told, row in zip(made["methods"], rows, strict=True):
        assert told["scores"] == pytest.approx(dict(row.scores), nan_ok=True)
        assert told["place"] == row.ranked.place
        assert told["forward"] == row.competitor.forward
    assert [c["name"] for c in made["scores"]] == [c.name for c in COLUMNS]
    assert all(c["cannot_tell"] for c in made["scores"])
    assert 0 < made["by_chance"]["energy"] < 1 and made["random_layer"] == "classifier.6"
    table = list(csv.DictReader(io.StringIO(files["csv"].read_text())))
    assert [line["method"] for line in table] == [r.competitor.name for r in rows]
    assert float(table[0]["energy"]) == rows[0].scores["energy"]
    page = files["html"].read_text()
    assert "Guided backprop" in page and "Edge detector" in page
    said = capsys.readouterr().out
    assert f"3 methods, {last.total:,} passes of alexnet_s" in said
    assert all(c.silent in said for c in COLUMNS)


def test_a_box_of_ones_own(photo, capsys) -> None:
    words = [*WORDS, "--method", "gradient", "--box", "10,20,60,80", "--json", "-"]
    assert main(["league", str(photo), *words]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["box"] == {"corners": [10.0, 20.0, 60.0, 80.0], "from": "you"}


def test_without_a_box_two_scores_are_missing(photo, capsys) -> None:
    words = [
        "--model",
        "alexnet_s",
        "--target",
        "accordion",
        "--steps",
        "4",
        "--method",
        "gradient",
    ]
    assert main(["league", str(photo), *words, "--json", "-"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["box"] is None and made["by_chance"] is None
    assert set(made["methods"][0]["scores"]) == {"deletion", "insertion", "randomisation"}


def test_the_box_of_a_detection_is_its_own(photo, capsys) -> None:
    words = ["--target", "box:0", "--steps", "4", "--method", "gradient", "--json", "-"]
    assert main(["league", str(photo), *words]) == 0
    made = json.loads(capsys.readouterr().out)
    model, picture = models.load("fcos_s"), decode(photo.read_bytes(), "cat.png")
    found = trace(model, picture)
    best = found.select(found.defaults).detections.boxes[0]
    np.testing.assert_allclose(made["box"]["corners"], best, rtol=1e-5)
    assert made["box"]["from"] == "the target"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--box", "1,2,3"], "four numbers"),
        (["--box", "a,b,c,d"], "cannot be read; write x1,y1,x2,y2"),
        (["--box", "50,50,20,20"], "has no part in the photo"),
        (["--steps", "2"], "4 to 128 steps"),
        (["--method", "best"], "no method 'best'"),
    ],
)
def test_a_mistake_is_one_sentence(photo, words, said, capsys) -> None:
    assert main(["league", str(photo), *WORDS, *words]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
