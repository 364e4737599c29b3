"""``compare`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.comparison.page import Page
from vision_core import samples
from vision_core.cli import main
from vision_core.comparison.truth import read_coco


@pytest.fixture(scope="module")
def cat(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "cat.png"
    Image.fromarray(samples.sample("cat").pixels).save(path)
    return path


def told(capsys, *words: str) -> dict:
    assert main(["compare", *words, "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_model_agrees_with_itself(cat, capsys) -> None:
    made = told(capsys, str(cat), "--models", "fcos_s", "fcos_s", "--score", "0.3")
    [pair] = made["pairs"]
    count = len(made["models"][0]["detections"])
    assert count > 1 and len(pair["both"]) == count and pair["f1"] == 1.0
    assert not any(pair[k] for k in ("only_a", "only_b", "other_class", "shifted"))
    assert all(row["a"] == row["b"] and row["iou"] == pytest.approx(1) for row in pair["both"])


def test_a_model_without_weights_takes_only_its_own_column_down(
    cat, capsys, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    made = told(capsys, str(cat), "--models", "fcos_s", "fasterrcnn_resnet50_fpn")
    assert "detections" in made["models"][0] and "not on this machine" in made["models"][1]["error"]
    assert "gave no result" in made["pairs"][0]["reason"]


def test_three_models_make_three_pairs(cat, capsys) -> None:
    assert main(["compare", str(cat), "--models", "resnet_s", "fcos_s", "resnet_s"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert all(line.endswith("after a warm-up)") for line in lines[:3])
    assert sum("different tasks" in line for line in lines) == 2
    assert sum("the same class first" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fcos_s"], "2 to 4 models, not 1"),
        (["fcos_s"] * 5, "not 5"),
        (["fcos_s", "fcos_x"], "no model called 'fcos_x'"),
    ],
)
def test_mistakes(words, said, cat, capsys) -> None:
    assert main(["compare", str(cat), "--models", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def coco(boxes: list[tuple[list[float], str]], **image) -> str:
    """A COCO file of one image."""
    names = sorted({name for _, name in boxes})
    return json.dumps(
        {
            "images": [{"id": 7, "file_name": "cat.png", "width": 451, "height": 300, **image}],
            "categories": [{"id": i, "name": n} for i, n in enumerate(names)],
            "annotations": [
                {
                    "id": i,
                    "image_id": 7,
                    "category_id": names.index(n),
                    "bbox": b,
                    "iscrowd": int(n == "crowd"),
                }
                for i, (b, n) in enumerate(boxes)
            ],
        }
    )


@pytest.fixture
def truth(cat, capsys, tmp_path) -> Path:
    """The best box of fcos_s at 0.5 as what is really there, and a dog in a corner."""
    made = told(capsys, str(cat), "--models", "fcos_s", "resnet_s", "--score", "0.5")
    best = made["models"][0]["detections"][0]
    x1, y1, x2, y2 = best["box"]
    path = tmp_path / "truth.json"
    path.write_text(
        coco(
            [
                ([x1, y1, x2 - x1, y2 - y1], "cat"),
                ([0, 0, 20, 20], "dog"),
                ([0, 0, 400, 300], "crowd"),
            ]
        )
    )
    return path


def test_html_and_json_and_a_ground_truth_together(cat, capsys, tmp_path, truth) -> None:
    page, record = tmp_path / "out.html", tmp_path / "out.json"
    words = ["compare", str(cat), "--models", "fcos_s", "faster_rcnn_s", "--score", "0.3"]
    more = ["--truth", str(truth), "--json", str(record), "--html", str(page)]
    assert main([*words, *more]) == 0
    lines = capsys.readouterr().out.splitlines()
    made = json.loads(record.read_text("utf-8"))
    read = Page(page.read_text("utf-8"))
    assert len(made["truth"]) == 2  # crowds are left out
    for model, line, row in zip(made["models"], lines, read.values("judged"), strict=False):
        there, count = model["truth"], len(model["detections"])
        assert (there["hits"], there["misses"]) == (1, 1)
        assert there["false_positives"] == count - 1
        assert there["precision"] == 1 / count and there["recall"] == 0.5
        assert there["f1"] == pytest.approx(2 / (count + 2))
        assert row == [
            there[k]
            for k in (
                "hits",
                "false_positives",
                "misses",
                "precision",
                "recall",
                "f1",
                "average_precision",
            )
        ]
        assert f"F1 {there['f1']:.2f}" in line and line.startswith(model["name"])
    scores = [r["a"]["score"] for r in made["pairs"][0]["both"]]
    assert [row[0] for row in read.values("rows")][: len(scores)] == scores
    assert len(read.pictures) == 5  # two models, two against the truth, the difference
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.html", "out.json", "truth.json"]


def test_the_page_of_a_model_without_weights(cat, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    page = tmp_path / "out.html"
    words = ["compare", str(cat), "--models", "resnet_s", "resnet18", "--html", str(page)]
    assert main([*words, "--json", "-"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["models"][1]["error"] in Page(page.read_text("utf-8")).text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--html", "{tmp}/out.png"], "no HTML file name"),
        (["--html", "{cat}"], "would overwrite"),
        (["--html", "{tmp}/no/out.html"], "cannot be written"),
        (["--html", "{tmp}/folder.html"], "cannot be written"),
        (["--html", "{tmp}/a.html", "--json", "{tmp}/a.html"], "would overwrite"),
        (["--json", "{cat}"], "would overwrite"),
        (["--truth", "{tmp}/none.json"], "cannot be read"),
        (["--truth", "{cat}"], "no COCO annotation file"),
        (["--class", "zebra"], "knows the class 'zebra'"),
    ],
)
def test_wrong_places_are_refused_before_anything_is_written(
    words, said, cat, capsys, tmp_path
) -> None:
    (tmp_path / "folder.html").mkdir()
    before = cat.read_bytes()
    given = [w.format(tmp=tmp_path, cat=cat) for w in words]
    assert main(["compare", str(cat), "--models", "resnet_s", "fcos_s", *given]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert cat.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["folder.html"]


def test_a_file_is_whole_or_left_as_it_was(cat, capsys, tmp_path, monkeypatch) -> None:
    page = tmp_path / "out.html"
    page.write_text("as it was")

    def full(self, *_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert main(["compare", str(cat), "--models", "resnet_s", "vgg_s", "--html", str(page)]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert page.read_text() == "as it was" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("box", [[0, 0, -5, 5], [0, 0, float("nan"), 5], [0, 0, 1e400, 5], [1, 2]])
def test_boxes_that_are_none(box) -> None:
    from vision_core.errors import UserError

    with pytest.raises(UserError, match="no COCO annotation file"):
        read_coco(coco([(box, "cat")]).encode(), 451, 300)
    half = read_coco(coco([([1, 2, 3, 4], "\ud800cat")]).encode(), 451, 300)
    assert half.labels == ("?cat",)
    fine = read_coco(coco([([1, 2, 3, 4], "cat")], width=902).encode(), 451, 300)
    np.testing.assert_allclose(fine.boxes, [[0.5, 2, 2, 6]])
