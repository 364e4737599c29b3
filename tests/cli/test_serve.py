"""``serve`` starts the service, tells its address, and ends when it is told to."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.serving.alike import differences
from vision_core import models
from vision_core.cli import main
from vision_core.cli import serve as command
from vision_core.errors import UserError
from vision_core.inference import trace
from vision_core.serving import client, host, remote
from vision_core.serving.client import Client

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_process_serves_until_it_is_told_to_end(number, cat) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environ = {
        **os.environ,
        host.TOKEN: "open sesame",
        "OMP_NUM_THREADS": str(torch.get_num_threads()),
    }
    words = ["serve", "--without-ray", "--port", port, "--device", "cpu"]
    started = subprocess.Popen(
        [sys.executable, "-m", "vision_core", *words],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert started.stdout is not None
        assert f"listens at http://127.0.0.1:{port} (one process)" in started.stdout.readline()
        model = models.load("yolo_s", device="cpu")
        with pytest.raises(UserError, match=host.TOKEN):
            remote.trace(Client([f"http://127.0.0.1:{port}"]), model, cat)
        asked = Client([f"http://127.0.0.1:{port}"], "open sesame")
        assert differences(trace(model, cat), remote.trace(asked, model, cat)) == []
        started.send_signal(number)
        assert started.wait(30) == 0
    finally:
        started.kill()


def test_mistakes_are_told(capsys) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["serve", "--without-ray", "--port", port]) == 2
    assert "choose another --port" in capsys.readouterr().err
    assert main(["serve", "--port", "0"]) == 2
    assert "A port lies between 1 and 65535, not 0." in capsys.readouterr().err
    if importlib.util.find_spec("ray") is None:
        assert main(["serve"]) == 2
        assert "--without-ray" in capsys.readouterr().err


def test_an_open_address_without_a_token_is_told(capsys, monkeypatch) -> None:
    monkeypatch.setattr(command, "_alone", lambda *_: None)
    monkeypatch.delenv(host.TOKEN, raising=False)
    for address, told in (("0.0.0.0", True), ("10.0.0.5", True), ("127.0.0.1", False)):
        assert main(["serve", "--without-ray", "--host", address]) == 0
        assert (host.TOKEN in capsys.readouterr().out) is told
    assert command.TOKEN == host.TOKEN and client.VARIABLE == "CONVSCOPE_SERVE"
