"""A method is one file: with it, core, command line and page know the method and its settings."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pages.conftest import sound, start, text_of
from vision_core import methods, models, samples
from vision_core.attribution import ask, default_target, gradients, occlusion
from vision_core.cli import main
from vision_core.errors import UserError
from vision_core.inference import trace
from vision_core.methods.baselines import BASELINES

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs" / "extending.md"


def code_of(heading: str) -> str:
    """The first Python block below a heading of the guide."""
    below = FILE.read_text("utf-8").split(f"## {heading}\n", 1)[1]
    return below.split("```python\n", 1)[1].split("```", 1)[0]


@pytest.fixture
def _with_the_file(tmp_path, monkeypatch):
    """The guide's own example as a file of the folder of methods."""
    (tmp_path / "squared_gradient.py").write_text(code_of("An attribution method"), "utf-8")
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])
    methods.rescan()
    yield
    monkeypatch.undo()
    sys.modules.pop("vision_core.methods.squared_gradient", None)
    methods.rescan()


@pytest.mark.usefixtures("_with_the_file")
def test_a_file_is_all_that_the_command_line_needs(tmp_path, capsys) -> None:
    model, photo = models.load("resnet_s"), samples.sample("cat")
    path, out = tmp_path / "cat.png", tmp_path / "map.npy"
    Image.fromarray(photo.pixels).save(path)
    words = ["explain", str(path), "--model", "resnet_s", "--method", "squared_gradient"]
    assert main([*words, "--power", "3", "--out", str(out), "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    found = trace(model, photo)
    question = ask(model, photo, found, default_target(found))
    cubed = question.gradients(question.input).grads[0].abs().amax(0, keepdim=True) ** 3
    assert told["method"] == "squared_gradient" and told["maps"][0]["settings"] == {"power": 3}
    np.testing.assert_allclose(np.load(out), question.on_photo(cubed), rtol=1e-4)
    assert main([*words, "--steps", "3"]) == 2 and "it takes power" in capsys.readouterr().err


@pytest.mark.usefixtures("_with_the_file")
def test_a_file_is_all_that_the_page_needs() -> None:
    app = sound(start("attribution", methods="squared_gradient", power="3"))
    [offered] = [m for m in app.multiselect if m.label == "Methods"]
    assert "Squared gradient" in offered.options
    [power] = [s for s in app.slider if s.label == "Squared gradient: power"]
    assert (power.value, power.min, power.max) == (3, 1, 4)
    assert len(app.get("plotly_chart")) == 1 and "no method" not in text_of(app)


def test_without_the_file_there_is_no_such_method() -> None:
    with pytest.raises(UserError, match="no method 'squared_gradient'"):
        methods.method("squared_gradient")


def test_the_table_needs_no_pytorch() -> None:
    code = "import sys, vision_core.methods; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_the_docs_tell_every_method() -> None:
    text = (ROOT / "docs" / "looking_inside.md").read_text("utf-8")
    for method in methods.every():
        assert f"| {method.title} | {method.source} | {method.about} |" in text


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("smoothgrad", gradients.smoothgrad),
        ("integrated_gradients", gradients.integrated_gradients),
        ("occlusion", occlusion.sweep),
    ],
)
def test_defaults_and_words_are_those_of_the_function(name, function) -> None:
    takes = inspect.signature(function).parameters
    for setting in methods.method(name).settings:
        assert takes[setting.name].default == setting.default
        if setting.name == "baseline":
            assert setting.choices == BASELINES
