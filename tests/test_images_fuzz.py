"""Thousands of damaged files: the only outcomes are a photo or a sentence."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests import picture_files as files
from vision_core.errors import UserError
from vision_core.images import Photo, decode


def mutations(count: int, seed: int) -> list[tuple[str, bytes]]:
    """Seed files with flipped bits, cut ends, holes, runs, pieces of other files."""
    rng = np.random.default_rng(seed)
    pool = files.seeds()
    names, out = list(pool), []
    for i in range(count):
        name = names[i % len(names)]
        data = bytearray(pool[name])
        for _ in range(rng.integers(1, 4)):
            if len(data) < 9:
                break
            at = int(rng.integers(len(data)))
            match rng.integers(7):
                case 0:
                    data[at] ^= 1 << int(rng.integers(8))
                case 1:
                    data[at] = int(rng.integers(256))
                case 2:
                    data = data[: max(at, 8)]
                case 3:
                    other = pool[names[int(rng.integers(len(names)))]]
                    data = data[:at] + other[int(rng.integers(len(other))) :]
                case 4:
                    del data[at : at + int(rng.integers(1, 9))]
                case 5:
                    data[at : at + 4] = b"\xff" * 4
                case 6:
                    head = int(rng.integers(min(len(data), 64)))
                    data[head] = int(rng.integers(256))
        out.append((name, bytes(data)))
    return out


def check_fuzz(count: int, seed: int) -> int:
    """Decode mutated files; returns how many became photos. Anything but UserError escapes."""
    photos = 0
    for name, data in mutations(count, seed):
        try:
            photo = decode(data, name)
        except UserError as error:
            assert "\n" not in str(error) and str(error).endswith(".")
            continue
        photos += 1
        assert isinstance(photo, Photo) and photo.pixels.dtype == np.uint8
        assert photo.pixels.shape == (photo.height, photo.width, 3)
    return photos


FUZZ = "from tests.test_images_fuzz import check_fuzz; print(check_fuzz({count}, {seed}))"


@pytest.mark.parametrize(
    ("count", "seed"), [(3000, 1), pytest.param(60_000, 2, marks=pytest.mark.long)]
)
def test_mutated_files_give_a_photo_or_a_sentence_and_no_chatter(count, seed):
    """In a process of its own with warnings on: nothing may reach standard error."""
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", FUZZ.format(count=count, seed=seed)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == ""
    photos = int(done.stdout)
    assert count / 20 < photos < count * 19 / 20  # both outcomes happen


def test_unmutated_files_all_decode():
    for name, data in files.seeds().items():
        photo = decode(data, name)
        assert {photo.width, photo.height} == {files.WIDTH, files.HEIGHT}, name
