"""Modules put together say what the modules say by themselves, and wrong ones are refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.components.node import NODE, needs_node
from vision_core.figures.browser import HERE, NAMES, component
from vision_core.figures.browser.bundle import bundle


def written(folder: Path, **files: str) -> Path:
    """Files by name; returns the one called ``entry``."""
    for name, text in files.items():
        file = folder / f"{name}.js"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder / "entry.js"


def said(module: Path) -> object:
    """What the default export of a module returns, as Node runs it."""
    code = f"const m = await import({json.dumps(module.as_uri())}); process.stdout.write("
    code += "JSON.stringify([m.default(), Object.keys(m).sort()]));"
    done = subprocess.run(
        [str(NODE), "--input-type=module", "-e", code], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


DIAMOND = {
    "entry": (
        '// The first line.\n\nimport { left } from "./left.js";\n'
        'import {\n  right,\n  count as counted,\n} from "./right.js";\n\n'
        'const secret = "entry";\nexport const [A, B] = [1, 2];\n'
        "export default function () {\n  return [left(), right(), counted(), secret, A + B];\n}\n"
    ),
    "left": (
        'import { count } from "./shared.js";\n\nconst secret = "left";\n'
        "export function left() {\n  return secret + count();\n}\n"
    ),
    "right": (
        'import { count as next, Kind } from "./shared.js";\n\nconst secret = "right";\n'
        "export const right = () => secret + next() + new Kind().name;\n"
        "export async function later() {}\nexport function count() {\n  return next() * 10;\n}\n"
    ),
    "shared": (
        "let calls = 0;\nexport function count() {\n  calls += 1;\n  return calls;\n}\n"
        'export class Kind {\n  name = "kind";\n}\n'
    ),
}


@needs_node
def test_a_bundle_runs_as_its_modules_do(tmp_path: Path) -> None:
    """One shared counter, three constants of one name: each module once, in its own scope."""
    entry = written(tmp_path, **DIAMOND)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    whole = tmp_path / "whole.mjs"
    whole.write_text(bundle(entry), encoding="utf-8")
    assert said(whole) == said(entry)
    assert said(whole) == [["left1", "right2kind", 30, "entry", 3], ["A", "B", "default"]]


WRONG = {
    "imports itself: entry.js -> other.js -> entry.js": {
        "entry": 'import { a } from "./other.js";\n',
        "other": 'import { b } from "./entry.js";\nexport const a = 1;\n',
    },
    "which other.js does not export": {
        "entry": 'import { missing } from "./other.js";\n',
        "other": "export const a = 1;\n",
    },
    "not understood: import \\* as all": {
        "entry": 'import * as all from "./other.js";\n',
        "other": "",
    },
    "not understood: export \\{ a \\}": {"entry": "const a = 1;\nexport { a };\n"},
    "not understood: import \\{ fs \\}": {"entry": 'import { fs } from "node:fs";\n'},
    "must end the file": {"entry": "export default function () {}\nconst late = 1;\n"},
}


@pytest.mark.parametrize("fault", WRONG)
def test_what_it_does_not_understand_is_refused(tmp_path: Path, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        bundle(written(tmp_path, **WRONG[fault]))


def test_every_module_of_the_project_is_used() -> None:
    files = {file.name for file in HERE.rglob("*.js")}
    texts = [component(name).js for name in NAMES] + [bundle(HERE / "canvas" / "start.js")]
    assert all(text.count("\nexport default ") == 1 for text in texts)
    entries = ("walkthrough", "prediction", "maps")
    texts += [bundle(HERE / "standalone" / f"{name}.js") for name in entries]
    assert files == {f for f in files if any(f"// {f}\n" in text for text in texts)}
