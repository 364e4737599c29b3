"""What all tests share."""

from __future__ import annotations

import os

import pytest
import torch
from hypothesis import settings

from vision_core import samples
from vision_core.images import Photo

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if WORKERS > 1:  # each has its share of the cores, and so have the programs that its tests start
    torch.set_num_threads(max(1, torch.get_num_threads() // WORKERS))
    os.environ["OMP_NUM_THREADS"] = str(torch.get_num_threads())

# How long an example takes says nothing on a machine that others use, too.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

SLOWEST = ("tests/pages/test_every_widget.py", "tests/browser/test_journeys.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the slowest tests: others fill the time of the processes that are done sooner."""
    items.sort(key=lambda item: not item.nodeid.startswith(SLOWEST))


@pytest.fixture(autouse=True)
def _same_random_numbers_for_every_test():
    """A test gives the same result alone and after any other."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def cat() -> Photo:
    """scikit-image's cat, 451 x 300."""
    return samples.sample("cat")
