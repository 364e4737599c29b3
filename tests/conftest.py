"""What all tests share."""

from __future__ import annotations

import pytest
import torch

from vision_core import samples
from vision_core.images import Photo


@pytest.fixture(autouse=True)
def _same_random_numbers_for_every_test():
    """A test gives the same result alone and after any other."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def cat() -> Photo:
    """scikit-image's cat, 451 x 300."""
    return samples.sample("cat")
