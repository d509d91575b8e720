"""Photos that attack, wander or are only a little broken: bounded in time and memory, and read where the pixels are
sound."""

from __future__ import annotations

import contextlib
import io
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from hostile import HEIC, folded_heic, tiled_tiff
from mapsi.errors import PhotoError, PhotoTooLargeError
from mapsi.imaging import MAX_SIDE, READ_SIDE, PhotoLimits, decode_here, decode_photo
from mapsi.photo_bytes import MAX_SCANS, MAX_SEGMENTS, count_scans, pixels_only
from mapsi.pixel_budget import PixelBudget

Bytes = Callable[[], bytes]


def gradient(width: int = 40, height: int = 60) -> Image.Image:
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=2).astype(np.uint8))


def noise(width: int = 96, height: int = 96) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def written(photo: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    photo.save(out, kind, **options)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def far(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean())


# --- scans -----------------------------------------------------------------------------------------------------------


def with_scans(count: int) -> bytes:
    """A progressive JPEG with ``count`` more scans, each ten bytes long and empty."""
    jpeg = written(gradient(), "JPEG", progressive=True)
    empty = b"\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00"
    return jpeg[:-2] + empty * count + jpeg[-2:]


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("quality", [30, 95])
def test_the_scans_of_real_photos_are_few(progressive: bool, quality: int) -> None:
    jpeg = written(noise(), "JPEG", progressive=progressive, quality=quality)
    assert count_scans(jpeg) == jpeg.count(b"\xff\xda") == (10 if progressive else 1)


def test_scans_are_counted_before_anything_is_decoded() -> None:
    assert count_scans(with_scans(5)) == 15
    assert count_scans(with_scans(20_000)) == MAX_SCANS + 1
    with pytest.raises(PhotoError, match="more than 64 scans"):
        decode_photo(with_scans(100))


@given(st.binary(max_size=200))
def test_counting_ends_whatever_the_bytes(tail: bytes) -> None:
    assert 0 <= count_scans(b"\xff\xd8" + tail) <= MAX_SCANS + 1
    assert 0 <= count_scans(written(gradient(), "JPEG")[:100] + tail) <= MAX_SCANS + 1


# --- segments --------------------------------------------------------------------------------------------------------


def test_of_a_jpegs_notes_those_on_its_pixels_are_kept() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    notes = written(gradient(), "JPEG", exif=exif, icc_profile=LINEAR, comment=b"SECRET", xmp=b"<x/>")
    bare = pixels_only(notes)
    assert b"SECRET" not in bare
    assert b"<x/>" not in bare
    assert far(decode_photo(notes), decode_photo(bare)) == 0
    assert bare == pixels_only(bare)
    assert pixels_only(plain := written(gradient(), "JPEG", exif=exif, icc_profile=LINEAR)) is plain


@pytest.mark.parametrize(
    "filling",
    [
        b"\xff\xfe\x00\x02" * 9000,
        b"\xff\xe5\x00\x02" * 9000,
        b"\xff" * 1_000_000,
        b"\xff\x00" * 1000,
        b"\xff\xd0" * 9000,
    ],
    ids=["comments", "notes", "fill bytes", "stuffed bytes", "restarts"],
)
def test_what_stands_between_the_segments_of_a_jpeg_is_passed_over(filling: bytes) -> None:
    sound = written(gradient(), "JPEG")
    assert pixels_only(sound[:2] + filling + sound[2:]) == sound
    assert far(decode_photo(sound[:2] + filling + sound[2:]), decode_photo(sound)) == 0


def test_segments_without_end_are_no_photo() -> None:
    sound, many = written(gradient(), "JPEG", progressive=True), b"\xff\xfe\x00\x02" * (MAX_SEGMENTS + 1)
    with pytest.raises(PhotoError):
        decode_photo(sound[:2] + many + sound[2:])
    last = sound.rindex(b"\xff\xda")
    with pytest.raises(PhotoError, match="scans"):
        decode_photo(sound[:last] + many + sound[last:])


@given(st.binary(max_size=300))
def test_a_jpegs_notes_are_looked_through_to_an_end_whatever_the_bytes(tail: bytes) -> None:
    assert len(pixels_only(b"\xff\xd8" + tail)) <= 2 + len(tail)


# --- formats whose cost cannot be counted ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["AVIF", "GIF", "BMP", "TIFF"])
def test_rare_formats_are_the_same_from_the_process_that_can_be_killed(kind: str) -> None:
    data = written(noise(100, 140), kind)
    apart = decode_photo(data, at_least=40)
    assert far(apart, decode_here(data, PhotoLimits(), 40, PixelBudget(50_000_000).lend)) == 0
    assert apart.size == (50, 70)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_usual_formats_ask_no_other_process(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("mapsi.imaging.decode_apart")
    assert decode_photo(written(gradient(), kind)).size == (40, 60)


def test_a_photo_that_takes_too_long_is_given_up_and_the_next_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("mapsi.photo_process.SECONDS", 0.001)
        with pytest.raises(PhotoError, match="takes too long"):
            decode_photo(written(noise(900, 900), "AVIF"))
    assert far(decode_photo(HEIC), gradient(64, 48)) < 4


def test_a_photo_that_would_be_decoded_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert decode_photo(folded_heic(HEIC, 2, 2)).size == (64, 64)
    monkeypatch.setattr("mapsi.photo_process.SECONDS", 1.0)
    with pytest.raises(PhotoError, match="takes too long"):
        decode_photo(folded_heic(HEIC, 20, 30))


def test_what_a_decoder_may_take_of_memory_has_an_end() -> None:
    with pytest.raises(PhotoError, match="damaged"):
        decode_photo(tiled_tiff(20_000), PhotoLimits(max_pixels=1_000_000))
    assert decode_photo(HEIC).size == (64, 48)


def test_an_error_is_told_as_if_it_came_from_here() -> None:
    with pytest.raises(PhotoTooLargeError, match="1 million pixels"):
        decode_photo(written(Image.new("L", (2000, 1000)), "GIF"), PhotoLimits(max_pixels=1_000_000))


# --- sides, pixels, budget -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(MAX_SIDE + 1, 1), (1, MAX_SIDE + 1), (39_000_000, 1)])
def test_sides_are_bounded_as_well_as_their_product(size: tuple[int, int]) -> None:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0))
    with pytest.raises(PhotoTooLargeError, match="30,000 pixels wide or high"):
        decode_photo(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


def test_a_budget_is_shared_in_the_order_of_asking() -> None:
    budget, done = PixelBudget(10), []
    started = [threading.Event() for _ in range(3)]

    def work(number: int, pixels: int) -> None:
        started[number].set()
        with budget.lend(pixels):
            done.append(number)

    with budget.lend(6):
        threads = [threading.Thread(target=work, args=(n, pixels)) for n, pixels in enumerate((5, 1, 1000))]
        for number, thread in enumerate(threads):
            thread.start()
            started[number].wait()
            while len(budget._waiting) <= number:
                pass
        assert done == [], "a small one does not pass a large one by, or that would wait for ever"
    for thread in threads:
        thread.join()
    assert done == [0, 1, 2]
    with budget.lend(10):
        pass


def test_a_budget_is_given_back_when_decoding_fails() -> None:
    budget = PixelBudget(4)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), budget.lend(4):
            raise ZeroDivisionError


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "CMYK", "P"])
def test_of_a_large_photo_no_more_is_kept_than_is_read(mode: str) -> None:
    photo = gradient(2700, 4000).convert(mode)
    kind = "JPEG" if mode == "CMYK" else "PNG"
    read = decode_photo(written(photo, kind), at_least=READ_SIDE)
    assert min(read.size) >= READ_SIDE > min(read.size) // 2
    assert far(read, gradient(*read.size)) < 3 + 12 * (mode in ("CMYK", "P", "L")) + 60 * (mode == "L")


@pytest.mark.parametrize(
    ("size", "kept"),
    [((4000, 3000), (1000, 750)), ((1280, 1280), (640, 640)), ((1279, 5000), (1279, 5000)), ((400, 300), (400, 300))],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_formats_are_divided_alike(size: tuple[int, int], kept: tuple[int, int], kind: str) -> None:
    assert decode_photo(written(gradient(*size), kind), at_least=READ_SIDE).size == kept


def test_a_photo_at_a_part_of_its_size_is_the_photo_scaled_down() -> None:
    photo = gradient(2000, 1600)
    for kind in ("JPEG", "PNG"):
        data = written(photo, kind)
        assert far(decode_photo(data, at_least=400), decode_photo(data).resize((500, 400), Image.Resampling.BOX)) < 0.7


# --- metadata --------------------------------------------------------------------------------------------------------


def png_with(*chunks: bytes, photo: Image.Image | None = None) -> bytes:
    data = written(photo or gradient(), "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


ODD_CHUNKS = {
    "a text that unfolds": chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(b" " * 30_000_000)),
    "a profile that unfolds": chunk(b"iCCP", b"big\x00\x00" + zlib.compress(bytes(30_000_000))),
    "a profile that is none": chunk(b"iCCP", b"icc\x00\x00" + b"no zlib"),
    "an international text": chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00\x00\x00" + zlib.compress(b"x" * 9_000_000)),
    "a broken sum": chunk(b"tEXt", b"a\x00b")[:-4] + b"0000",
    "a broken EXIF": chunk(b"eXIf", b"MM\x00*\xff\xff\xff\xff"),
    "sixty-five of them": chunk(b"zTXt", b"C\x00\x00" + zlib.compress(b" " * 1_000_000)) * 65,
    "a chunk of one's own": chunk(b"prVt", b"x" * 100_000),
}


@pytest.mark.parametrize("odd", ODD_CHUNKS.values(), ids=ODD_CHUNKS)
def test_metadata_of_a_png_is_passed_over_and_never_fatal(odd: bytes) -> None:
    assert far(decode_photo(png_with(odd)), gradient()) == 0


def test_a_png_without_metadata_is_not_copied() -> None:
    data = written(gradient(), "PNG")
    assert pixels_only(data) is data
    assert pixels_only(b"\xff\xd8\xff") == b"\xff\xd8\xff"


def test_chunks_without_end_are_cut_off() -> None:
    data = png_with(chunk(b"tEXt", b"") * 300_000)
    with pytest.raises(PhotoError):
        decode_photo(data)


def avif_with(exif: bytes) -> bytes:
    """An AVIF whose EXIF is not sound, which its writer would not put there."""
    sound = Image.Exif()
    sound[0x010E] = "x" * max(1, len(exif) - 26)
    data = written(gradient(), "AVIF", exif=sound)
    start = data.index(sound.tobytes()[6:])
    return data[:start] + exif[: len(sound.tobytes()) - 6] + data[start + len(exif[: len(sound.tobytes()) - 6]) :]


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\x00\x00",
        b"Exif\x00\x00MM\x00*\xff\xff\xff\xff",
        b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff" + b"\xff" * 60,
        b"Exif\x00\x00" + bytes(60_000),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG", "AVIF"])
def test_a_broken_exif_is_never_fatal(kind: str, exif: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = written(gradient(), kind, exif=exif) if kind != "AVIF" else avif_with(exif[6:])
    assert decode_photo(data).size == (40, 60)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_of_every_format_are_turned_upright(kind: str, orientation: int) -> None:
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = gradient() if orientation == 1 else gradient().transpose(Image.Transpose(back[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = written(stored, kind, exif=exif, **({"quality": 95} if kind in ("JPEG", "WEBP", "AVIF") else {}))
    read = decode_photo(data)
    assert read.size == (40, 60)
    assert far(read, gradient()) < 5


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_nothing_but_pixels_comes_out(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    read = decode_photo(written(gradient(), kind, exif=exif, icc_profile=profile))
    assert type(read) is Image.Image
    assert not read.info
    assert not dict(read.getexif())
    assert b"SECRET" not in written(read, "PNG") + written(read, "JPEG")


# --- ends that are missing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("photo", [gradient(), noise(), gradient(333, 201)], ids=["smooth", "noise", "odd"])
def test_a_jpeg_without_its_end_mark_is_read(photo: Image.Image, progressive: bool) -> None:
    data = written(photo, "JPEG", progressive=progressive)
    for cut in (data[:-1], data[:-2], data[:-2] + b"\r\n", data[:-2] + bytes(20)):
        assert far(decode_photo(cut), decode_photo(data)) == 0


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_jpeg_without_its_last_pixels_is_damaged(progressive: bool, share: float) -> None:
    data = written(noise(), "JPEG", progressive=progressive)
    with pytest.raises(PhotoError, match="damaged or incomplete"):
        decode_photo(data[: int(len(data) * share)])


def test_a_png_without_its_end_mark_is_read() -> None:
    data = written(noise(), "PNG")
    for cut in (12, 8, 4, 1):
        assert far(decode_photo(data[:-cut]), noise()) == 0
    with pytest.raises(PhotoError):
        decode_photo(data[: len(data) // 2])


# --- colours ---------------------------------------------------------------------------------------------------------


def matrix_profile(gamma: float) -> bytes:
    """sRGB's colours with another curve: the profile of a calibrated screen."""
    plain = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = plain.index(b"para", 128 + 4 + 12 * int.from_bytes(plain[128:132], "big"))
    plain[at : at + 16] = b"para\x00\x00\x00\x00" + bytes([0, 0, 0, 0]) + struct.pack(">i", round(gamma * 65536))
    plain[at + 8 : at + 10] = b"\x00\x00"
    return bytes(plain).replace("sRGB built-in".encode("utf-16-be"), "mine built-in".encode("utf-16-be"))


LINEAR = matrix_profile(1.0)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_colours_are_meant_as_the_profile_says(mode: str, kind: str) -> None:
    flat = Image.new("RGB", (30, 20), (50, 100, 200)).convert(mode)
    read = decode_photo(written(flat, kind, icc_profile=LINEAR))
    meant = np.array([255 * (1.055 * (v / 255) ** (1 / 2.4) - 0.055) for v in (50, 100, 200)])
    assert np.abs(np.asarray(read)[5, 5] - meant).max() < 3


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_a_profile_counts_in_lossy_formats_too(kind: str) -> None:
    flat = Image.new("RGB", (64, 64), (50, 100, 200))
    read = decode_photo(written(flat, kind, icc_profile=LINEAR, quality=95), at_least=32)
    assert abs(int(np.asarray(read)[5, 5, 0]) - 123) < 8


@pytest.mark.parametrize(
    "profile", [b"", b"x", b"no profile at all" * 20, LINEAR[:200], LINEAR[:-300], bytes(5_000_000), b"\xff" * 500]
)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "RGBA", "LA", "P", "1"])
def test_a_broken_or_foreign_profile_is_passed_over(mode: str, profile: bytes) -> None:
    photo = gradient().convert(mode) if mode != "LA" else gradient().convert("L").convert("LA")
    data = written(photo, "TIFF", icc_profile=profile or None)
    assert decode_photo(data).size == (40, 60)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_profile_of_other_colours_than_the_photos_is_passed_over(mode: str) -> None:
    data = written(gradient().convert(mode), "TIFF", icc_profile=LINEAR)
    assert far(decode_photo(data), gradient().convert(mode).convert("RGB")) == 0


def test_a_picture_in_lab_is_read() -> None:
    lab = ImageCms.profileToProfile(
        gradient(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    assert far(decode_photo(written(lab, "TIFF")), gradient()) < 4


# --- formats ---------------------------------------------------------------------------------------------------------


def test_heic_is_read() -> None:
    assert far(decode_photo(HEIC), gradient(64, 48)) < 4
    assert far(decode_photo(HEIC, at_least=24), gradient(32, 24)) < 6


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_heic_damaged_anywhere_is_a_picture_or_a_sentence(drawn: st.DataObject) -> None:
    at = drawn.draw(st.integers(0, len(HEIC) - 1))
    with contextlib.suppress(PhotoError):
        decode_photo(HEIC[:at] + drawn.draw(st.binary(max_size=6)) + HEIC[at + drawn.draw(st.integers(0, 6)) :])


def test_avif_is_read() -> None:
    assert far(decode_photo(written(gradient(), "AVIF", quality=95)), gradient()) < 4


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_an_animation_the_first_picture_is_read(kind: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue", "green")]
    data = written(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    assert far(decode_photo(data), frames[0]) < 4


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_shows_through_is_white(mode: str) -> None:
    photo = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    photo.paste((0, 0, 255, 255), (0, 0, 10, 20))
    read = decode_photo(written(photo.convert(mode), "PNG"))
    assert read.getpixel((15, 5)) == (255, 255, 255)
    assert read.getpixel((5, 5)) != (255, 255, 255)


def damaged() -> Iterator[bytes]:
    for kind in ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"):
        yield written(noise(32, 32), kind)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(damaged())), st.data())
def test_a_photo_damaged_anywhere_is_a_picture_or_a_sentence(data: bytes, drawn: st.DataObject) -> None:
    at = drawn.draw(st.integers(0, len(data) - 1))
    changed = data[:at] + drawn.draw(st.binary(max_size=8)) + data[at + drawn.draw(st.integers(0, 8)) :]
    with contextlib.suppress(PhotoError):
        read = decode_photo(changed, PhotoLimits(max_pixels=1_000_000), at_least=drawn.draw(st.sampled_from([0, 8])))
        assert read.mode == "RGB"
