"""Which device the networks run on, and the one place where tensors move there."""

from __future__ import annotations

import platform
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch

from vision_core.errors import UserError
from vision_core.queueing import FairSlot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vision_core.images import Photo

CHOICES = ("auto", "cpu", "cuda", "mps")

# One forward pass at a time: thirty users who run side by side on the same cores or the same GPU
# would each wait longer than in a queue, and need thirty times the memory.
slot = FairSlot()
_holds = threading.local()


def available() -> tuple[str, ...]:
    """The devices of this machine, best first: ``cuda``, ``mps``, ``cpu``."""
    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return (*found, "cpu")


def resolve(name: str = "auto") -> torch.device:
    """The torch device for ``auto``, ``cpu``, ``cuda`` or ``mps``; auto takes the best there is.

    Raises:
        UserError: an unknown name, or a device that this machine does not have.
    """
    text = str(name)
    kind = text.partition(":")[0]
    here = available()
    if kind == "auto":
        return torch.device(here[0])
    if kind not in CHOICES:
        raise UserError(f"There is no device {text!r}; choose one of {', '.join(CHOICES)}.")
    if kind not in here:
        raise UserError(
            f"This machine has no {kind.upper()} device that PyTorch can use; "
            f"choose {' or '.join(('auto', *here))}."
        )
    try:
        return torch.device(text)
    except RuntimeError:
        raise UserError(f"There is no device {text!r}; choose one of {', '.join(here)}.") from None


def describe(device: torch.device | str) -> str:
    """A device in words, e.g. ``CPU, 2 threads`` or ``NVIDIA H100 80GB HBM3``."""
    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return f"Apple GPU ({platform.machine()})"
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads != 1 else ''}"


@contextmanager
def forward_slot() -> Iterator[None]:
    """Hold this around every forward or backward pass; the others wait. Nesting is allowed.

    The line is that of ``queueing.FairSlot``: see ``patiently``.
    """
    if getattr(_holds, "depth", 0):
        _holds.depth += 1
        try:
            yield
        finally:
            _holds.depth -= 1
        return
    with slot.turn(patient=getattr(_holds, "patient", False)):
        _holds.depth = 1
        try:
            yield
        finally:
            _holds.depth = 0


@contextmanager
def patiently() -> Iterator[None]:
    """Within it this thread's passes let shorter work go first: for steps of long computations."""
    before = getattr(_holds, "patient", False)
    _holds.patient = True
    try:
        yield
    finally:
        _holds.patient = before


def uint8_tensor(photo: Photo, device: torch.device | str) -> torch.Tensor:
    """The photo as a 3xHxW uint8 tensor, contiguous, on the device."""
    planes = np.ascontiguousarray(photo.pixels.transpose(2, 0, 1))
    if not planes.flags.writeable:  # 1x1 pictures are contiguous either way
        planes = planes.copy()
    return torch.from_numpy(planes).to(device)


def image_tensor(photo: Photo, device: torch.device | str) -> torch.Tensor:
    """The photo as a 3xHxW float32 tensor in 0..1 on the device, as torchvision's models want it.

    Bit for bit what ``torchvision.transforms.functional.to_tensor`` gives.
    """
    return uint8_tensor(photo, device).to(torch.float32).div(255)
