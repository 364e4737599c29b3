"""``run``: start the app in the browser."""

from __future__ import annotations

import argparse
import importlib.metadata
import subprocess
import sys
from pathlib import Path
from typing import Any

from vision_core.errors import UserError

ROOT = Path(__file__).resolve().parents[2]


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("run", help="start the app and open it in the browser")
    parser.add_argument("--port", type=int, default=8501, help="port of the address (default 8501)")
    parser.add_argument(
        "--no-browser", action="store_true", help="only start it; open the address yourself"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the app until it is stopped; returns the exit status of Streamlit.

    Raises:
        UserError: the port cannot be one.
    """
    if not 1 <= args.port <= 65535:
        raise UserError(f"A port lies between 1 and 65535, not {args.port}.")
    words = ["-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(args.port)]
    if args.no_browser:
        words += ["--server.headless", "true"]
    return subprocess.call([sys.executable, *words], cwd=settings_folder())


def settings_folder() -> Path:
    """The folder with ``.streamlit``: the checkout, or where the wheel put its files."""
    if (ROOT / ".streamlit").is_dir():
        return ROOT
    for file in importlib.metadata.files("convscope") or ():
        if file.parts[-2:] == (".streamlit", "config.toml"):
            return Path(str(file.locate())).resolve().parents[1]
    return ROOT
