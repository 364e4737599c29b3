"""Carry out the steps of the Dockerfile in a plain folder, where no container engine is at hand.

    python -m deploy.rehearse [--environment DIR] [--port 8501]

COPY takes the files that .dockerignore lets through, RUN runs, CMD starts the app and HEALTHCHECK
asks it, all with the image's folders moved into a temporary one. The steps that make users and
owners need root and an image of their own, and are left out; so is the base image, for which the
Python that runs this stands in. ``--environment`` takes a finished environment in place of the RUN
that installs one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOVED = ("/opt/convscope", "/home/convscope", "/build", "/app")
"""Folders of the image that lie in the temporary folder here."""
NEED_ROOT = ("useradd", "install -d")


@dataclass
class Image:
    """What the steps so far have made."""

    root: Path
    port: int
    environment: Path | None = None
    here: Path = Path("/")
    arguments: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def moved(self, text: str) -> str:
        """The text with the image's folders, port and arguments as they are here."""
        for name, value in self.arguments.items():
            text = text.replace("${" + name + "}", value)
        for folder in MOVED:
            text = re.sub(rf"(?<![\w/.]){folder}(?=[/\s:\"]|$)", f"{self.root}{folder}", text)
        return text.replace("8501", str(self.port))

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a step."""
        known = {k: v.replace("$PATH", os.environ["PATH"]) for k, v in self.variables.items()}
        return {**os.environ, "HOME": f"{self.root}/home/convscope", **known}


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Every instruction with its words; continued lines are one."""
    rows = [row for row in dockerfile.read_text("utf-8").splitlines() if not row.startswith("#")]
    whole = re.sub(r"\\\n\s*", " ", "\n".join(rows))
    split = (row.split(None, 1) for row in whole.splitlines() if row.strip())
    return [(name, words) for name, words in split]


def allowed(path: str) -> bool:
    """Whether .dockerignore, which names what is let through, lets a path through."""
    named = [row[1:] for row in (ROOT / ".dockerignore").read_text().split() if row[0] == "!"]
    return any(path == name or path.startswith(name + "/") for name in named)


def copy(image: Image, words: str) -> None:
    """COPY: from the project; what comes from another stage is there already."""
    if words.startswith("--from"):
        return
    *sources, target = words.split()
    for source in sources:
        if not allowed(source) or not (ROOT / source).exists():
            raise SystemExit(f"COPY {source}: not in the project, or held back by .dockerignore")
        goal = image.here / target / source if target.endswith("/") else image.here / target
        goal.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            without = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, goal, ignore=without, dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / source, goal)


def run(image: Image, words: str) -> None:
    """RUN, but for steps that need an image of their own."""
    if any(step in words for step in NEED_ROOT):
        print(f"left out, needs an image: RUN {words}")
        (image.root / "home" / "convscope").mkdir(parents=True, exist_ok=True)
    elif image.environment is not None:
        print(f"taken from {image.environment}: RUN {words}")
        (image.root / "opt").mkdir(exist_ok=True)
        (image.root / "opt" / "convscope").symlink_to(image.environment)
    else:
        first = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        script = image.moved(words)
        subprocess.run(
            ["sh", "-ec", script], cwd=image.here, env={**image.environ, "PATH": first}, check=True
        )


def carry_out(image: Image, name: str, words: str) -> None:
    """One instruction."""
    if name == "ARG" and "=" in words:
        key, _, value = words.partition("=")
        image.arguments.setdefault(key, value)
    elif name == "WORKDIR":
        image.here = Path(image.moved(words))
        image.here.mkdir(parents=True, exist_ok=True)
    elif name == "COPY":
        copy(image, words)
    elif name == "RUN":
        run(image, words)
    elif name == "ENV":
        pairs = (word.partition("=") for word in shlex.split(image.moved(words)))
        image.variables |= {key: value for key, _, value in pairs}
    elif name == "CMD":
        image.command = json.loads(image.moved(words))
    elif name == "HEALTHCHECK":
        image.health = json.loads(image.moved(words[words.index("[") :]))
    elif name not in ("ARG", "EXPOSE", "FROM", "USER"):
        raise SystemExit(f"{name}: not known to this rehearsal")


@contextmanager
def started(image: Image) -> Iterator[str]:
    """The app as the image starts it, from when its health check passes; yields its address."""
    program = shutil.which(image.command[0], path=image.environ["PATH"])
    server = subprocess.Popen([str(program), *image.command[1:]], cwd=image.here, env=image.environ)
    try:
        for _ in range(120):
            if healthy(image):
                break
            if server.poll() is not None:
                raise SystemExit(f"the app ended with status {server.returncode}")
            time.sleep(0.5)
        else:
            raise SystemExit("the health check never passed")
        yield f"http://127.0.0.1:{image.port}"
    finally:
        server.terminate()
        server.wait(10)  # as long as compose.yaml gives it


def healthy(image: Image) -> bool:
    """Whether the image's own health check passes."""
    program = shutil.which(image.health[0], path=image.environ["PATH"])
    words = [str(program), *image.health[1:]]
    return subprocess.run(words, env=image.environ, stderr=subprocess.DEVNULL).returncode == 0


def build(root: Path, port: int, environment: Path | None, torch: str = "cpu") -> Image:
    """Carry out every step of the Dockerfile into ``root``."""
    image = Image(root, port, environment, arguments={"TORCH": torch})
    for name, words in instructions(ROOT / "Dockerfile"):
        carry_out(image, name, words)
    return image


def main() -> None:
    """Build, start, ask, stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", type=Path, help="a finished environment, to install none")
    parser.add_argument("--torch", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--port", type=int, default=8501)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        image = build(Path(folder), given.port, given.environment, given.torch)
        with started(image) as address:
            print(f"healthy at {address}")
    print("stopped within ten seconds")


if __name__ == "__main__":
    main()
