"""Several ES modules as the text of one, for a page that can load only one.

Streamlit takes a component's script as one text, or as a file of an installed package that declares
a folder of assets; the app runs from a plain checkout, so the modules are put together here. What
Node, the linter and the tests load are the files themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.{1,2}/[^"]+)";$', re.MULTILINE)
_IMPORT_DEFAULT = re.compile(r'^import (\w+) from "(\.{1,2}/[^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(
    r"^export ((?:async )?function\*?|class|const|let) (\w+|\[[^\]]*\]|\{[^}]*\})", re.MULTILINE
)
_DEFAULT = re.compile(r"^export default ", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


@dataclass
class _Module:
    """One file: its text without imports and exports, what it needs and what it gives."""

    path: Path
    body: str
    needs: list[tuple[Path, dict[str, str]]] = field(default_factory=list)  # exported: own name
    gives: list[str] = field(default_factory=list)
    default: bool = False


def bundle(entry: Path) -> str:
    """The text of one module that does what ``entry`` does, with the same default export.

    Every module runs once, in a scope of its own, after those that it imports. Understood are
    ``import { a, b as c } from "./file.js";``, ``import a from "./file.js";``, ``export`` before a
    function, class or constant, and a default export that ends its file.

    Raises:
        ValueError: a file imports itself by some way, asks for what another does not export, or has
            an import or export of another kind.
    """
    order: list[_Module] = []
    _visit(entry.resolve(), order, {}, ())
    number = {module.path: i for i, module in enumerate(order)}
    parts = [_scope(module, number) for module in order]
    last = number[order[-1].path]
    if order[-1].default:
        parts.append(f"export default m{last}.default;")
    if order[-1].gives:
        parts.append(f"export const {{ {', '.join(order[-1].gives)} }} = m{last};")
    return "\n".join(parts) + "\n"


def _visit(
    path: Path, order: list[_Module], seen: dict[Path, _Module], above: tuple[Path, ...]
) -> _Module:
    """Put a module behind all that it needs, once."""
    if path in above:
        raise ValueError(f"{path.name} imports itself: {_chain((*above, path))}")
    if path in seen:
        return seen[path]
    module = seen[path] = _read(path)
    for file, names in module.needs:
        given = _visit(file, order, seen, (*above, path))
        gives = [*given.gives, *(["default"] if given.default else [])]
        if missing := [n for n in names if n not in gives]:
            raise ValueError(f"{path.name} imports {missing}, which {file.name} does not export")
    order.append(module)
    return module


def _chain(paths: Iterable[Path]) -> str:
    return " -> ".join(path.name for path in paths)


def _read(path: Path) -> _Module:
    text = path.read_text(encoding="utf-8")
    module = _Module(path, text)
    for names, file in _IMPORT.findall(text):
        pairs = [part.split(" as ") for part in names.replace("\n", " ").split(",") if part.strip()]
        wanted = {pair[0].strip(): pair[-1].strip() for pair in pairs}
        module.needs.append(((path.parent / file).resolve(), wanted))
    for name, file in _IMPORT_DEFAULT.findall(text):
        module.needs.append(((path.parent / file).resolve(), {"default": name}))
    for _, names in _EXPORT.findall(text):
        module.gives += re.findall(r"\w+", names)
    text = _EXPORT.sub(r"\1 \2", _IMPORT_DEFAULT.sub("", _IMPORT.sub("", text)))
    if found := _DEFAULT.search(text):
        if re.search(r"^[\w(\[`]", text[found.end() :].partition("\n")[2], re.MULTILINE):
            raise ValueError(f"{path.name}: the default export must end the file")
        module.default = True
        text = _DEFAULT.sub("const $default = ", text)
    if left := _LEFT.search(text):
        raise ValueError(f"{path.name}: not understood: {left.group()}")
    module.body = text.strip()
    return module


def _scope(module: _Module, number: dict[Path, int]) -> str:
    needs = [
        f"const {{ {', '.join(a if a == b else f'{a}: {b}' for a, b in names.items())} }} "
        f"= m{number[file]};"
        for file, names in module.needs
    ]
    gives = [*module.gives, *(["default: $default"] if module.default else [])]
    lines = [
        f"const m{number[module.path]} = (() => {{ // {module.path.name}",
        *needs,
        module.body,
        f";return {{ {', '.join(gives)} }};",
        "})();",
    ]
    return "\n".join(lines)
