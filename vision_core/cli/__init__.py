"""The command line: one module per command, each with ``register(subparsers)``.

A user's mistake is one line on standard error and exit status 2; a fault of ours is one line and
status 1, with a traceback where ``CONVSCOPE_DEBUG=1``. Commands import PyTorch only when they run,
so that ``--help`` is quick.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

from vision_core.cli import places
from vision_core.errors import UserError

PROGRAM = "python -m vision_core"
COMMANDS = (
    "run",
    "serve",
    "predict",
    "why",
    "inside",
    "walkthrough",
    "compare",
    "race",
    "surgery",
    "teach",
    "style",
    "dream",
    "metrics",
    "explain",
    "league",
    "activations",
    "features",
    "models",
    "weights",
    "train",
    "evaluate",
)

_FULL = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT)


class _Parser(argparse.ArgumentParser):
    """Errors in one line; argparse would print the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{one_line(message)} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The parser with all commands."""
    top = _Parser(prog=PROGRAM, description="Explore what convolutional networks see in a photo.")
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"vision_core.cli.{name}").register(subparsers)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status and never raises but for ``KeyboardInterrupt``.

    Args:
        argv: arguments without the program's name; those of the process where ``None``.
    """
    try:
        args = parser().parse_args(argv)
        places.check(args)
        if sys.stdout is None:  # a file opened now could take its number
            return _fail("Standard output is closed; open it, or send it to /dev/null.", 2)
        run: Callable[[argparse.Namespace], int | None] = args.run
        status = run(args) or 0
        sys.stdout.flush()
        return status
    except SystemExit as stop:  # argparse: --help or a wrong argument
        return stop.code if isinstance(stop.code, int) else 2
    except UserError as error:
        return _fail(str(error), 2)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("", "vision_core", "pages"):
            return _fault(error)
        return _fail(
            f"The package {error.name} is not installed for {sys.executable}; use "
            ".venv/bin/python -m vision_core, which make run installs, or activate it with source "
            ".venv/bin/activate.",
            2,
        )
    except BrokenPipeError:
        # The reader went away, as `| head` does; nothing may be written at exit either.
        _silence()
        return 1
    except OSError as error:
        # Files that cannot be written have a sentence already; what is left has no name.
        if error.filename is not None or error.errno not in _FULL:
            return _fault(error)
        _silence()
        return _fail(f"Standard output cannot be written ({error.strerror}); send it elsewhere.", 2)
    except KeyboardInterrupt:
        return _fail("Stopped.", 130)
    except Exception as error:
        return _fault(error)


def one_line(text: str) -> str:
    """Text with every run of white space as one blank."""
    return " ".join(text.split())


def _silence() -> None:
    """Let what standard output still holds go nowhere when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _fault(error: Exception) -> int:
    if os.environ.get("CONVSCOPE_DEBUG") == "1":
        traceback.print_exc()
    name = type(error).__name__
    return _fail(f"Unexpected {name}: {error} (CONVSCOPE_DEBUG=1 shows where)", 1)


def _fail(text: str, status: int) -> int:
    print(one_line(text), file=sys.stderr)
    return status
