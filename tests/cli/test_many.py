"""``evaluate --photos`` from the command line."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.gallery.photos import folder
from vision_core.cli import main


class Tags(HTMLParser):
    """Counts tags and keeps every address."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "srcset")]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return folder(tmp_path_factory.mktemp("many") / "photos")


def test_what_a_network_found_as_truth_is_found_again(place, tmp_path, capsys) -> None:
    """The boxes of one run are the truth of the next, which then makes no error above them."""
    words = ["evaluate", "--photos", str(place), "--device", "cpu", "--score", "0.3", "--model"]
    truth, report = tmp_path / "truth.json", tmp_path / "out.html"
    assert main([*words, "fcos_s", "--coco", str(truth)]) == 0
    said = capsys.readouterr()
    assert "3 photos, 1 skipped" in said.out and "broken.png is a damaged PNG file" in said.err
    more = ["--truth", str(truth), "--report", str(report), "--csv", str(tmp_path / "out.csv")]
    assert main([*words, "fcos_s", "faster_rcnn_s", *more, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["with_truth"] == 3 and 0 < told["disagreement"] <= 1
    own, other = told["models"]
    assert own["AP50"] == pytest.approx(1) and other["AP50"] < 0.9
    assert own["kinds"]["correct"] == own["boxes"] > 0
    page = Tags(report.read_text("utf-8"))
    assert page.tags.count("article") == 3 and page.tags.count("img") == 6
    assert "script" not in page.tags and all(a.startswith("data:") for a in page.addresses)
    assert page.tags.count("input") == 3, "an order each by disagreement, errors and doubt"


def test_two_models_give_two_coco_files(place, tmp_path, capsys) -> None:
    out = tmp_path / "boxes.json"
    words = ["--photos", str(place), "--model", "fcos_s", "faster_rcnn_s", "--coco", str(out)]
    assert main(["evaluate", *words, "--device", "cpu"]) == 0
    found = sorted(p.name for p in tmp_path.iterdir())
    assert found == ["boxes-faster_rcnn_s.json", "boxes-fcos_s.json"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "evaluate needs MODEL and --data DIR"),
        (["fcos_s", "--data", ".", "--csv", "x.csv"], "--csv belongs to --photos"),
        (["fcos_s", "--data", ".", "--model", "fcos_s"], "--model belongs to --photos"),
        (["--photos", "PLACE"], "one to four different networks"),
        (["--photos", "PLACE", "--model", "fcos_s", "fcos_s"], "one to four different networks"),
        (["fcos_s", "--photos", "PLACE", "--model", "fcos_s"], "leave MODEL"),
        (["--photos", "PLACE", "--model", "nothing"], "no model called 'nothing'"),
        (["--photos", "PLACE", "--model", "fcos_s", "--score", "2"], "between 0 and 1"),
        (["--photos", "nowhere", "--model", "fcos_s"], "cannot be read"),
        (["--photos", "PLACE/cat.png", "--model", "fcos_s"], "no folder and no zip file"),
        (["--photos", "PLACE/empty", "--model", "fcos_s"], "holds no photos"),
        (["--photos", "PLACE", "--model", "resnet_s", "--coco", "x.json"], "find boxes"),
        (["--photos", "PLACE", "--model", "fcos_s", "--report", "x.pdf"], "no HTML file name"),
        (["--photos", "PLACE", "--model", "fcos_s", "--truth", "PLACE/notes.txt"], "no COCO"),
        (["--photos", "PLACE", "--model", "fcos_s", "--out", "PLACE/notes.txt"], "no file of rec"),
    ],
)
def test_a_mistake_is_one_sentence(place, words, said, capsys) -> None:
    (place / "empty").mkdir(exist_ok=True)
    assert main(["evaluate", *(w.replace("PLACE", str(place)) for w in words)]) == 2
    told = capsys.readouterr()
    assert said in told.err and told.err.count("\n") == 1 and not told.out


def test_only_broken_photos_are_a_failure(tmp_path, capsys) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    assert main(["evaluate", "--photos", str(tmp_path), "--model", "fcos_s"]) == 2
    assert "a.jpg is empty" in capsys.readouterr().err
