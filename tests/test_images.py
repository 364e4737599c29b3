from __future__ import annotations

import hashlib
import io

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from tests import picture_files as files
from vision_core import images
from vision_core.errors import UserError
from vision_core.images import decode, from_array

RGB = files.pattern()
IMAGE = Image.fromarray(RGB)
WIDE = np.random.default_rng(0).integers(0, 65536, (8, 12, 3), dtype=np.uint16)
RAMP = np.linspace(0, 65535, 96).astype(np.uint16).reshape(8, 12)


def by_257(values: np.ndarray) -> np.ndarray:
    return np.rint(values.astype(np.float64) / 257).astype(np.uint8)


def grey(values: np.ndarray) -> np.ndarray:
    return np.dstack([values] * 3)


def on_white(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    a = alpha[..., None].astype(np.float64) / 255
    return np.rint(rgb * a + 255 * (1 - a)).astype(np.uint8)


ALPHA = np.tile(np.linspace(0, 255, 12).astype(np.uint8), (8, 1))
RGBA = np.dstack([RGB, ALPHA])
INKS = np.dstack([255 - RGB, np.zeros((8, 12), np.uint8)])  # cyan, magenta, yellow; no black
FLOAT = np.linspace(-3, 9, 96, dtype=np.float32).reshape(8, 12)
HOLES = FLOAT.copy()
HOLES[0, 0], HOLES[0, 1], HOLES[0, 2] = np.nan, np.inf, -np.inf
HOLES_SEEN = np.rint((FLOAT - FLOAT[0, 3]) / (9 - FLOAT[0, 3]) * 255).clip(0, 255)
HOLES_SEEN[0, :3] = 0, 255, 0
PALETTE = IMAGE.quantize(8)
FIRST_BROWN = (np.asarray(PALETTE) == 0).astype(np.uint8) * 255

# name, file, expected pixels, greatest difference, words in a note
READ = [
    ("JPEG", files.rgb_file("JPEG", quality=98, subsampling=0), RGB, 4, None),
    (
        "progressive JPEG",
        files.rgb_file("JPEG", quality=98, subsampling=0, progressive=True),
        RGB,
        4,
        None,
    ),
    (
        "grey JPEG",
        files.saved(IMAGE.convert("L"), "JPEG", quality=98),
        grey(np.asarray(IMAGE.convert("L"))),
        4,
        None,
    ),
    (
        "CMYK JPEG, inverted as Adobe writes it",
        files.saved(Image.fromarray(INKS, "CMYK"), "JPEG", quality=98, subsampling=0),
        RGB,
        6,
        "CMYK",
    ),
    ("CMYK TIFF", files.tiff(INKS, photometric="separated"), RGB, 1, "CMYK"),
    (
        "MPO, as cameras write it",
        files.saved(IMAGE, "MPO", save_all=True, append_images=[IMAGE], quality=98, subsampling=0),
        RGB,
        4,
        None,
    ),
    ("PNG", files.cv_png(RGB), RGB, 0, None),
    ("grey PNG", files.cv_png(RGB[..., 0]), grey(RGB[..., 0]), 0, None),
    ("RGBA", files.cv_png(RGBA), on_white(RGB, ALPHA), 1, "on white"),
    ("RGBA, all opaque", files.cv_png(np.dstack([RGB, np.full_like(ALPHA, 255)])), RGB, 0, None),
    (
        "LA",
        files.saved(Image.merge("LA", [IMAGE.getchannel(0), Image.fromarray(ALPHA)]), "PNG"),
        on_white(grey(RGB[..., 0]), ALPHA),
        1,
        "on white",
    ),
    (
        "1 bit",
        files.saved(IMAGE.convert("1"), "PNG"),
        grey(np.asarray(IMAGE.convert("1")).astype(np.uint8) * 255),
        0,
        None,
    ),
    ("palette", files.saved(PALETTE, "PNG"), np.asarray(PALETTE.convert("RGB")), 0, None),
    (
        "palette with a transparent colour",
        files.saved(PALETTE, "PNG", transparency=0),
        on_white(np.asarray(PALETTE.convert("RGB")), 255 - FIRST_BROWN),
        0,
        "on white",
    ),
    (
        "RGB with a transparent colour",
        files.saved(IMAGE, "PNG", transparency=tuple(map(int, RGB[0, 0]))),
        np.where((RGB == RGB[0, 0]).all(2, keepdims=True), 255, RGB),
        0,
        "on white",
    ),
    ("16-bit RGB PNG", files.cv_png(WIDE), by_257(WIDE), 0, "divided by 257"),
    (
        "16-bit RGBA PNG, opaque",
        files.cv_png(np.dstack([WIDE, np.full((8, 12), 65535, np.uint16)])),
        by_257(WIDE),
        0,
        "divided by 257",
    ),
    ("16-bit grey PNG", files.cv_png(RAMP), grey(by_257(RAMP)), 0, "divided by 257"),
    (
        "16-bit grey TIFF, big-endian",
        files.tiff(RAMP.astype(">u2"), byteorder=">"),
        grey(by_257(RAMP)),
        0,
        "divided by 257",
    ),
    ("16-bit RGB TIFF", files.tiff(WIDE, photometric="rgb"), by_257(WIDE), 0, "divided by 257"),
    (
        "16-bit RGB TIFF, big-endian",
        files.tiff(WIDE.astype(">u2"), photometric="rgb", byteorder=">"),
        by_257(WIDE),
        0,
        "257",
    ),
    (
        "16-bit RGB TIFF, compressed",
        files.tiff(WIDE, photometric="rgb", compression="zlib", predictor=True),
        by_257(WIDE),
        0,
        "257",
    ),
    (
        "32-bit integers within 16 bits",
        files.tiff(RAMP.astype(np.int32)),
        grey(by_257(RAMP)),
        0,
        "257",
    ),
    (
        "32-bit integers within 8 bits",
        files.tiff(RGB[..., 0].astype(np.int32)),
        grey(RGB[..., 0]),
        0,
        None,
    ),
    (
        "32-bit integers, any",
        files.tiff(RAMP.astype(np.int32) * 7 - 1000),
        grey(np.rint(RAMP / 65535 * 255)),
        1,
        "stretched",
    ),
    (
        "float 0 to 1",
        files.tiff((RAMP / 65535).astype(np.float32)),
        grey(np.rint(RAMP / 257)),
        1,
        "multiplied by 255",
    ),
    ("float 0 to 255", files.tiff(RGB[..., 0].astype(np.float32)), grey(RGB[..., 0]), 0, "rounded"),
    ("float, any range", files.tiff(FLOAT), grey(np.rint((FLOAT + 3) / 12 * 255)), 1, "stretched"),
    ("float with NaN and infinities", files.tiff(HOLES), grey(HOLES_SEEN), 1, "not finite"),
    (
        "float, all NaN",
        files.tiff(np.full((8, 12), np.nan, np.float32)),
        np.zeros((8, 12, 3)),
        0,
        "not finite",
    ),
    ("WebP", files.rgb_file("WEBP", lossless=True), RGB, 0, None),
    ("GIF", files.saved(PALETTE, "GIF"), np.asarray(PALETTE.convert("RGB")), 0, None),
    (
        "animated GIF",
        files.saved(
            PALETTE,
            "GIF",
            save_all=True,
            append_images=[PALETTE.transpose(Image.Transpose.ROTATE_180)],
        ),
        np.asarray(PALETTE.convert("RGB")),
        0,
        "first of several",
    ),
    ("BMP", files.rgb_file("BMP"), RGB, 0, None),
    ("TIFF", files.tiff(RGB, photometric="rgb"), RGB, 0, None),
    (
        "TIFF in planes",
        files.tiff(RGB.transpose(2, 0, 1).copy(), photometric="rgb", planarconfig="separate"),
        RGB,
        0,
        None,
    ),
    ("TIFF with JPEG inside", files.rgb_file("TIFF", compression="jpeg", quality=98), RGB, 8, None),
    (
        "TIFF, two pages",
        files.tiff(np.stack([RGB, 255 - RGB]), photometric="rgb"),
        RGB,
        0,
        "first of several",
    ),
    ("1x1", files.cv_png(RGB[:1, :1]), RGB[:1, :1], 0, None),
]


@pytest.mark.parametrize(
    ("data", "expected", "most", "note"), [r[1:] for r in READ], ids=[r[0] for r in READ]
)
def test_every_kind_of_picture_becomes_rgb(data, expected, most, note):
    photo = decode(data, "photo")
    assert photo.pixels.shape == expected.shape and photo.pixels.dtype == np.uint8
    assert np.abs(photo.pixels.astype(int) - expected.astype(int)).max() <= most
    assert (photo.width, photo.height) == photo.source_size
    assert photo.sha256 == hashlib.sha256(data).hexdigest()
    if note is None:
        assert photo.notes == ()
    else:
        assert any(note in n for n in photo.notes)


def test_16_bit_agrees_with_two_other_readers():
    png = files.cv_png(WIDE)
    seen = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert (decode(png).pixels == by_257(seen)).all()
    lzw = cv2.imencode(".tiff", WIDE[..., ::-1])[1].tobytes()  # OpenCV writes LZW
    assert (decode(lzw).pixels == by_257(WIDE)).all()
    plain = files.tiff(WIDE, photometric="rgb")
    assert (decode(plain).pixels == by_257(tifffile.imread(io.BytesIO(plain)))).all()


DEEP = np.linspace(0, 4095, 96).astype(np.uint16).reshape(8, 12)
WHITE_IS_ZERO = np.sort(WIDE[..., 0].ravel()).reshape(8, 12)


def test_12_bit_tiff_white_is_4095():
    photo = decode(files.twelve_bit_tiff(DEEP))
    assert (photo.pixels == grey(np.rint(DEEP / 4095 * 255))).all()
    assert any("12-bit" in n for n in photo.notes)


def test_white_is_zero_is_no_negative():
    for data in (
        files.tiff(WHITE_IS_ZERO, photometric="miniswhite"),
        files.tiff(WHITE_IS_ZERO, photometric="miniswhite", compression="zlib"),
    ):
        assert (decode(data).pixels == grey(by_257(65535 - WHITE_IS_ZERO))).all()
    eight = files.tiff(RGB[..., 0], photometric="miniswhite")
    assert (decode(eight).pixels == grey(255 - RGB[..., 0])).all()


def test_a_transparent_grey_of_any_depth():
    """The key of PNG's tRNS chunk counts in the steps of the file (PNG 1.2, 4.2.1.1)."""
    data = files.with_png_chunk(files.cv_png(RAMP), b"tRNS", int(RAMP[0, 0]).to_bytes(2))
    expected = np.where(RAMP == RAMP[0, 0], 255, by_257(RAMP))
    assert (decode(data).pixels == grey(expected)).all()
    assert "transparent parts shown on white" in decode(data).notes
    for depth in (1, 2, 4, 8):
        row = np.packbits(np.arange(8) % 2 == 0).tobytes() * depth
        plain = files.png_of_rows(8, 2, depth, 0, row)
        seen = cv2.imdecode(np.frombuffer(plain, np.uint8), cv2.IMREAD_UNCHANGED)
        top = seen.max()
        key = int(top) * ((1 << depth) - 1) // 255
        photo = decode(files.with_png_chunk(plain, b"tRNS", key.to_bytes(2)))
        assert (photo.pixels == grey(np.where(seen == top, 255, seen))).all()
        assert "transparent parts shown on white" in photo.notes
        other = decode(files.with_png_chunk(plain, b"tRNS", (0).to_bytes(2)))
        assert (other.pixels == grey(np.where(seen == 0, 255, seen))).all()


def srgb_of_adobe(rgb: np.ndarray) -> np.ndarray:
    """The same colours in sRGB (IEC 61966-2-1), clipped to what it holds."""
    linear = (rgb / 255.0) ** files.ADOBE_GAMMA @ files.ADOBE_RGB.T @ np.linalg.inv(files.SRGB).T
    linear = linear.clip(0, 1)
    return 255 * np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_colour_profiles_are_converted_to_srgb(kind):
    options = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    photo = decode(files.rgb_file(kind, icc_profile=files.icc_profile(), **options))
    expected = srgb_of_adobe(RGB)
    assert np.abs(expected - RGB).max() > 20
    assert np.abs(photo.pixels - expected).max() <= (8 if kind == "JPEG" else 2)
    assert "colours converted to sRGB by the file's colour profile" in photo.notes


def test_profiles_of_grey_and_of_srgb_and_with_alpha():
    profile = files.icc_profile(b"GRAY")
    image = Image.fromarray(RGB[..., 0])
    linear = (RGB[..., 0] / 255) ** files.ADOBE_GAMMA
    expected = grey(
        255 * np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    )
    photo = decode(files.saved(image, "PNG", icc_profile=profile))
    assert np.abs(photo.pixels - expected).max() <= 2
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert decode(files.rgb_file("PNG", icc_profile=srgb)).notes == ()
    assert (decode(files.rgb_file("PNG", icc_profile=srgb)).pixels == RGB).all()
    half = Image.fromarray(RGBA)
    photo = decode(files.saved(half, "PNG", icc_profile=files.icc_profile()))
    assert np.abs(photo.pixels.astype(int) - on_white(srgb_of_adobe(RGB), ALPHA)).max() <= 2


@pytest.mark.parametrize(
    "profile", [b"nonsense", files.icc_profile()[:200], files.icc_profile(b"GRAY")]
)
def test_a_profile_of_no_use_is_noted_and_left_out(profile):
    photo = decode(files.rgb_file("PNG", icc_profile=profile))
    assert (photo.pixels == RGB).all()
    assert photo.notes == ("its colour profile is damaged or of another kind, and is not used",)


def test_lab_colour():
    """Grey does not depend on the white point: L* is the cube root of the luminance (CIE 1976)."""
    lightness = np.arange(5, 100, 5)
    stored = np.zeros((2, len(lightness), 3), np.uint8)
    stored[..., 0] = np.rint(lightness * 2.55)
    stored[1, :, 1] = 40  # a* > 0 is towards red
    photo = decode(files.tiff(stored, photometric="cielab"))
    linear = np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness / 903.3)
    srgb = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    assert np.abs(photo.pixels[0] - 255 * srgb[:, None]).max() < 3
    assert (photo.pixels[1, :15, 0].astype(int) > photo.pixels[1, :15, 1] + 30).all()
    assert any("Lab" in n for n in photo.notes)


# Where the file's first row and first column belong (EXIF 2.3, tag 274): for each orientation,
# the corners of the upright picture, clockwise from the top left, in terms of the stored
# corners: 0 top left, 1 top right, 2 bottom right, 3 bottom left.
CORNERS = {
    1: (0, 1, 2, 3),
    2: (1, 0, 3, 2),
    3: (2, 3, 0, 1),
    4: (3, 2, 1, 0),
    5: (0, 3, 2, 1),
    6: (3, 0, 1, 2),
    7: (2, 1, 0, 3),
    8: (1, 2, 3, 0),
}
COLOURS = ((250, 10, 10), (10, 250, 10), (10, 10, 250), (250, 250, 10))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_by_the_colours_of_the_corners(orientation, kind):
    stored = np.zeros((32, 48, 3), np.uint8)
    stored[:16, :24], stored[:16, 24:] = COLOURS[0], COLOURS[1]
    stored[16:, 24:], stored[16:, :24] = COLOURS[2], COLOURS[3]
    photo = decode(files.with_orientation(Image.fromarray(stored), orientation, kind))
    size = (48, 32) if orientation < 5 else (32, 48)
    assert (photo.width, photo.height) == size == photo.source_size
    seen = [photo.pixels[y, x] for y, x in ((2, 2), (2, -3), (-3, -3), (-3, 2))]
    for pixel, corner in zip(seen, CORNERS[orientation], strict=True):
        assert np.abs(pixel.astype(int) - COLOURS[corner]).max() < 30
    assert any("upright" in n for n in photo.notes) == (orientation != 1)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(value):
    assert decode(files.with_orientation(IMAGE, value)).width == files.WIDTH


def test_sixteen_bits_and_orientation_together():
    data = files.tiff(WIDE, photometric="rgb", extratags=[(274, "H", 1, 6, True)])
    assert (decode(data).pixels == np.rot90(by_257(WIDE), -1)).all()


@pytest.mark.parametrize(("width", "height"), [(3000, 2000), (10, 9000), (9000, 3)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "RGBA", "TIFF16"])
def test_large_pictures_are_shrunk_and_keep_their_look(width, height, kind):
    array = files.pattern(height, width)
    if kind == "TIFF16":
        data = files.tiff(array.astype(np.uint16) * 257, photometric="rgb")
    elif kind == "RGBA":
        data = files.cv_png(np.dstack([array, np.full(array.shape[:2], 255, np.uint8)]))
    else:
        data = files.rgb_file(kind, array)
    photo = decode(data, "big")
    assert photo.source_size == (width, height)
    assert photo.width * photo.height <= images.MAX_PIXELS
    assert max(photo.width, photo.height) <= images.MAX_SIDE
    assert min(photo.width, photo.height) >= 1
    assert abs(photo.width / photo.height / (width / height) - 1) < 0.5
    assert any(n.startswith(f"shrunk from {width} x {height}") for n in photo.notes)
    small = cv2.resize(array, (photo.width, photo.height), interpolation=cv2.INTER_AREA)
    assert np.abs(photo.pixels.astype(int) - small).mean() < 3


@pytest.mark.parametrize(("width", "height"), [(10, 4000), (4000, 10), (2400, 1600), (1, 1)])
def test_pictures_below_the_caps_keep_every_pixel(width, height):
    array = files.pattern(height, width)
    photo = decode(files.cv_png(array))
    assert photo.notes == () and (photo.pixels == array).all()


def test_a_shrunk_jpeg_that_is_also_turned():
    data = files.with_orientation(Image.fromarray(files.pattern(2000, 3000)), 6, "JPEG")
    photo = decode(data)
    assert photo.source_size == (2000, 3000) and photo.width < photo.height
    assert np.abs(photo.pixels[3, -4].astype(int) - files.pattern()[0, 0]).max() < 8


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"></svg>'
# file name, bytes, words that the sentence must have
REFUSED = [
    ("empty.jpg", b"", ("empty", "again")),
    ("notes.txt", b"Dear diary,\nno picture today.\n", ("text file", "choose")),
    ("umlaut.jpg", "Grüße aus Köln, kein Bild".encode(), ("text file", "choose")),
    ("drawing.svg", SVG, ("SVG", "PNG")),
    ("page.png", b"<!DOCTYPE html><html><body>404</body></html>", ("web page", "download")),
    ("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", ("HEIC", "JPEG")),
    ("photo.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", ("HEIC", "JPEG")),
    ("new.avif", b"\0\0\0\x1cftypavif\0\0\0\0", ("AVIF", "JPEG")),
    ("film.mp4", b"\0\0\0\x18ftypisom\0\0\0\0", ("video", "still")),
    ("paper.pdf", b"%PDF-1.7\n%\xe2\xe3", ("PDF", "PNG")),
    ("album.zip", b"PK\x03\x04\x14\0", ("ZIP", "unpack")),
    ("art.psd", b"8BPS\0\x01", ("Photoshop", "export")),
    ("noise.jpg", bytes(range(128, 256)) * 4, ("no picture", "choose")),
    (
        "cut.jpg",
        files.rgb_file("JPEG", files.pattern(200, 300))[:2000],
        ("damaged JPEG", "end of the file is missing", "again"),
    ),
    ("cut.png", files.rgb_file("PNG", files.pattern(200, 300))[:900], ("damaged PNG", "again")),
    ("cut.webp", files.rgb_file("WEBP", files.pattern(200, 300))[:300], ("damaged WebP", "again")),
    ("cut.gif", files.rgb_file("GIF", files.pattern(200, 300))[:2000], ("damaged GIF", "again")),
    ("cut.bmp", files.rgb_file("BMP", files.pattern(200, 300))[:2000], ("damaged BMP", "again")),
    ("cut.tif", files.tiff(files.pattern(200, 300))[:2000], ("damaged TIFF", "again")),
    ("head.jpg", b"\xff\xd8\xff", ("damaged JPEG", "again")),
    ("huge.png", files.png_header_only(11_000, 11_000), ("too large", "11000 x 11000", "shrink")),
    ("bomb.png", files.png_header_only(2**31 - 1, 2**31 - 1), ("too large", "shrink")),
    ("bomb20k.png", files.png_header_only(20_000, 20_000), ("too large", "shrink")),
    ("nothing.png", files.png_header_only(0, 10), ("damaged PNG", "again")),
]


@pytest.mark.parametrize(("name", "data", "words"), REFUSED, ids=[r[0] for r in REFUSED])
def test_refused_in_one_sentence_that_says_what_to_do(name, data, words):
    with pytest.raises(UserError) as caught:
        decode(data, name)
    sentence = str(caught.value)
    assert sentence.startswith(name) and sentence.endswith(".") and "\n" not in sentence
    assert all(word in sentence for word in words), sentence


def test_a_bomb_is_refused_before_its_pixels_are_decoded(monkeypatch):
    """A real 12,000 x 12,000 PNG, 144 million pixels in 140 kB."""
    data = files.saved(Image.new("1", (12_000, 12_000)), "PNG")
    monkeypatch.setattr(Image.Image, "load", None)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
    with pytest.raises(UserError, match="too large"):
        decode(data, "bomb.png")


def test_too_many_bytes_are_refused(monkeypatch):
    monkeypatch.setattr(images, "MAX_BYTES", 100)
    with pytest.raises(UserError, match="too large"):
        decode(files.rgb_file("PNG"), "a.png")


def test_a_wrong_extension_is_read_by_content_with_a_note():
    photo = decode(files.rgb_file("JPEG"), "photo.png")
    assert photo.width == files.WIDTH
    assert photo.notes == ("the name says PNG, the content is JPEG",)


@pytest.mark.parametrize(
    ("given", "shown"),
    [("a/b\\c\nd.png", "c d.png"), ("", "photo"), ("x" * 300 + ".png", None), ("\x1b[31m", "[31m")],
)
def test_names_fit_on_one_line(given, shown):
    photo = decode(files.rgb_file("PNG"), given)
    assert len(photo.name) <= 80 and photo.name.isprintable()
    assert shown is None or photo.name == shown


def test_a_photo_cannot_be_changed():
    photo = decode(files.rgb_file("PNG"))
    with pytest.raises(ValueError):
        photo.pixels[0, 0] = 0
    with pytest.raises(ValueError):
        photo.pixels.setflags(write=True)
    with pytest.raises(AttributeError):
        photo.name = "other"  # type: ignore[misc]


def test_photos_are_compared_by_bytes_and_shape():
    a, b = decode(files.rgb_file("PNG"), "a"), decode(files.rgb_file("PNG"), "b")
    other = RGB.copy()
    other[3, 3, 0] += 1
    assert a == b and hash(a) == hash(b) and len({a, b}) == 1
    assert a != decode(files.rgb_file("PNG", other)) and a != "a"
    white = [from_array(np.full(s, 255, np.uint8)) for s in ((4, 3, 3), (3, 4, 3))]
    assert white[0] != white[1]


def test_from_array_copies_and_checks():
    array = RGB.copy()
    photo = from_array(array, "made")
    array[:] = 0
    assert (photo.pixels == RGB).all() and photo.source_size == (12, 8)
    for wrong in (RGB[..., 0], RGB.astype(np.float32), RGB[:0], np.dstack([RGB, RGB])):
        with pytest.raises(UserError, match="HxWx3"):
            from_array(wrong)
