from __future__ import annotations

import hashlib
import socket

import pytest
from sklearn.datasets import load_sample_image

from vision_core import samples
from vision_core.errors import UserError

REGISTRY = {  # the hashes that scikit-image publishes for its pictures
    "cat": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "astronaut": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "coffee": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "photographer": "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
}
FREE = {"public domain", "CC0", "CC BY 2.0"}


@pytest.mark.parametrize("name", REGISTRY)
def test_pictures_of_scikit_image_keep_their_bytes(name):
    assert hashlib.sha256(samples.info(name).file.read_bytes()).hexdigest() == REGISTRY[name]


@pytest.mark.parametrize("name", ["china", "flower"])
def test_pictures_of_scikit_learn_are_the_same(name):
    assert (samples.sample(name).pixels == load_sample_image(f"{name}.jpg")).all()


def test_samples_need_no_network(monkeypatch):
    def no_network(*args, **kwargs):
        raise AssertionError("a sample was fetched from the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    samples.sample.cache_clear()
    assert samples.sample("cat").pixels.shape == (300, 451, 3)


@pytest.mark.parametrize("entry", samples.SAMPLES, ids=lambda s: s.name)
def test_each_sample_decodes_and_names_author_licence_and_source(entry):
    assert entry.name in samples.names()
    photo = samples.sample(entry.name)
    assert min(photo.width, photo.height) >= 300 and photo.notes == ()
    assert entry.title and entry.author and entry.source and entry.licence in FREE
    assert entry.author in entry.credit and entry.licence in entry.credit


def test_no_picture_lies_there_without_its_row():
    files = {f.name for f in samples.ASSETS.iterdir()}
    assert files == {"samples.json", *(entry.file.name for entry in samples.SAMPLES)}


def test_an_unknown_sample_lists_the_known_ones():
    with pytest.raises(UserError, match=r"'zebra'.*cat.*flower"):
        samples.sample("zebra")
