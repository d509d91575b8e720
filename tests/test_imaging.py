"""Photos from strangers: the right picture, or a sentence; never a crash, never their metadata."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from mapsi.errors import PhotoError, PhotoTooLargeError, PhotoTypeError
from mapsi.imaging import (
    Fit,
    PhotoLimits,
    Preprocessing,
    decode_photo,
    encode_jpeg,
    encode_webp,
    focus_overlay,
    to_input,
    to_square,
    to_views,
)

CLOSE = Preprocessing(size=32, fit="stretch", mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3), close_up=0.85)
PLAIN = Preprocessing(size=32, fit="stretch", mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3))


def _picture(width: int = 40, height: int = 60) -> Image.Image:
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=2).astype(np.uint8))


def _bytes(photo: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    photo.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_the_usual_formats_come_out_as_rgb(kind: str) -> None:
    photo = decode_photo(_bytes(_picture(), kind))
    assert photo.mode == "RGB"
    assert photo.size == (40, 60)


def test_cmyk_becomes_rgb() -> None:
    photo = decode_photo(_bytes(_picture().convert("CMYK"), "JPEG", quality=95))
    assert photo.mode == "RGB"
    assert np.abs(np.asarray(photo).astype(int) - np.asarray(_picture())).mean() < 12


def test_sixteen_bit_grey_keeps_its_range() -> None:
    values = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    photo = decode_photo(_bytes(Image.fromarray(values), "PNG"))
    pixels = np.asarray(photo)
    assert pixels.min() == 0
    assert pixels.max() == 255
    assert 100 < pixels.mean() < 155


def test_a_palette_with_transparency_lies_on_white() -> None:
    clear = Image.new("RGBA", (10, 10), (200, 0, 0, 0))
    for data in (
        _bytes(clear, "PNG"),
        _bytes(clear.convert("LA"), "PNG"),
        _bytes(clear.convert("P"), "GIF", transparency=0),
    ):
        assert np.asarray(decode_photo(data)).min() >= 254


def test_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP"):
        data = _bytes(
            frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {})
        )
        red, _, blue = np.asarray(decode_photo(data))[4, 4]
        assert red > 250
        assert blue < 5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_stands_upright_whatever_its_exif_says(orientation: int) -> None:
    upright = _picture()
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = decode_photo(_bytes(stored, "JPEG", exif=exif, quality=97))
    assert photo.size == upright.size
    assert np.abs(np.asarray(photo).astype(int) - np.asarray(upright)).mean() < 6


def test_no_metadata_survives() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    data = _bytes(_picture(), "JPEG", exif=exif, comment=b"hello")
    photo = decode_photo(data)
    assert photo.info == {}
    for again in (encode_jpeg(photo, max_side=64), encode_webp(photo, max_side=64)):
        assert b"taken at home" not in again
        assert b"hello" not in again
        assert not Image.open(io.BytesIO(again)).getexif()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", PhotoError),
        (b"just some words", PhotoTypeError),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>', PhotoTypeError),
        (b"%PDF-1.7 ...", PhotoTypeError),
        (b"SIMPLE  =                    T", PhotoTypeError),
        (b"\x00" * 1000, PhotoTypeError),
        (b"\xff\xd8\xff\xe0 no more", PhotoError),
    ],
    ids=["empty", "text", "svg", "pdf", "fits", "zeros", "jpeg-in-name-only"],
)
def test_what_is_no_photo_ends_as_a_sentence(data: bytes, error: type[PhotoError]) -> None:
    with pytest.raises(error) as caught:
        decode_photo(data)
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_a_truncated_file_is_an_error_not_a_guess(kind: str) -> None:
    data = _bytes(_picture(300, 300), kind)
    with pytest.raises(PhotoError):
        decode_photo(data[: len(data) // 2])


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG", "TIFF"])
def test_broken_exif_is_no_crash(kind: str) -> None:
    for exif in (b"Exif\0\0II*\0", b"II*\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"):
        with contextlib.suppress(PhotoError):
            assert decode_photo(_bytes(_picture(), kind, **({} if kind == "TIFF" else {"exif": exif}))).mode == "RGB"


def test_too_many_bytes_are_refused_before_decoding() -> None:
    with pytest.raises(PhotoTooLargeError, match="1 MB"):
        decode_photo(b"x" * (1024 * 1024 + 1), PhotoLimits(max_bytes=1024 * 1024))


def test_a_bomb_is_refused_by_its_header() -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )
    with pytest.raises(PhotoTooLargeError, match="million pixels"):
        decode_photo(bomb)
    with pytest.raises(PhotoTooLargeError):
        decode_photo(_bytes(_picture(30, 30), "PNG"), PhotoLimits(max_pixels=899))


def test_a_large_jpeg_asked_for_small_is_the_same_picture() -> None:
    data = _bytes(_picture(1200, 1600), "JPEG", quality=92)
    whole, small = decode_photo(data), decode_photo(data, at_least=256)
    assert min(small.size) >= 256
    assert small.width < whole.width
    gap = np.abs(np.asarray(to_square(whole, 64, "stretch")).astype(int) - np.asarray(to_square(small, 64, "stretch")))
    assert gap.mean() < 1.5


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"]), st.integers(0, 2**16))
def test_arbitrary_damage_never_crashes(noise: bytes, kind: str, place: int) -> None:
    data = bytearray(_bytes(_picture(), kind))
    start = place % len(data)
    data[start : start + len(noise)] = noise
    for damaged in (bytes(data), noise):
        with contextlib.suppress(PhotoError):
            assert decode_photo(damaged).mode == "RGB"


def test_a_models_input_is_the_slow_and_obvious_one() -> None:
    photo = _picture(77, 51)
    got = to_input(photo, PLAIN)
    assert got.shape == (1, 3, 32, 32)
    assert got.dtype == np.float32
    square = photo.resize((32, 32), Image.Resampling.BILINEAR)
    for channel in range(3):
        for y, x in ((0, 0), (5, 17), (31, 31)):
            value = square.getpixel((x, y))[channel] / 255
            expected = (value - PLAIN.mean[channel]) / PLAIN.std[channel]
            assert got[0, channel, y, x] == pytest.approx(expected, abs=1e-4)


def test_crop_keeps_proportions_and_stretch_keeps_everything() -> None:
    photo = Image.new("RGB", (100, 50), "white")
    photo.paste((255, 0, 0), (0, 0, 10, 50))
    assert np.asarray(to_square(photo, 20, "stretch"))[10, 0, 1] < 40
    assert np.asarray(to_square(photo, 20, "crop"))[10, 0, 1] > 240


@pytest.mark.parametrize("fit", ["stretch", "crop"])
def test_the_second_view_is_the_middle_cut_out_and_mirrored(fit: Fit) -> None:
    photo = _picture(200, 100)
    box = (20, 10, 180, 90) if fit == "stretch" else (60, 10, 140, 90)
    cut = ImageOps.mirror(photo.crop(box).resize((32, 32), Image.Resampling.BILINEAR))
    whole, near = to_views(photo, 32, fit, 0.8)
    assert np.array_equal(whole, to_square(photo, 32, fit))
    # At the border the filter sees a pixel more of the photo than of what is cut out of it.
    assert np.array_equal(np.asarray(near)[3:-3, 3:-3], np.asarray(cut)[3:-3, 3:-3])


def test_a_second_view_of_everything_is_the_whole_photo_mirrored() -> None:
    whole, mirrored = to_views(_picture(77, 51), 32, "stretch", 1.0)
    assert np.array_equal(mirrored, ImageOps.mirror(whole))
    assert len(to_views(_picture(77, 51), 32, "stretch", 0.0)) == 1


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.sampled_from(["stretch", "crop"]))
def test_the_smallest_photo_has_a_close_up(width: int, height: int, close_up: float, fit: Fit) -> None:
    photo = Image.new("RGB", (width, height), (10, 200, 90))
    for view in to_views(photo, 16, fit, close_up):
        assert view.getextrema() == ((10, 10), (200, 200), (90, 90))


@pytest.mark.parametrize("preprocessing", [PLAIN, CLOSE])
def test_preprocessing_survives_its_own_format(preprocessing: Preprocessing) -> None:
    assert Preprocessing.from_json(preprocessing.to_json()) == preprocessing


def test_an_overlay_warms_where_the_model_looked() -> None:
    focus = np.zeros((4, 4), np.float32)
    focus[:, 2:] = 1
    pixels = np.asarray(focus_overlay(Image.new("RGB", (80, 80), (120, 120, 120)), focus)).astype(int)
    left, right = pixels[40, 5], pixels[40, 75]
    assert right[0] - right[2] > 60
    assert abs(left[0] - left[2]) < 10
    with pytest.raises(ValueError, match="shape"):
        focus_overlay(Image.new("RGB", (8, 8)), np.zeros((1, 4, 4), np.float32))
