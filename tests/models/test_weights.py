from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from pathlib import Path

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


def test_a_connection_that_breaks_leaves_nothing(entry, source, own_hub, monkeypatch):
    real, calls = weights._copy, []

    def broken(reply, stream, total, progress):
        calls.append(stream.write(reply.read(100_000)))
        raise ConnectionResetError("connection reset")

    monkeypatch.setattr(weights, "_copy", broken)
    with pytest.raises(UserError, match="connection reset"):
        weights.download(entry, url=source)
    assert calls == [100_000] and list(own_hub.iterdir()) == []
    monkeypatch.setattr(weights, "_copy", real)
    assert weights.download(entry, url=source).read_bytes() == BODY


def test_a_short_answer_is_noticed(entry, source, monkeypatch, own_hub):
    def short(reply, stream, total, progress):
        return stream.write(reply.read(5))

    monkeypatch.setattr(weights, "_copy", short)
    with pytest.raises(UserError, match="closed after 5 of"):
        weights.download(entry, url=source)
    assert list(own_hub.iterdir()) == []


def test_an_interrupted_download_leaves_nothing(entry, source, own_hub):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        weights.download(entry, progress=stop, url=source)
    assert list(own_hub.iterdir()) == []


def test_two_users_at_once_fetch_one_file(entry, source, monkeypatch):
    real, fetched = weights._fetch, []

    def counted(*args):
        fetched.append(args)
        real(*args)

    monkeypatch.setattr(weights, "_fetch", counted)
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
