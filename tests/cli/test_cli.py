from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from vision_core import cli
from vision_core.cli import main
from vision_core.errors import UserError


def run(*argv: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vision_core", *argv], capture_output=True, text=True, **options
    )


def test_help_does_not_wait_for_torch():
    code = (
        "import sys; from vision_core.cli import main; status = main(['--help']);"
        "sys.exit(status or 'torch' in sys.modules or 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for command in ("predict", "models", "weights", "train", "evaluate"):
        assert command in done.stdout


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["nonsense"],
        ["predict"],
        ["predict", "x.png", "--score", "high"],
        ["weights"],
        ["predict", "x.png", "--max", "1.5"],
        ["weights", "download"],
        ["predict", "--json"],
    ],
)
def test_wrong_arguments_are_one_line_and_status_2(argv, capsys):
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "Traceback" not in err
    assert "--help" in err


def replaced(monkeypatch, error: BaseException) -> None:
    def fail(args):
        raise error

    parser = SimpleNamespace(parse_args=lambda argv: SimpleNamespace(run=fail))
    monkeypatch.setattr(cli, "parser", lambda: parser)


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (UserError("Give\nme a photo."), 2, "Give me a photo.\n"),
        (KeyError("fault"), 1, "Unexpected KeyError: 'fault' (CONVSCOPE_DEBUG=1 shows where)\n"),
        (KeyboardInterrupt(), 130, "Stopped.\n"),
    ],
)
def test_mistakes_are_2_and_faults_are_1(monkeypatch, capsys, error, status, line):
    monkeypatch.delenv("CONVSCOPE_DEBUG", raising=False)
    replaced(monkeypatch, error)
    assert main([]) == status
    assert capsys.readouterr().err == line


def test_debugging_shows_where(monkeypatch, capsys):
    monkeypatch.setenv("CONVSCOPE_DEBUG", "1")
    replaced(monkeypatch, KeyError("fault"))
    assert main([]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_goes_away_causes_no_traceback():
    command = f"{sys.executable} -m vision_core models --json | head -c 10"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert len(done.stdout) == 10 and done.stderr == ""


def test_models_as_json_and_as_a_table(capsys, tmp_path):
    assert main(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert main(["models", "--json", str(tmp_path / "models.json")]) == 0
    assert json.loads((tmp_path / "models.json").read_text()) == rows
    assert capsys.readouterr().out == ""
    wanted = {"name", "task", "family", "classes", "parameters", "bytes", "status", "scores"}
    assert all(wanted <= row.keys() for row in rows)
    by_name = {row["name"]: row for row in rows}
    assert by_name["fcos_s"]["status"] == "bundled" and "cat" in by_name["fcos_s"]["classes"]
    assert len(by_name["retinanet_resnet50_fpn"]["classes"]) == 80
    assert by_name["resnet50"]["parameters"] == 25_557_032
    assert main(["models", "--task", "pose"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["pose_heatmap_s", "pose_regression_s"]
    assert main(["models", "--task", "poses"]) == 2
    assert main(["models", "--json", str(tmp_path / "no" / "folder.json")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_weights_list_and_verify(capsys, tmp_path, monkeypatch):
    import torch

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    assert main(["weights", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["fcn_voc_s"]["status"] == "bundled"
    assert rows["resnet18"]["file"] is None and rows["resnet18"]["status"] == "downloadable"
    assert main(["weights", "verify"]) == 0
    assert capsys.readouterr().out.count("as published") == 13
    wrong = tmp_path / "resnet18-f37072fd.pth"
    wrong.write_bytes(b"not it")
    assert main(["weights", "verify", "resnet18", "--folder", str(tmp_path)]) == 2
    assert "is damaged or is not the weights of resnet18" in capsys.readouterr().err
    assert main(["weights", "verify", "vgg16"]) == 2
    assert "weights download vgg16" in capsys.readouterr().err


def test_weights_download(capsys, tmp_path, monkeypatch):
    from vision_core.models import weights

    def fetch(source, target, *, name, size, right, progress):
        if "alexnet" in name:
            raise OSError("no route to host")
        for done in range(0, 101):
            progress(done, 100)
        target.write_bytes(b"x")

    monkeypatch.setattr(weights, "hub_folder", lambda: tmp_path / "hub")
    monkeypatch.setattr(weights, "fetch", fetch)
    assert main(["weights", "download", "resnet18", "alexnet", "fcos_s"]) == 2
    out, err = capsys.readouterr()
    assert "resnet18: " in out and "fcos_s: " in out and "alexnet" not in out
    assert "alexnet could not be downloaded (no route to host)" in err
    assert "2 files, 277.7 MB in all" in err  # told before anything is fetched
    assert err.count("resnet18: ") == 11  # every tenth of the way, not every piece
    assert main(["weights", "download", "resnet18", "resnt18"]) == 2
    assert "did you mean resnet18" in capsys.readouterr().err
    assert main(["weights", "download"]) == 2
    assert "give --lecture" in capsys.readouterr().err


def test_weights_of_a_lecture(capsys, tmp_path, monkeypatch):
    from vision_core.models import weights

    fetched = []

    def fetch(source, target, *, name, size, right, progress):
        fetched.append(target.name)
        target.write_bytes(b"x")

    monkeypatch.setattr(weights, "hub_folder", lambda: tmp_path / "hub")
    monkeypatch.setattr(weights, "fetch", fetch)
    assert main(["weights", "download", "--lecture"]) == 0
    assert f"{len(weights.LECTURE_SET)} files, " in capsys.readouterr().err
    assert len(fetched) == len(weights.LECTURE_SET) and weights.lecture_set() == ()
