from __future__ import annotations

import fcntl
import hashlib
import http.server
import threading
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from vision_core.errors import UserError, WeightsMissing
from vision_core.models import card, weights

BODY = bytes(range(256)) * 9000  # 2.3 MB: three pieces
DIGEST = hashlib.sha256(BODY).hexdigest()


@pytest.fixture(autouse=True)
def own_hub(tmp_path, monkeypatch):
    """A hub cache of the test's own, and no folder of the user's."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    return tmp_path / "hub" / "checkpoints"


@pytest.fixture
def entry():
    return replace(card("resnet18"), filename=f"r-{DIGEST[:8]}.pth", sha256=DIGEST[:8])


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "mirror.bin"
    file.write_bytes(BODY)
    return file.as_uri()


def test_download_is_whole_verified_and_tells_its_progress(entry, source, own_hub):
    seen = []
    file = weights.download(entry, progress=lambda *p: seen.append(p), url=source)
    assert file == own_hub / entry.filename and file.read_bytes() == BODY
    assert [d for d, _ in seen] == [1 << 20, 2 << 20, len(BODY)]
    assert {t for _, t in seen} == {len(BODY)}
    assert [p.name for p in own_hub.iterdir()] == [entry.filename]
    assert weights.status(entry) == "cached" and weights.verify(entry, file) == DIGEST


def test_a_second_download_fetches_nothing(entry, source):
    weights.download(entry, url=source)
    assert weights.download(entry, url="file:///no/such/file").read_bytes() == BODY


def test_what_is_not_the_right_file_is_thrown_away(entry, source, own_hub):
    wrong = replace(entry, sha256="00000000")
    with pytest.raises(UserError, match=r"not the weights of resnet18.*try again"):
        weights.download(wrong, url=source)
    assert list(own_hub.iterdir()) == []


@pytest.mark.parametrize("url", ["file:///no/such/file", "http://127.0.0.1:9/x"])
def test_no_network_is_one_sentence_and_leaves_nothing(entry, url, own_hub):
    with pytest.raises(UserError, match=r"could not be downloaded.*check the network") as caught:
        weights.download(entry, url=url)
    assert "\n" not in str(caught.value)
    assert list(own_hub.iterdir()) == []


class Shaky(http.server.BaseHTTPRequestHandler):
    """Sends ``BODY``, or the rest that is asked for, and hangs up after ``most`` bytes of each."""

    most = 1_000_000
    ranges = True
    asked: ClassVar[list[str | None]] = []

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        if start >= len(BODY):
            self.send_error(416)
            return
        self.send_response(206 if wanted and self.ranges else 200)
        self.send_header("Content-Length", str(len(BODY) - start))
        self.end_headers()
        self.wfile.write(BODY[start : start + self.most])

    def log_message(self, *args):
        pass


@pytest.fixture
def server(request):
    """A file server that breaks off; parameters change its manners."""
    manners = getattr(request, "param", {})
    handler = type("Handler", (Shaky,), {"asked": [], **manners})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/file", handler
        running.shutdown()


def test_a_connection_that_breaks_is_taken_up_where_it_stopped(entry, server, own_hub):
    url, handler = server
    seen = []
    file = weights.download(entry, progress=lambda *p: seen.append(p), url=url)
    assert file.read_bytes() == BODY
    assert handler.asked == [None, "bytes=1000000-", "bytes=2000000-"]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert {total for _, total in seen} == {len(BODY)}
    assert [p.name for p in own_hub.iterdir()] == [entry.filename]


@pytest.mark.parametrize("server", [{"ranges": False, "most": 10**9}], indirect=True)
def test_a_server_without_ranges_sends_the_whole_again(entry, server, own_hub):
    url, handler = server
    own_hub.mkdir(parents=True)
    (own_hub / f".{entry.filename}.part").write_bytes(BODY[:500])
    assert weights.download(entry, url=url).read_bytes() == BODY
    assert handler.asked == ["bytes=500-"]


@pytest.mark.parametrize("server", [{"most": 0}], indirect=True)
def test_a_server_that_sends_nothing_is_given_up(entry, server, own_hub):
    url, handler = server
    with pytest.raises(UserError, match="closed after 0 of"):
        weights.download(entry, url=url)
    assert list(own_hub.iterdir()) == [] and len(handler.asked) == 1


def test_what_came_is_kept_for_the_next_call(entry, server, own_hub):
    url, handler = server

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        weights.download(entry, progress=stop, url=url)
    (half,) = own_hub.iterdir()
    have = half.stat().st_size
    assert half.name.endswith(".part") and 0 < have < len(BODY)
    assert weights.find(entry) is None
    assert weights.download(entry, url=url).read_bytes() == BODY
    assert handler.asked[1] == f"bytes={have}-"
    assert [p.name for p in own_hub.iterdir()] == [entry.filename]


@pytest.mark.parametrize("server", [{"most": 10**9}], indirect=True)
@pytest.mark.parametrize("left", [len(BODY), len(BODY) + 7])
def test_a_leftover_that_is_too_long_is_begun_anew(entry, server, own_hub, left):
    url, _ = server
    own_hub.mkdir(parents=True)
    (own_hub / f".{entry.filename}.part").write_bytes(b"x" * left)
    assert weights.download(entry, url=url).read_bytes() == BODY


@pytest.mark.parametrize("server", [{"most": 10**9}], indirect=True)
def test_a_leftover_of_another_file_is_found_out_and_thrown_away(entry, server, own_hub):
    url, _ = server
    own_hub.mkdir(parents=True)
    (own_hub / f".{entry.filename}.part").write_bytes(b"x" * 100)
    with pytest.raises(UserError, match="not the weights of resnet18"):
        weights.download(entry, url=url)
    assert list(own_hub.iterdir()) == []
    assert weights.download(entry, url=url).read_bytes() == BODY


def test_another_process_on_the_same_file_has_a_part_of_its_own(entry, source, own_hub):
    own_hub.mkdir(parents=True)
    held = own_hub / f".{entry.filename}.part"
    with held.open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert weights.download(entry, url=source).read_bytes() == BODY
        assert held.stat().st_size == 0


def test_two_users_at_once_fetch_one_file(entry, source, monkeypatch):
    real, fetched = weights.fetch, []

    def counted(*args, **named):
        fetched.append(args)
        real(*args, **named)

    monkeypatch.setattr(weights, "fetch", counted)
    threads = [
        threading.Thread(target=weights.download, args=(entry,), kwargs={"url": source})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1 and weights.find(entry).read_bytes() == BODY


def test_the_cache_is_looked_at_before_the_users_folder(entry, tmp_path, monkeypatch, own_hub):
    mine = tmp_path / "mine"
    mine.mkdir()
    assert weights.find(entry, mine) is None and weights.status(entry, mine) == "downloadable"
    (mine / entry.filename).write_bytes(BODY)
    assert weights.find(entry, mine) == mine / entry.filename
    assert weights.find(entry) is None
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(mine))
    assert weights.find(entry) == mine / entry.filename
    own_hub.mkdir(parents=True)
    (own_hub / entry.filename).write_bytes(BODY)
    assert weights.find(entry) == own_hub / entry.filename


def test_a_folder_that_cannot_be_made(entry, source, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="could not be downloaded"):
        weights.download(entry, tmp_path / "file" / "below", url=source)


def test_missing_weights_name_the_command_and_the_bundled_model():
    with pytest.raises(WeightsMissing) as caught:
        weights.require(card("maskrcnn_resnet50_fpn"))
    text = str(caught.value)
    assert "python -m vision_core weights download maskrcnn_resnet50_fpn" in text
    assert "mask_rcnn_s" in text and "170 MB" in text
    assert caught.value.card.name == "maskrcnn_resnet50_fpn"


def test_damaged_files_are_found(entry, source, tmp_path):
    file = weights.download(entry, url=source)
    damaged = bytearray(BODY)
    damaged[1000] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(UserError, match="delete it and run python -m vision_core weights"):
        weights.verify(entry, file)
    with pytest.raises(UserError, match="cannot be read"):
        weights.verify(entry, tmp_path / "gone")


def test_bundled_weights_are_what_their_cards_say():
    for name in ("fcos_s", "fcn_voc_s", "pose_heatmap_s", "resnet_s"):
        entry = card(name)
        file = weights.find(entry)
        assert isinstance(file, Path) and weights.verify(entry, file) == entry.sha256
        assert weights.status(entry) == "bundled" and weights.download(entry) == file


def test_missing_bundled_weights_are_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "ASSETS", tmp_path)
    with pytest.raises(WeightsMissing, match="restore them from the repository"):
        weights.require(card("fcos_s"))


def test_the_lecture_set_has_a_model_of_each_task():
    names = weights.LECTURE_SET
    assert {card(name).task for name in names} >= {
        "detection",
        "instance",
        "keypoint",
        "segmentation",
        "classification",
    }
    assert [entry.name for entry in weights.lecture_set()] == list(names)


def test_a_full_size_model_is_the_default_where_it_is(own_hub):
    assert weights.default_for_page("detection").name == "fcos_s"
    own_hub.mkdir(parents=True)
    slow, fast = card("fasterrcnn_mobilenet_v3_large_fpn"), card("ssdlite320_mobilenet_v3_large")
    (own_hub / slow.filename).write_bytes(b"")
    assert weights.default_for_page("detection") == slow
    (own_hub / fast.filename).write_bytes(b"")
    assert weights.default_for_page("detection") == fast
    assert fast not in weights.lecture_set() and slow not in weights.lecture_set()
    assert weights.default_for_page("pose").name == "pose_heatmap_s"
