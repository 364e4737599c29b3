"""The browser's modules without a browser: their own tests in Node, and the linter."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.components.node import ESLINT, NODE, ROOT, needs_linter, needs_node

FILES = sorted((ROOT / "tests" / "components" / "javascript").glob("*.test.js"))


def ran(*arguments: object) -> subprocess.CompletedProcess[str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith("NODE_")}
    return subprocess.run(
        [str(NODE), *map(str, arguments)], capture_output=True, text=True, cwd=ROOT, env=plain
    )


@needs_node
@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name.split(".")[0])
def test_node(file) -> None:
    done = ran("--test", "--test-reporter=tap", file)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed and int(passed[1]) > 5, "nothing was tested"


@needs_node
def test_a_wrong_result_would_be_seen(tmp_path) -> None:
    """A file that fails makes Node fail, so that the test above can."""
    file = tmp_path / "wrong.test.mjs"
    file.write_text(
        'import { test } from "node:test";\ntest("no", () => { throw new Error(); });\n'
    )
    assert ran("--test", "--test-reporter=tap", file).returncode != 0


@needs_linter
def test_the_linter_finds_nothing() -> None:
    done = ran(ESLINT, "--max-warnings=0", ".")
    assert done.returncode == 0, done.stdout + done.stderr


@needs_linter
def test_the_linter_would_find_a_name_that_is_not_there() -> None:
    file = ROOT / "vision_core" / "figures" / "browser" / "canvas" / "select.js"
    text = file.read_text("utf-8").replace('import { topkOrder } from "./topk.js";\n', "")
    done = subprocess.run(
        [str(NODE), str(ESLINT), "--stdin", f"--stdin-filename={file}"],
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 1 and "'topkOrder' is not defined" in done.stdout
