"""Nothing gets lost, whoever dies; nothing wrong is believed, whoever asks."""

from __future__ import annotations

import http.client
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.proxying import free_port
from tests.serving.alike import differences, hosted
from vision_core import models, samples
from vision_core.attribution.question import default_target
from vision_core.errors import UserError
from vision_core.images import from_array
from vision_core.inference import trace
from vision_core.serving import client as clients
from vision_core.serving import remote, service, travelling
from vision_core.serving.client import Client, ServiceFault
from vision_core.serving.service import Service
from vision_core.serving.wire import pack, unpack

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def yolo():
    return models.load("yolo_s", device="cpu")


@contextmanager
def process(port: int):
    """A service in a process of its own, that can be killed."""
    code = (
        "from vision_core.serving.host import Host\n"
        "from vision_core.serving.service import Service\n"
        f"Host(Service('cpu'), ('127.0.0.1', {port})).serve_forever(0.05)"
    )
    environ = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    started = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environ)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/-/healthz", timeout=5).close()
                break
            except OSError:
                assert started.poll() is None
                time.sleep(0.1)
        yield started
    finally:
        started.kill()
        started.wait(30)


def answers(asked: Service, **request) -> list:
    return [unpack(piece) for piece in asked.answer(pack(request))]


def asking(model, photo, **more) -> dict:
    told = {"edition": service.edition(), "operation": "trace", "model": model.name}
    told |= {"fingerprints": travelling.fingerprints(model)}
    return told | {"photo": travelling.digest_of(photo.pixels)} | more


def test_a_photo_travels_once(yolo, cat) -> None:
    with hosted() as host:
        one, other = Client([host.url]), Client([host.url])
        sent = []
        for asked in (one, one, other):
            before = asked.sent
            remote.trace(asked, yolo, cat)
            sent.append(asked.sent - before)
        packed = len(pack(cat.pixels))
        assert sent[0] > packed > 20 * sent[1]
        assert one.asked == 2
        assert differences(trace(yolo, cat), remote.trace(other, yolo, cat)) == []


def test_a_photo_that_the_service_forgot_is_sent_again(yolo, cat) -> None:
    with hosted() as host:
        asked = Client([host.url])
        remote.trace(asked, yolo, cat)
        host.service._photos.clear()
        host.service._traces.clear()
        assert differences(trace(yolo, cat), remote.trace(asked, yolo, cat)) == []
        assert asked.asked == 3, "once in vain"


def test_photos_have_a_cap(yolo, cat, monkeypatch) -> None:
    monkeypatch.setenv("CONVSCOPE_PHOTO_MB", "1")
    with hosted() as host:
        asked = Client([host.url])
        for shift in range(6):
            photo = from_array(np.roll(cat.pixels, shift, 0), f"{shift}")
            assert differences(trace(yolo, photo), remote.trace(asked, yolo, photo)) == []
        assert 0 < host.service._photos.nbytes <= 2**20


def test_pixels_under_a_wrong_digest_are_refused(yolo, cat) -> None:
    asked = Service("cpu")
    other = np.ascontiguousarray(cat.pixels[::-1])
    (piece,) = answers(asked, **asking(yolo, cat, pixels=other))
    assert "digest" in piece["fault"]
    (piece,) = answers(asked, **asking(yolo, cat))
    assert piece["wanted"] == "pixels", "nothing was kept"


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((2, 5000, 3), np.uint8),
        np.zeros((2100, 2100, 3), np.uint8),
        "text",
    ],
    ids=["grey", "floats", "empty", "long", "large", "text"],
)
def test_pixels_that_are_no_photo_are_refused(yolo, cat, pixels) -> None:
    told = asking(yolo, cat, pixels=pixels)
    if isinstance(pixels, np.ndarray):
        told["photo"] = travelling.digest_of(pixels)
    (piece,) = answers(Service("cpu"), **told)
    assert "photo" in piece["fault"]


def test_other_editions_and_other_weights_are_told(yolo, cat) -> None:
    asked = Service("cpu")
    (piece,) = answers(asked, **asking(yolo, cat, edition="0123 (2.1)"))
    assert "another edition" in piece["sentence"] and "0123" in piece["sentence"]
    changed = replace(yolo, fingerprint="f" * 64)
    (piece,) = answers(asked, **asking(changed, cat))
    assert "other weights of yolo_s" in piece["sentence"]


def test_an_edition_changes_with_any_file(tmp_path) -> None:
    from vision_core.serving.edition import edition_of

    (tmp_path / "a.py").write_text("x = 1\n")
    first = edition_of(tmp_path)
    (tmp_path / "a.py").write_bytes(b"x = 1\r\n")
    assert edition_of(tmp_path) == first, "the ends of lines are not the program"
    (tmp_path / "a.py").write_text("x = 2\n")
    second = edition_of(tmp_path)
    (tmp_path / "b.py").write_text("")
    assert len({first, second, edition_of(tmp_path)}) == 3


@pytest.mark.parametrize(
    "request_of",
    [
        lambda good: {},
        lambda good: {"edition": good["edition"], "operation": "shell"},
        lambda good: {**good, "operation": "parts"},
        lambda good: {**good, "operation": "explain", "method": "gradient"},
        lambda good: {k: v for k, v in good.items() if k != "photo"},
        lambda good: {**good, "fingerprints": 7},
        lambda good: 7,
    ],
)
def test_requests_that_say_too_little_are_refused(yolo, cat, request_of) -> None:
    request = request_of(asking(yolo, cat, pixels=cat.pixels))
    (piece,) = [unpack(p) for p in Service("cpu").answer(pack(request))]
    assert piece["last"] and ("fault" in piece or "edition" in piece["sentence"])
    (piece,) = [unpack(p) for p in Service("cpu").answer(b"garbage")]
    assert "no message" in piece["fault"]


def test_mistakes_are_the_same_sentences(yolo, cat) -> None:
    from vision_core.attribution import ask, in_steps
    from vision_core.records.targets import ClassTarget

    made = trace(yolo, cat)
    with hosted() as host:
        asked = Client([host.url])
        for target, method, settings in (
            (ClassTarget("x"), "gradient", {}),
            (default_target(made), "nothing", {}),
            (default_target(made), "gradient", {"colour": 1}),
            (default_target(made), "smoothgrad", {"samples": 0}),
        ):
            with pytest.raises(UserError) as here:
                list(in_steps(ask(yolo, cat, made, target), method, **settings))
            with pytest.raises(UserError) as there:
                list(remote.explain_steps(asked, yolo, cat, made, target, method, settings))
            assert str(here.value) == str(there.value)


def test_weights_that_are_missing_there(cat, monkeypatch) -> None:
    asked = Service("cpu")
    monkeypatch.setenv("TORCH_HOME", "/nowhere")
    card = models.card("resnet50")
    told = {"edition": service.edition(), "operation": "trace", "model": card.name}
    (piece,) = answers(asked, **told, fingerprints=(card.sha256,), photo="0", pixels=cat.pixels)
    assert "weights download resnet50" in piece["sentence"]


def test_a_fault_there_is_a_fault_here_and_not_repeated(yolo, cat, monkeypatch) -> None:
    monkeypatch.setattr(service, "trace", lambda *_: 1 / 0)
    with hosted() as host:
        asked = Client([host.url])
        with pytest.raises(ServiceFault, match="ZeroDivisionError"):
            remote.trace(asked, yolo, cat)
        assert asked.repeated == 0


def test_a_token_is_needed_where_one_is_set(yolo, cat) -> None:
    with hosted(token="secret") as host:
        for token in ("", "secreT", "secret "):
            with pytest.raises(UserError, match="CONVSCOPE_SERVE_TOKEN"):
                remote.trace(Client([host.url], token), yolo, cat)
        assert host.service.answered == 0
        remote.trace(Client([host.url], "secret"), yolo, cat)


def test_bodies_that_are_too_large_are_not_read(yolo) -> None:
    with hosted() as host:
        line = http.client.HTTPConnection(*host.server_address, timeout=30)
        line.putrequest("POST", "/")
        line.putheader("Content-Length", str(10**10))
        line.endheaders()
        assert line.getresponse().status == 413
        line = http.client.HTTPConnection(*host.server_address, timeout=30)
        line.putrequest("POST", "/")
        line.endheaders()
        assert line.getresponse().status == 411


def test_only_addresses_are_addresses() -> None:
    for text in ("127.0.0.1:8000", "ftp://a", "http://", ""):
        with pytest.raises(UserError, match="CONVSCOPE_SERVE"):
            Client([text])


def test_where_nobody_answers_a_sentence_says_so(yolo, cat, monkeypatch) -> None:
    asked = Client([f"http://127.0.0.1:{free_port()}"], patience=0.3)
    with pytest.raises(UserError, match=r"does not answer.*CONVSCOPE_SERVE"):
        remote.trace(asked, yolo, cat)
    assert asked.repeated > 1
    left = Client(asked.addresses)

    def leave() -> None:
        raise InterruptedError

    left.still_wanted = leave
    with pytest.raises(InterruptedError):
        remote.trace(left, yolo, cat)
    assert left.asked <= 1, "who left is not waited for"


def test_of_two_services_the_other_one_takes_over(yolo, cat) -> None:
    with hosted() as alive:
        asked = Client([f"http://127.0.0.1:{free_port()}", alive.url])
        assert differences(trace(yolo, cat), remote.trace(asked, yolo, cat)) == []
        assert asked.repeated == 1


class Breaking(http.server.BaseHTTPRequestHandler):
    """Breaks off an answer after so many pieces, as often as ``cuts`` says; then lets one pass."""

    protocol_version = "HTTP/1.1"
    cuts: list[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        pieces = list(self.answered_by(body))
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        cut = self.cuts.pop(0) if self.cuts else None
        for piece in pieces[:cut]:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        if cut is None:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def log_message(self, *words) -> None:
        pass


def test_a_long_answer_that_breaks_off_goes_on_where_it_was(cat, monkeypatch) -> None:
    from vision_core.serving.host import framed

    model = models.load("resnet_s", device="cpu")
    made = trace(model, cat)
    target = default_target(made)
    inner = Service("cpu")

    class Handler(Breaking):
        cuts = [0, 1, 3, 2]  # noqa: RUF012

        def answered_by(self, body):
            return framed(inner.answer(body))

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setattr(clients, "PAUSES", (0.0,))
    asked = Client([f"http://127.0.0.1:{server.server_port}"])
    settings = {"patch": 64}
    broken = list(remote.sweep_parts(asked, model, cat, made, target, settings))
    server.shutdown()
    with hosted(inner) as host:
        whole = list(remote.sweep_parts(Client([host.url]), model, cat, made, target, settings))
    assert asked.repeated == 4
    assert [s.done for s in broken] == [s.done for s in whole]
    assert torch.equal(broken[-1].drops, whole[-1].drops)


def test_a_service_that_is_killed_in_mid_request_loses_nothing(yolo) -> None:
    """Six people ask without a pause while the service is killed twice and started again."""
    port = free_port()
    names = samples.names()
    expected = {name: trace(yolo, samples.sample(name)) for name in names}
    asked = Client([f"http://127.0.0.1:{port}"])
    wrong, seen, over = [], [0], threading.Event()

    def live(number: int) -> None:
        while not over.is_set():
            name = names[number % len(names)]
            try:
                made = remote.trace(asked, yolo, samples.sample(name))
                wrong.extend(differences(expected[name], made))
            except Exception as error:
                wrong.append(repr(error))
                return
            seen[0] += 1
            number += 1

    people = [threading.Thread(target=live, args=(n,)) for n in range(6)]
    for _ in range(3):
        with process(port) as started:
            for person in people:
                if not person.ident:
                    person.start()
            until, before = time.monotonic() + 120, seen[0]
            while seen[0] < before + 20 and not wrong and time.monotonic() < until:
                time.sleep(0.02)
            assert seen[0] >= before + 20, "it goes on with the next one"
            if _ == 2:
                over.set()
                for person in people:
                    person.join(60)
            started.send_signal(signal.SIGKILL)
            started.wait(30)
    assert wrong == [] and asked.repeated >= 2


def test_two_servers_at_one_service_get_what_they_would_alone(cat) -> None:
    loaded = [models.load(name, device="cpu") for name in ("yolo_s", "resnet_s", "fcos_s")]
    photos = [samples.sample(name) for name in samples.names()[:4]]
    expected = {(m.name, p.name): trace(m, p) for m in loaded for p in photos}
    wrong: list[str] = []
    with hosted() as host:

        def server(turn: int) -> None:
            asked = Client([host.url])
            for model in loaded[turn:] + loaded[:turn]:
                for photo in photos[turn:] + photos[:turn]:
                    made = remote.trace(asked, model, photo)
                    wrong.extend(differences(expected[model.name, photo.name], made))

        people = [threading.Thread(target=server, args=(turn % 3,)) for turn in range(6)]
        for person in people:
            person.start()
        for person in people:
            person.join(120)
    assert wrong == []


def test_only_networks_of_the_catalogue_are_sent() -> None:
    from vision_core.surgery import Plan, operate
    from vision_core.surgery.plan import Round

    for name in ("yolo_s", "pose_heatmap_s", "mask_rcnn_s"):
        model = models.load(name, device="cpu")
        assert travelling.in_catalogue(model)
        assert not travelling.in_catalogue(replace(model, fingerprint="0" * 64))
    assert not travelling.in_catalogue(models.load("resnet_s", device="cpu", random_seed=0))
    model = models.load("resnet_s", device="cpu")
    assert not travelling.in_catalogue(model.module)
    assert not travelling.in_catalogue(operate.operate(model, Plan((Round("float16"),))))
