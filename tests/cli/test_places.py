"""No command writes over what it reads, and wrong paths are told before PyTorch is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from vision_core.cli import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def photo(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "p.jpg"
    Image.new("RGB", (40, 30), "red").save(path)
    (tmp_path / "link.json").symlink_to(path)
    os.link(path, tmp_path / "hard.json")
    return path


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "p.jpg", "--overlay", "p.jpg"],
        ["predict", "p.jpg", "--save-coco", "./p.jpg"],
        ["predict", "p.jpg", "--json", "link.json"],
        ["predict", "p.jpg", "--save-coco", "hard.json"],
        ["predict", "link.json", "--overlay", "p.jpg"],
        ["predict", "p.jpg", "--json", "a", "--save-coco", "a"],
        ["explain", "p.jpg", "--method", "gradient", "--out", "p.jpg"],
        ["explain", "p.jpg", "--method", "gradient", "--png", "p.jpg"],
        ["activations", "p.jpg", "--layer", "x", "--out", "p.jpg"],
        ["why", "p.jpg", "--spot", "1,2", "--json", "p.jpg"],
        ["compare", "p.jpg", "--models", "fcos_s", "vgg_s", "--json", "link.json"],
    ],
)
def test_no_output_is_an_input_or_another_output(words, photo, capsys) -> None:
    before = photo.read_bytes()
    assert main(words) == 2
    error = capsys.readouterr().err
    assert "would overwrite" in error and error.count("\n") == 1
    assert photo.read_bytes() == before and not Path("a").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.jpg"], "cannot be read"),
        (["pipe"], "it is a pipe"),
        (["p.jpg", "--overlay", "no/out.png"], "there is no folder"),
        (["p.jpg", "--overlay", "-"], "--overlay cannot use standard output"),
        (["p.jpg", "--json", "-", "--save-coco", "-"], "Standard output serves once"),
        (["-", "-"], "Standard input serves once"),
        (["p.jpg", "--weights", "none.pth"], "cannot be read"),
    ],
)
def test_wrong_paths_are_told_without_pytorch(words, said, photo) -> None:
    os.mkfifo("pipe")
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from vision_core.cli import main;"
        f"status = main(['predict', *{words!r}]);"
        "sys.exit(9 if 'torch' in sys.modules else status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr and done.stderr.count("\n") == 1


def test_a_python_without_the_packages_is_told_which_one_to_use(photo) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "vision_core", "predict", str(photo)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "is not installed" in done.stderr and ".venv/bin/python" in done.stderr


def test_coco_to_standard_output_is_alone(photo, capsys) -> None:
    import json

    assert main(["predict", "p.jpg", "--save-coco", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["images"][0]["file_name"] == "p.jpg"
    assert not Path("-").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(("to", "said"), [(">/dev/full", "No space left"), (">&-", "closed")])
def test_a_full_or_closed_standard_output_is_one_sentence(to, said) -> None:
    command = f"{sys.executable} -m vision_core walkthrough --list {to}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1
