"""Small files that ask for much memory or time: refused in one sentence, or decoded within bounds.

Memory is the peak of a process of its own, above what it held before it decoded.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests import picture_files as files
from vision_core import budget, images
from vision_core.errors import UserError
from vision_core.images import decode

MOST = 600_000_000  # bytes above what the process held before
# The peak of this program alone: ru_maxrss would begin with that of the process that started it.
MEASURE = """
import sys
from tests import picture_files as files
from vision_core import budget
from vision_core.images import decode
budget.MAX_SECONDS = 600  # only memory is looked at; a busy machine takes long
def peak():
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))
decode(files.rgb_file("PNG"))
data = sys.stdin.buffer.read()
before = peak()
photo = decode(data)
print(peak() - before, photo.width, photo.height)
"""
SIDE = 10_000


def shared(width: int, height: int, bits: tuple[int, ...], **options: int) -> bytes:
    """A TIFF file of few bytes; all its strips are the same random row."""
    row = np.random.default_rng(0).integers(0, 256, width * sum(bits) // 8, dtype=np.uint8)
    return files.shared_strips(width, height, bits, row.tobytes(), **options)


def png(width: int, height: int, depth: int, colour: int) -> bytes:
    samples = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    return files.png_of_rows(width, height, depth, colour, bytes(width * samples * depth // 8))


def lzw(mode: str, width: int, height: int) -> bytes:
    return files.saved(Image.new(mode, (width, height)), "TIFF", compression="tiff_deflate")


# As large as each kind may be.
ACCEPTED = {
    "16-bit RGBA TIFF": lambda: shared(7200, 7200, (16,) * 4, photometric=2),
    "32-bit integer TIFF": lambda: shared(SIDE, SIDE, (32,)),
    "float TIFF": lambda: shared(SIDE, SIDE, (32,), sample_format=3),
    "16-bit grey TIFF": lambda: shared(SIDE, SIDE, (16,)),
    "RGB TIFF, compressed": lambda: lzw("RGB", 7200, 7200),
    "16-bit RGB PNG": lambda: png(7200, 7200, 16, 2),
    "RGB PNG": lambda: png(SIDE, SIDE, 8, 2),
    "RGBA PNG": lambda: png(SIDE, SIDE, 8, 6),
    "grey and alpha PNG": lambda: png(SIDE, SIDE, 8, 4),
    "16-bit grey PNG": lambda: png(SIDE, SIDE, 16, 0),
    "one row": lambda: png(1_000_000, 60, 8, 2),
    "progressive JPEG": lambda: files.jpeg_of_scans(SIDE, SIDE, 80),
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_accepted_stays_within_600_mb(name):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], input=ACCEPTED[name](), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    used, width, height = map(int, done.stdout.split())
    assert 20_000_000 < used <= MOST
    assert width * height <= images.MAX_PIXELS


REFUSED = {
    "16-bit RGBA TIFF": (lambda: shared(9999, SIDE, (16,) * 4, photometric=2), "800 MB"),
    "16-bit RGB PNG": (lambda: png(SIDE, SIDE, 16, 2), "800 MB"),
    "turned TIFF": (
        lambda: files.with_orientation(Image.new("RGB", (SIDE, 6000)), 6, "TIFF"),
        "480 MB",
    ),
    "WebP": (lambda: files.saved(Image.new("RGB", (8000, 4000)), "WEBP"), "512 MB"),
    "JPEG scans": (lambda: files.jpeg_of_scans(64, 64, 5000), "scans"),
    "TIFF strips": (lambda: files.shared_strips(1, 200_000, (8,), b"\0"), "200,000 pieces"),
    "JPEG segments": (lambda: b"\xff\xd8" + b"\xff\xfe\0\2" * 20_000 + b"\xff\xd9", "segments"),
    "JPEG coefficients": (
        lambda: files.jpeg_of_scans(8, 8, 0).replace(
            b"\0\x08\0\x08\x03\x01\x22", b"\x27\x10\x27\x10\x03\x01\x11"
        ),
        "MB",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_sentence_before_any_pixel_is_decoded(name, monkeypatch):
    data, words = REFUSED[name][0](), REFUSED[name][1]
    monkeypatch.setattr("PIL.Image.Image.load", None)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
    with pytest.raises(UserError) as caught:
        decode(data, "small.bin")
    sentence = str(caught.value)
    assert sentence.startswith("small.bin ") and sentence.endswith("try again.")
    assert words in sentence and "\n" not in sentence and "damaged" not in sentence


def test_progressive_pictures_of_usual_encoders_are_read():
    data = files.jpeg_of_scans(64, 48, 0)
    scans, coefficients = budget.jpeg_scans(data)
    assert scans == data.count(b"\xff\xda") > 3
    assert coefficients == 64 * 48 * 3  # 4:2:0, one and a half samples a pixel, two bytes each
    assert budget.jpeg_scans(files.rgb_file("JPEG")) == (1, 0)
    assert decode(data).width == 64


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_the_clock_stops_any_decoder(kind, monkeypatch):
    """The time is that of the thread: here it is over as soon as the file is opened."""
    monkeypatch.setattr(budget, "MAX_SECONDS", -1.0)
    with pytest.raises(UserError, match="takes too long to decode"):
        decode(files.rgb_file(kind), "slow")


def test_the_clock_is_read_while_pixels_are_decoded(monkeypatch):
    """A second a reading: opening is in time, the data are not."""
    noise = np.random.default_rng(0).integers(0, 256, (800, 800, 3), dtype=np.uint8)
    data, clock = files.rgb_file("JPEG", noise, progressive=True, quality=95), [0.0]

    def tick() -> float:
        clock[0] += 1
        return clock[0]

    monkeypatch.setattr(budget.time, "thread_time", tick)
    monkeypatch.setattr(budget, "MAX_SECONDS", 10_000.0)
    with budget.ClockedFile(data) as file, Image.open(file):
        opening = clock[0]
    assert decode_with(monkeypatch, data, 10_000).width == 800
    with pytest.raises(UserError, match="takes too long"):
        decode_with(monkeypatch, data, opening + 20)


def decode_with(monkeypatch, data, seconds):
    monkeypatch.setattr(budget, "MAX_SECONDS", float(seconds))
    return decode(data, "slow")


def test_counting_frames_does_not_walk_through_them():
    """Only whether there is a second one is asked for."""
    frames = [
        Image.fromarray(np.full((4, 4, 3), i % 2 * 255, np.uint8)).quantize(4) for i in range(300)
    ]
    data = files.saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    reads = []

    class Counted(budget.ClockedFile):
        def read(self, size=-1, /):
            reads.append(size)
            return super().read(size)

    image = Image.open(Counted(data))
    assert images._is_animated(image)
    assert len(reads) < 100
