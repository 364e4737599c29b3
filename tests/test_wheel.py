"""The wheel, installed into an empty environment, starts the app."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.long
WITHIN = 60
"""Seconds that a start may take before the test gives up."""


def run(*words: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(w) for w in words], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of the files that git knows, built from a copy of them."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in run("git", "ls-files", cwd=ROOT).splitlines():
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "source" / name).write_bytes((ROOT / name).read_bytes())
    words = ["pip", "wheel", "--no-deps", "--no-build-isolation", "-w", folder, "./source"]
    run(sys.executable, "-m", *words, cwd=folder)
    (built,) = folder.glob("convscope-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The folder of programs of an environment with the wheel; packages are those of the tests."""
    home = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", home, cwd=home)
    python = home / "bin" / "python"
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home)
    here = run(sys.executable, "-c", "import streamlit; print(streamlit.__path__[0])", cwd=home)
    (Path(site.strip()) / "tests.pth").write_text(f"{Path(here.strip()).parent}\n")
    run(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel, cwd=home)
    return home / "bin"


def test_the_wheel_holds_what_the_app_reads(wheel) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    needed = ["app.py", "assets/icon.png", "assets/samples/samples.json", "docs/glossary.md"]
    needed += ["assets/samples/china.jpg", "assets/weights/fcos_s.safetensors"]
    needed += ["pages/navigation.py", "pages/shared/shell.py"]
    assert set(needed) <= names
    read = {".css", ".html", ".j2", ".jinja", ".js", ".json", ".svg", ".safetensors"}
    for name in run("git", "ls-files", "vision_core", "pages", "assets", cwd=ROOT).splitlines():
        if Path(name).suffix in read | {".py", ".png", ".jpg"}:
            assert name in names


def test_the_installed_app_starts_and_shows_a_page(installed, tmp_path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [installed / "convscope", "run", "--no-browser", "--port", str(port)]
    with open(tmp_path / "log", "w") as log:
        app = subprocess.Popen(words, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
    try:
        assert answer(f"http://127.0.0.1:{port}/_stcore/health") == "ok"
        assert "<title>" in answer(f"http://127.0.0.1:{port}/predictions")
    finally:
        os.killpg(app.pid, 15)
        app.wait(WITHIN)


def test_an_installed_page_runs(installed, tmp_path) -> None:
    code = (
        "import app_path; from streamlit.testing.v1 import AppTest;"
        "found = AppTest.from_file(app_path.APP, default_timeout=120).run();"
        "assert not found.exception, found.exception; print(app_path.APP, len(found.main))"
    )
    (tmp_path / "app_path.py").write_text(
        "from pathlib import Path\nimport vision_core\n"
        "APP = str(Path(vision_core.__file__).parents[1] / 'app.py')\n"
    )
    told = run(installed / "python", "-c", code, cwd=tmp_path)
    assert told.startswith(str(installed.parent)) and int(told.split()[-1]) > 0


def answer(url: str) -> str:
    """What the server says, as soon as it listens."""
    end = time.monotonic() + WITHIN
    while True:
        try:
            with urlopen(url, timeout=WITHIN) as reply:
                return reply.read().decode()
        except URLError:
            if time.monotonic() > end:
                raise
            time.sleep(0.3)
