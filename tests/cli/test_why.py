"""``why`` on the command line: the library's own answer, in a sentence or as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from PIL import Image
from torchvision.ops import box_iou

from vision_core import samples
from vision_core.cli import main
from vision_core.images import decode
from vision_core.inference import trace
from vision_core.models import load
from vision_core.selection import FATES
from vision_core.selection.why import why_box


@pytest.fixture(scope="module")
def cat(tmp_path_factory):
    file = tmp_path_factory.mktemp("why") / "cat.png"
    Image.fromarray(samples.sample("cat").pixels).save(file)
    return file


def test_sentence_and_facts_are_the_librarys(cat, capsys):
    model = load("fcos_s", device="cpu")
    found = trace(model, decode(cat.read_bytes(), "cat.png"))
    chosen = found.select(replace(found.defaults, score=0.05))
    for candidate in (0, len(found) // 2, len(found) - 1):
        box = found.boxes[candidate].round(1).tolist()
        if not (box[0] < box[2] and box[1] < box[3]):
            continue
        expected = why_box(chosen, box)
        argv = ["why", str(cat), "--box", ",".join(map(str, box)), "--score", "0.05"]
        assert main(argv) == 0
        assert capsys.readouterr().out.strip() == expected.sentence
        assert main([*argv, "--json", "-"]) == 0
        record = json.loads(capsys.readouterr().out)
        assert record["fate"] == expected.fate and record["candidate"] == expected.candidate
        assert record["thresholds"]["score"] == 0.05 and record["box"] == pytest.approx(box)


def test_every_suppressed_box_names_one_that_overlaps_it(cat, capsys):
    model = load("fcos_s", device="cpu")
    found = trace(model, decode(cat.read_bytes(), "cat.png"))
    chosen = found.select(replace(found.defaults, score=0.02))
    lost = [i for i in range(len(found)) if chosen.verdict(i).fate == "suppressed"][:3]
    assert lost
    for candidate in lost:
        box = found.boxes[candidate]
        argv = [
            "why",
            str(cat),
            "--score",
            "0.02",
            "--json",
            "-",
            "--box",
            ",".join(f"{v:.3f}" for v in box),
        ]
        assert main(argv) == 0
        record = json.loads(capsys.readouterr().out)
        assert record["fate"] in FATES
        if record["fate"] == "suppressed":
            pair = torch.tensor(found.boxes[[record["candidate"], record["facts"]["by"]]])
            overlap = float(box_iou(pair[:1], pair[1:]))
            assert overlap == pytest.approx(record["facts"]["iou"], abs=1e-2)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--box", "1,2,3"], "takes 4 numbers"),
        (["--spot", "1;2"], "takes 2 numbers"),
        (["--box", "9,9,1,1"], "x1 < x2"),
        (["--spot", "5000,5"], "outside"),
        ([], "required"),
        (["--box", "1,1,9,9", "--model", "resnet_s"], "gives no boxes"),
        (["--box", "1,1,9,9", "--label", "yak"], "no class called"),
    ],
)
def test_mistakes_are_one_line_and_status_2(cat, capsys, argv, words):
    assert main(["why", str(cat), *argv]) == 2
    out, err = capsys.readouterr()
    assert out == "" and words in err and err.count("\n") == 1
