from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.functional import pil_to_tensor, to_tensor

from vision_core import devices
from vision_core.errors import UserError
from vision_core.images import from_array

PHOTO = from_array(np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [
        (False, False, ("cpu",)),
        (True, False, ("cuda", "cpu")),
        (False, True, ("mps", "cpu")),
        (True, True, ("cuda", "mps", "cpu")),
    ],
)
def test_auto_takes_cuda_then_mps_then_cpu(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert devices.available() == expected
    assert devices.resolve("auto").type == expected[0]
    for kind in ("cuda", "mps"):
        if kind in expected:
            assert devices.resolve(kind).type == kind
        else:
            with pytest.raises(UserError, match=f"no {kind.upper()} device.*choose auto or"):
                devices.resolve(kind)


@pytest.mark.parametrize("name", ["gpu", "", "tpu", "cpu:x", "CPU"])
def test_unknown_devices_are_refused(name):
    with pytest.raises(UserError, match="There is no device"):
        devices.resolve(name)


def test_cpu_in_words():
    assert devices.describe("cpu").startswith("CPU, ")


@pytest.mark.parametrize("array", [PHOTO.pixels, PHOTO.pixels[:1, :1]])
def test_tensors_are_torchvisions_own(array, recwarn):
    photo, image = from_array(array), Image.fromarray(array)
    assert torch.equal(devices.image_tensor(photo, "cpu"), to_tensor(image))
    assert torch.equal(devices.uint8_tensor(photo, "cpu"), pil_to_tensor(image))
    devices.uint8_tensor(photo, "cpu").zero_()
    assert (photo.pixels == array).all()
    assert not recwarn.list


def test_one_forward_at_a_time():
    inside, most = 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        with devices.forward_slot():
            with guard:
                inside += 1
                most = max(most, inside)
            time.sleep(0.005)
            with guard:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_the_slot_nests_and_is_free_again_after_an_error():
    with pytest.raises(RuntimeError), devices.forward_slot(), devices.forward_slot():
        raise RuntimeError
    done = threading.Event()

    def work() -> None:
        with devices.forward_slot():
            done.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(30)
    assert done.is_set()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_tensors_on_cuda_agree_with_the_cpu():
    there = devices.image_tensor(PHOTO, devices.resolve("cuda"))
    assert there.device.type == "cuda"
    assert torch.allclose(there.cpu(), devices.image_tensor(PHOTO, "cpu"), atol=1e-6)
