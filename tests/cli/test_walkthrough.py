"""``walkthrough`` on the command line: the library's own answer, as text and as JSON."""

from __future__ import annotations

import json

import pytest

from vision_core.cli import main
from vision_core.cli.walkthrough import FLAGS
from vision_core.walkthroughs import OPERATORS, PRESETS, build, parameters


def run(capsys, *argv):
    status = main(["walkthrough", *argv])
    shown = capsys.readouterr()
    return status, shown.out, shown.err


@pytest.mark.parametrize("name", OPERATORS)
def test_json_is_the_librarys(capsys, name):
    which = PRESETS[name][-1].name
    status, out, err = run(capsys, name, "--preset", which, "--json", "-")
    assert (status, err) == (0, "")
    expected = json.loads(json.dumps(build(name, which).to_json(), allow_nan=False))
    assert json.loads(out) == expected
    assert {"operands", "steps", "result"} <= set(expected)
    assert all({"reads", "terms", "writes", "text"} == set(s) for s in expected["steps"])


def test_text_has_formula_steps_and_result(capsys):
    status, out, _ = run(capsys, "convolution", "--input", "[1,2,3]", "--kernel", "[1,-1]")
    assert status == 0
    assert out.splitlines() == [
        "length: (3 + 2·0 - 1·(2 - 1) - 1) / 1 + 1 = 2",
        "0. y[0] = 1·1 + 2·(-1) = -1",
        "1. y[1] = 2·1 + 3·(-1) = -1",
        "result: [-1.0, -1.0]",
    ]


def test_flags_replace_params_and_params_replace_the_preset(capsys, tmp_path):
    file = tmp_path / "walk.json"
    argv = [
        "transposed_convolution",
        "--preset",
        "one-dimensional-stride-1",
        "--view",
        "gather",
        "--params",
        '{"stride": 3, "output_padding": 2}',
        "--stride",
        "[2]",
        "--output-padding",
        "1",
        "--json",
        str(file),
    ]
    status, out, _ = run(capsys, *argv)
    assert status == 0 and "result: " in out
    expected = build(
        "transposed_convolution",
        "one-dimensional-stride-1",
        view="gather",
        stride=2,
        output_padding=1,
    )
    assert json.loads(file.read_text("utf-8"))["result"] == expected.result.tolist()


def test_list_names_everything(capsys):
    status, out, _ = run(capsys, "--list", "--json", "-")
    records = json.loads(out)
    assert status == 0 and [r["name"] for r in records] == list(OPERATORS)
    for record in records:
        assert {*record["required"], *record["defaults"]} == set(parameters(record["name"]))
    _, text, _ = run(capsys, "--list")
    assert all(p.name in text and p.shows in text for ps in PRESETS.values() for p in ps)


def test_every_parameter_has_a_flag():
    known = {key for name in OPERATORS for key in parameters(name)}
    assert known | {"kernel"} == set(FLAGS)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "Name an operator"),
        (["convolve"], "There is no operator called 'convolve'"),
        (["max_pool", "--preset", "x"], "has no preset called"),
        (["max_pool", "--input", "[1,"], "--input takes JSON"),
        (["max_pool", "--input", "[" * 100_000], "--input takes JSON"),
        (["max_pool", "--params", "[1]"], "--params takes one JSON object"),
        (["max_pool", "--stride", "1"], "still needs input"),
        (["max_pool", "--input", "[1,NaN]", "--kernel-size", "1"], "finite numbers"),
        (["max_pool", "--json", "/nowhere/at/all.json"], "cannot be written"),
    ],
)
def test_a_users_mistake_is_one_line_and_status_2(capsys, argv, words):
    status, out, err = run(capsys, *argv)
    assert status == 2 and out == ""
    assert words in err and err.count("\n") == 1


def test_gif_and_svg_files(capsys, tmp_path):
    film, folder = tmp_path / "film.gif", tmp_path / "frames"
    status, out, _ = run(capsys, "max_pool", "--gif", str(film), "--svg-dir", str(folder))
    assert status == 0 and "4 steps" in out and "4 SVG files" in out
    assert film.read_bytes()[:6] in (b"GIF89a", b"GIF87a")
    assert len(list(folder.glob("max_pool-*.svg"))) == 4
    status, _, err = run(capsys, "max_pool", "--gif", str(tmp_path / "no" / "film.gif"))
    assert status == 2 and "cannot be written" in err and err.count("\n") == 1
