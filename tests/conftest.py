"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings

from tests import drawing
from vision_core import samples
from vision_core.images import Photo

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if WORKERS > 1:  # each has its share of the cores, and so have the programs that its tests start
    torch.set_num_threads(max(1, torch.get_num_threads() // WORKERS))
    os.environ["OMP_NUM_THREADS"] = str(torch.get_num_threads())

# How long an example takes says nothing on a machine that others use, too.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

FIRST = ("tests/browser/test_journeys.py", "tests/browser/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the slowest tests, those of the browser: all of them go to one process.

    The others take from the end of its share. So nearly always one browser and one app are enough.
    """
    items.sort(key=lambda item: [not item.nodeid.startswith(first) for first in FIRST])


@pytest.fixture(scope="session", autouse=True)
def _large_weights_from_a_table() -> Iterator[None]:
    with drawing.from_a_table():
        yield


@pytest.fixture(autouse=True)
def _same_random_numbers_for_every_test():
    """A test gives the same result alone and after any other."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def cat() -> Photo:
    """scikit-image's cat, 451 x 300."""
    return samples.sample("cat")
