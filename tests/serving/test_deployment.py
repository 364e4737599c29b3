"""The service by Ray Serve: as many replicas as are told, and one that is killed loses nothing."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.serving.alike import differences
from vision_core import models, samples
from vision_core.attribution import ask, explain
from vision_core.attribution.question import default_target
from vision_core.errors import UserError
from vision_core.images import from_array
from vision_core.inference import PartSource, trace
from vision_core.serving import remote
from vision_core.serving.client import Client
from vision_core.serving.deployment import LEAST, MOST, THREADS, Fleet

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("cores", "gpus", "environ", "expected"),
    [
        (8, 0, {}, Fleet(8, 8, 0, 1)),
        (8, 2, {}, Fleet(2, 2, 2, 4)),
        (8, 0, {MOST: "4"}, Fleet(4, 4, 0, 2)),
        (8, 0, {MOST: "4", LEAST: "1"}, Fleet(1, 4, 0, 2)),
        (2, 0, {LEAST: "5"}, Fleet(5, 5, 0, 1)),
        (2, 0, {MOST: "0", THREADS: "3"}, Fleet(2, 2, 0, 3)),
        (2, 0, {MOST: "many"}, Fleet(2, 2, 0, 1)),
    ],
)
def test_the_machine_and_the_environment_make_the_fleet(
    cores, gpus, environ, expected, monkeypatch
) -> None:
    for name in (LEAST, MOST, THREADS):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert Fleet.of_machine(cores, gpus) == expected


def test_more_at_the_least_than_at_the_most_is_a_mistake(monkeypatch) -> None:
    monkeypatch.setenv(LEAST, "3")
    monkeypatch.setenv(MOST, "2")
    with pytest.raises(UserError, match=MOST):
        Fleet.of_machine(8, 0)


def replicas() -> list[int]:
    """Numbers of the processes of Ray's replicas on this machine."""
    told = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout
    return [int(row.split()[0]) for row in told.splitlines() if "ray::ServeReplica" in row]


@contextmanager
def started(words: str, **environ: str) -> Iterator[str]:
    """The service with these variables; yields its address, and checks what it says of itself."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install -r requirements-serve.txt")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    others = set(replicas())
    told = {THREADS: str(torch.get_num_threads()), **environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "vision_core", "serve", "--port", str(port), "--device", "cpu"],
        cwd=ROOT,
        env={**os.environ, **told},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "listens at" in line:
                break
        assert f"127.0.0.1:{port} ({words}" in line, line
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(60) == 0
        assert set(replicas()) <= others, "nothing is left behind"


@pytest.fixture(scope="module")
def service():
    with started("2 replicas", **{MOST: "2"}) as address:
        yield address


def test_answers_of_replicas_are_the_same(service, cat) -> None:
    asked = Client([service])
    for name in ("mask_rcnn_s", "resnet_s", "fcn_voc_s"):
        model = models.load(name, device="cpu")
        made = trace(model, cat)
        assert differences(made, remote.trace(asked, model, cat)) == []
        target = default_target(made)
        told = {"patch": 64}
        *_, last = remote.explain_steps(asked, model, cat, made, target, "occlusion", told)
        expected = explain(ask(model, cat, made, target), "occlusion", **told)
        assert last.draw is not None and differences(expected, last.draw()) == []
        if name == "mask_rcnn_s":
            here = PartSource(model, cat, made).masks([0, 1])
            assert (
                differences(here, remote.RemoteParts(asked, model, cat, made).masks([0, 1])) == []
            )
    assert asked.most == 2


def test_who_leaves_a_long_answer_leaves_the_replica_sound(service, cat) -> None:
    asked = Client([service])
    model = models.load("resnet_s", device="cpu")
    made = trace(model, cat)
    target = default_target(made)
    for _ in range(4):
        steps = remote.sweep_parts(asked, model, cat, made, target, {"patch": 32, "stride": 8})
        next(steps)
        steps.close()
    assert differences(made, remote.trace(asked, model, cat)) == []


def test_a_replica_that_is_killed_loses_nothing(service) -> None:
    model = models.load("yolo_s", device="cpu")
    names = samples.names()
    expected = {name: trace(model, samples.sample(name)) for name in names}
    servers = [Client([service]), Client([service])]
    wrong: list[str] = []
    seen, over = [0], threading.Event()

    def live(number: int) -> None:
        asked = servers[number % 2]
        while not over.is_set():
            name = names[number % len(names)]
            try:
                made = remote.trace(asked, model, samples.sample(name))
                wrong.extend(differences(expected[name], made))
            except Exception as error:
                wrong.append(repr(error))
            number += 1
            seen[0] += 1

    people = [threading.Thread(target=live, args=(n,)) for n in range(6)]
    for person in people:
        person.start()
    for _ in range(2):
        before, until = seen[0], time.monotonic() + 120
        while seen[0] < before + 60 and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(replicas()[0], signal.SIGKILL)
    before, until = seen[0], time.monotonic() + 120
    while (seen[0] < before + 60 or len(replicas()) < 2) and time.monotonic() < until:
        time.sleep(0.1)
    over.set()
    for person in people:
        person.join(120)
    assert wrong == [] and seen[0] >= 180
    assert len(replicas()) == 2, "others took their places"


@pytest.mark.long
def test_replicas_become_more_under_load(cat) -> None:
    model = models.load("fcos_s", device="cpu")
    photos = [from_array(np.roll(cat.pixels, shift, 1), "cat") for shift in range(400)]
    over, others = threading.Event(), len(replicas())
    with started("1 to 2 replicas", **{LEAST: "1", MOST: "2"}) as address:
        assert len(replicas()) == others + 1
        asked = Client([address])
        wrong: list[str] = []

        def live(number: int) -> None:
            while not over.is_set():
                try:
                    remote.trace(asked, model, photos[number % len(photos)])
                except Exception as error:
                    wrong.append(repr(error))
                number += 8

        people = [threading.Thread(target=live, args=(n,)) for n in range(8)]
        for person in people:
            person.start()
        until = time.monotonic() + 240
        while len(replicas()) < others + 2 and time.monotonic() < until:
            time.sleep(0.5)
        over.set()
        for person in people:
            person.join(120)
        assert len(replicas()) == others + 2 and wrong == [] and asked.most == 2
