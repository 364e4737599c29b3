from __future__ import annotations

import socket

import pytest
import skimage.data
from sklearn.datasets import load_sample_image

from vision_core import samples
from vision_core.errors import UserError


def test_samples_are_the_packages_own_pictures(monkeypatch):
    def no_network(*args, **kwargs):
        raise AssertionError("a sample was fetched from the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    samples.sample.cache_clear()
    assert (samples.sample("cat").pixels == skimage.data.chelsea()).all()
    assert (samples.sample("astronaut").pixels == skimage.data.astronaut()).all()
    assert (samples.sample("china").pixels == load_sample_image("china.jpg")).all()


@pytest.mark.parametrize("entry", samples.SAMPLES, ids=lambda s: s.name)
def test_each_sample_decodes_and_names_its_source(entry):
    assert entry.name in samples.names()
    photo = samples.sample(entry.name)
    assert min(photo.width, photo.height) >= 300 and photo.notes == ()
    assert entry.title and "distributed with" in samples.info(entry.name).credit


def test_a_package_that_is_not_installed_is_skipped_with_a_sentence(monkeypatch):
    gone = samples.Sample("gone", "Gone", "nobody", "no_such_package", "data/gone.png")
    monkeypatch.setattr(samples, "SAMPLES", (*samples.SAMPLES, gone))
    samples.names.cache_clear()
    try:
        assert "gone" not in samples.names() and "cat" in samples.names()
        with pytest.raises(UserError, match=r"no_such_package.*pip install"):
            samples.sample("gone")
    finally:
        samples.names.cache_clear()


def test_an_unknown_sample_lists_the_known_ones():
    with pytest.raises(UserError, match=r"'zebra'.*cat.*flower"):
        samples.sample("zebra")
