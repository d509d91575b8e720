"""The check of a data set finds what was put wrong on purpose, says why, leaves out what it says and deletes
nothing."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageEnhance

from chromium import Browser
from mapsi.cli import main
from mapsi.dataset.check import CheckOptions, check
from mapsi.dataset.facts import read_facts
from mapsi.dataset.findings import CheckReport
from mapsi.dataset.label_errors import find_label_errors, out_of_fold
from mapsi.dataset.manifest import Manifest, read_manifest
from mapsi.dataset.plan import PhotoFolder, gather
from mapsi.dataset.report import write_check
from mapsi.dataset.twins import read_details, same_picture
from mapsi.errors import ArtifactError, PhotoError
from mapsi.imaging import PhotoLimits
from mapsi.progress import Advance
from mapsi.tables import read_small_table
from mapsi.taxonomy import load_taxonomy
from small_house import write_colour_model
from test_dataset import draw_photo, make_folder

TAXONOMY = load_taxonomy()
LIMITS = PhotoLimits()
QUICK = CheckOptions(min_side=48, min_photos=2)


def _check(folder: Path, **changes: Any) -> tuple[CheckReport, Manifest]:
    samples = gather(PhotoFolder(folder, "style", "split"), TAXONOMY)
    return check(folder, "style", samples, changes.pop("embed", None), changes.pop("options", QUICK))


def _found(report: CheckReport) -> set[tuple[str, str, str]]:
    return {(finding.kind, finding.path, finding.other) for finding in report.findings}


def _files(folder: Path) -> dict[str, str]:
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """Sound photos of two classes, and one of each fault."""
    folder = make_folder(tmp_path / "photos", {"knit": 6, "suit": 6})
    knit, suit = folder / "knit", folder / "suit"
    (knit / "broken.jpg").write_bytes((knit / "000.jpg").read_bytes()[:900])
    (suit / "empty.png").write_bytes(b"")
    Image.new("RGB", (30, 200), "red").save(suit / "slim.png")
    (knit / "copy.jpg").write_bytes((knit / "001.jpg").read_bytes())
    Image.open(knit / "002.jpg").resize((72, 96)).save(knit / "small.jpg", quality=60)
    (suit / "knit.jpg").write_bytes((knit / "003.jpg").read_bytes())
    Image.open(suit / "004.jpg").save(knit / "suit.jpg", quality=40)
    return folder


def test_every_fault_is_found_and_nothing_else_is(spoilt: Path) -> None:
    report, _ = _check(spoilt)
    assert _found(report) == {
        ("unreadable", "knit/broken.jpg", ""),
        ("unreadable", "suit/empty.png", ""),
        ("tiny", "suit/slim.png", ""),
        ("copy", "knit/copy.jpg", "knit/001.jpg"),
        ("twin", "knit/small.jpg", "knit/002.jpg"),
        ("copy-across", "suit/knit.jpg", "knit/003.jpg"),
        ("copy-across", "knit/003.jpg", "suit/knit.jpg"),
        ("twin-across", "knit/suit.jpg", "suit/004.jpg"),
        ("twin-across", "suit/004.jpg", "knit/suit.jpg"),
    }
    assert all(finding.reason.endswith(".") for finding in report.findings)
    assert "30 pixels" in report.of_kind("tiny")[0].reason


def test_nothing_is_deleted_and_the_manifest_says_what_is_left_out_and_why(spoilt: Path, tmp_path: Path) -> None:
    before = _files(spoilt)
    report, manifest = _check(spoilt)
    write_check(report, manifest, TAXONOMY.find("style"), tmp_path / "into")
    assert _files(spoilt) == before
    again = read_manifest(tmp_path / "into" / "manifest.csv")
    left_out = {str(e.sample.path.relative_to(spoilt)): e.reason for e in again.entries if e.part == "left-out"}
    assert left_out == {finding.path: finding.reason for finding in report.findings if finding.left_out}
    assert len(again.part("kept")) == report.kept == len(before) - len(left_out)


def test_the_table_and_the_document_hold_every_finding(spoilt: Path, tmp_path: Path) -> None:
    report, manifest = _check(spoilt)
    write_check(report, manifest, TAXONOMY.find("style"), tmp_path)
    assert (tmp_path / "findings.csv").read_bytes().startswith(codecs.BOM_UTF8)
    rows = [
        (row["kind"], row["path"], row["other"]) for _, row in read_small_table(tmp_path / "findings.csv", ["kind"])
    ]
    document = json.loads((tmp_path / "findings.json").read_text("utf-8"))
    told = [(f["kind"], f["path"], f["other"]) for f in document["findings"]]
    assert set(rows) == set(told) == _found(report)
    assert len(rows) == len(told) == len(report.findings)
    assert document["kinds"]["copy-across"] == {"found": 2, "left_out": 2}
    assert document["photos"] == document["kept"] + document["left_out"]


@pytest.mark.parametrize("change", ["smaller", "recompressed", "brighter", "cropped"])
def test_a_changed_copy_is_the_same_picture(tmp_path: Path, change: str) -> None:
    same = 0
    for seed in range(20):
        first = draw_photo(tmp_path / f"{seed}.jpg", seed)
        photo = Image.open(first)
        width, height = photo.size
        changed = {
            "smaller": lambda photo=photo: photo.resize((72, 96)),
            "recompressed": lambda photo=photo: photo,
            "brighter": lambda photo=photo: ImageEnhance.Brightness(photo).enhance(0.85),
            "cropped": lambda photo=photo, w=width, h=height: photo.crop((w // 32, h // 32, w - w // 32, h - h // 32)),
        }[change]()
        changed.save(tmp_path / "copy.jpg", quality=40 if change == "recompressed" else 90)
        same += same_picture(read_details(first, LIMITS), read_details(tmp_path / "copy.jpg", LIMITS))
    assert same >= 18


def _shirt(colour: tuple[int, int, int], stripes: int) -> Image.Image:
    """A garment on white; shape and place are always the same, as in one shop's pictures."""
    pixels = np.full((160, 120, 3), 255, dtype=np.uint8)
    pixels[30:140, 25:95] = colour
    for row in range(34, 138, stripes):
        pixels[row : row + 2, 27:93] = (250, 250, 250)
    return Image.fromarray(pixels)


def test_two_shirts_of_one_shop_look_alike_and_both_are_kept(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "photos", {"knit": 3, "suit": 3})
    _shirt((120, 30, 40), 40).save(folder / "knit" / "red.png")
    _shirt((30, 40, 130), 13).save(folder / "knit" / "blue.png")
    report, _ = _check(folder)
    assert _found(report) == {("alike", "knit/blue.png", "knit/red.png"), ("alike", "knit/red.png", "knit/blue.png")}
    assert report.left_out == 0


def test_one_of_many_copies_stays_and_it_is_the_largest_file(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "photos", {"knit": 2, "suit": 3})
    photo = Image.open(folder / "knit" / "001.jpg")
    for quality in (95, 90, 70, 50, 30):
        photo.save(folder / "knit" / f"q{quality}.jpg", quality=quality)
    report, manifest = _check(folder)
    assert len(report.of_kind("twin")) == 5
    copies = [folder / "knit" / "001.jpg", *folder.glob("knit/q*.jpg")]
    kept = [sample.path for sample in manifest.part("kept") if sample.path in copies]
    assert kept == [max(copies, key=lambda path: path.stat().st_size)]


@pytest.mark.timeout(60)
def test_hundreds_of_blank_photos_are_told_in_seconds(tmp_path: Path) -> None:
    """All of them look alike: comparing the 80,000 pairs one by one would take more than a minute."""
    folder = make_folder(tmp_path / "photos", {"knit": 2, "suit": 2})
    for i in range(400):
        Image.new("RGB", (64, 64), (i % 250, i // 250, 7)).save(folder / "suit" / f"blank{i:04}.png")
    report, _ = _check(folder)
    assert report.photos == 404
    assert {row.label: row.kept for row in report.classes}["knit"] == 2


def _clouds(count: int, share: float, seed: int) -> tuple[npt.NDArray[np.float32], list[str], set[int]]:
    """Embeddings of four classes that overlap a little, their labels, and the numbers of those swapped on purpose."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(0, 1, (4, 32))
    true = np.arange(count) % 4
    points = middles[true] + rng.normal(0, 0.7, (count, 32))
    swapped = rng.random(count) < share
    given = np.where(swapped, (true + rng.integers(1, 4, count)) % 4, true)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    return unit.astype(np.float32), [f"class-{k}" for k in given], set(np.flatnonzero(swapped).tolist())


@pytest.mark.parametrize("share", [0.03, 0.08, 0.15])
def test_most_swapped_labels_are_found_and_few_others(share: float) -> None:
    embeddings, labels, swapped = _clouds(600, share, seed=4)
    found = {doubt.photo for doubt in find_label_errors(embeddings, labels, range(600)).doubts}
    assert len(found & swapped) >= 0.8 * len(swapped)
    assert len(found - swapped) <= 0.01 * 600


def test_sound_labels_raise_hardly_a_doubt() -> None:
    embeddings, labels, _ = _clouds(600, 0.0, seed=5)
    assert len(find_label_errors(embeddings, labels, range(600)).doubts) <= 6


def test_a_photo_is_never_judged_by_its_own_group() -> None:
    """Labels without any meaning, each photo there four times: only who has seen a twin could tell them."""
    rng = np.random.default_rng(0)
    points = np.repeat(rng.normal(0, 1, (100, 64)), 4, axis=0).astype(np.float32)
    given = np.repeat(rng.integers(0, 2, 100), 4)
    together = out_of_fold(points, given, np.repeat(np.arange(100), 4), seed=0).argmax(axis=1)
    torn = out_of_fold(points, given, np.arange(400), seed=0).argmax(axis=1)
    assert np.mean(torn == given) > 0.9
    assert np.mean(together == given) < 0.7


def test_a_class_with_too_few_photos_is_told_and_the_others_are_checked() -> None:
    embeddings, labels, swapped = _clouds(400, 0.05, seed=6)
    labels[:3] = ["rare"] * 3
    checked = find_label_errors(embeddings, labels, range(400))
    assert set(checked.unchecked) == {"rare"}
    assert "5 photos" in checked.unchecked["rare"]
    assert len({doubt.photo for doubt in checked.doubts} & swapped) >= 0.8 * len(swapped - {0, 1, 2})


def _by_colour(paths: Any, progress: Advance) -> npt.NDArray[np.float32]:
    """An embedding that sees the mean colour only."""
    rows = [np.asarray(Image.open(path).convert("RGB"), dtype=np.float32).mean(axis=(0, 1)) - 128 for path in paths]
    progress(len(rows))
    return np.array([row / np.linalg.norm(row) for row in rows])


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    """Reddish knits and bluish suits, one of each in the other's folder."""
    rng = np.random.default_rng(3)
    for label, tint in (("knit", (200, 60, 60)), ("suit", (60, 60, 200))):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for i in range(24):
            noise = rng.integers(-50, 50, (12, 9, 3)) + np.array(tint)
            photo = Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)).resize((90, 120), Image.Resampling.BICUBIC)
            photo.save(tmp_path / "photos" / label / f"{i:02}.png")
    folder = tmp_path / "photos"
    (folder / "knit" / "07.png").rename(folder / "suit" / "stray.png")
    (folder / "suit" / "07.png").rename(folder / "knit" / "stray.png")
    return folder


@pytest.mark.parametrize("leave_out", [False, True])
def test_label_errors_are_told_and_left_out_only_when_asked(colours: Path, leave_out: bool) -> None:
    options = CheckOptions(48, 2, leave_out_label_errors=leave_out)
    report, manifest = _check(colours, embed=_by_colour, options=options)
    doubts = report.of_kind("label")
    assert {(f.path, f.likely) for f in doubts} == {("knit/stray.png", "suit"), ("suit/stray.png", "knit")}
    assert all(f.share is not None and f.given_share is not None and f.share > f.given_share for f in doubts)
    assert manifest.left_out == (2 if leave_out else 0)


def test_a_small_class_and_uneven_classes_are_reported(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "photos", {"knit": 14, "suit": 2})
    report, _ = _check(folder, options=CheckOptions(48, 10))
    remarks = {row.label: row.remarks for row in report.classes}
    assert remarks["knit"] == ()
    assert "Only 2 photos" in remarks["suit"][0]
    assert "7 times as many" in report.remarks[0]


def test_labels_that_were_not_checked_are_not_called_sound(tmp_path: Path) -> None:
    report, manifest = _check(make_folder(tmp_path / "photos", {"knit": 3, "suit": 3}))
    page = write_check(report, manifest, TAXONOMY.find("style"), tmp_path / "into").read_text("utf-8")
    assert "not looked for" in page
    assert json.loads((tmp_path / "into" / "findings.json").read_text("utf-8"))["labels_checked"] is False


def test_one_class_alone_is_reported(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "photos", {"knit": 8})
    report, _ = _check(folder, embed=_by_colour)
    assert "one class" in report.remarks[0]
    assert report.kept == 8


def test_a_class_folder_without_a_photo_is_reported(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "photos", {"knit": 3})
    (folder / "suit").mkdir()
    report, manifest = _check(folder)
    assert [(row.label, row.photos) for row in report.classes] == [("knit", 3), ("suit", 0)]
    assert report.classes[1].remarks == ("Only 0 photos to learn from; at least 2 are recommended.",)
    page = write_check(report, manifest, TAXONOMY.find("style"), tmp_path / "into").read_text("utf-8")
    assert "Only 0 photos" in page


def test_a_folder_without_a_readable_photo_is_an_error(tmp_path: Path) -> None:
    for label in ("knit", "suit"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.jpg").write_bytes(b"nothing")
    with pytest.raises(ArtifactError, match="No photo in"):
        _check(tmp_path)


def test_a_photo_that_is_gone_has_a_fault_and_no_traceback(tmp_path: Path) -> None:
    first, gone = draw_photo(tmp_path / "a.jpg", 1), tmp_path / "gone.jpg"
    facts = read_facts([first, gone])
    assert facts[0].fault == ""
    assert "No such file" in facts[1].fault


def test_a_file_name_is_text_and_never_markup(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "photos", {"knit": 2, "suit": 2})
    name = "<img src=x onerror=alert(1)>.jpg"
    (folder / "knit" / name).write_bytes((folder / "knit" / "000.jpg").read_bytes())
    report, manifest = _check(folder)
    page = write_check(report, manifest, TAXONOMY.find("style"), tmp_path / "into").read_text("utf-8")
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_the_page_is_readable_on_a_phone_and_at_a_desk(spoilt: Path, tmp_path: Path, window: Browser) -> None:
    report, manifest = _check(spoilt)
    page = write_check(report, manifest, TAXONOMY.find("style"), tmp_path / "into")
    for width in (390, 1280):
        window.resize(width, 844)
        window.open(page.as_uri())
        assert window.run("return document.documentElement.scrollWidth") <= width
        heights = window.run("return [...document.images].map(i => (i.loading = 'eager', i.decode(), i.height))")
        assert min(heights) > 100
    text = window.find("main").text
    assert "니트" in text
    assert "Knit" in text
    shown = window.run("return [...document.querySelectorAll('article')].map(a => a.querySelectorAll('img').length)")
    assert Counter(shown) == Counter({2: 4, 1: 1})
    window.wait(lambda: window.run("return [...document.images].every(i => i.naturalWidth > 0)"))
    assert window.complaints() == []


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MAPSI_MODEL", str(write_colour_model(tmp_path / "model", TAXONOMY)))

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(main, [str(word) for word in words])

    return invoke


def test_from_a_folder_to_a_page_and_a_split(run: Any, colours: Path, tmp_path: Path) -> None:
    into = tmp_path / "into"
    made = run("dataset", "check", colours, "--into", into, "--min-side", 48, "--json", tmp_path / "f.json")
    assert made.exit_code == 0, made.output
    assert "48 photos, 48 kept" in made.output
    assert "knit/stray.png: It is in knit, but looks like suit" in made.output
    assert "Only 24 photos" in made.output
    assert json.loads((tmp_path / "f.json").read_text("utf-8"))["kinds"]["label"]["found"] >= 2
    assert sorted(p.name for p in into.iterdir()) == ["findings.csv", "findings.json", "manifest.csv", "report.html"]
    divided = run("dataset", "split", into / "manifest.csv", "--into", into / "split.csv")
    assert divided.exit_code == 0, divided.output
    manifest = read_manifest(into / "split.csv")
    assert {part: len(manifest.part(part)) for part in ("train", "validation", "test")} == {
        "train": 30,
        "validation": 8,
        "test": 10,
    }


@pytest.mark.parametrize("case", ["nothing", "no classes", "no class of an axis", "another axis", "a file", "within"])
def test_what_cannot_be_checked_ends_in_a_sentence(run: Any, tmp_path: Path, case: str) -> None:
    folder = tmp_path / "photos"
    words: list[object] = ["--no-model"]
    match case:
        case "nothing":
            expected = (7, "cannot be read")
        case "no classes":
            folder.mkdir()
            expected = (7, "has no class folders")
        case "no class of an axis":
            make_folder(folder, {"knit": 1, "toga": 1})
            expected = (2, "lacks toga")
        case "another axis":
            make_folder(folder, {"knit": 1, "suit": 1})
            words += ["--axis", "garment"]
            expected = (7, "is not a class of the axis garment")
        case "a file":
            make_folder(folder, {"knit": 1, "suit": 1})
            (tmp_path / "file").touch()
            words += ["--into", tmp_path / "file" / "into"]
            expected = (7, "cannot be written to")
        case _:
            make_folder(folder, {"knit": 1, "suit": 1})
            words += ["--into", folder / "check"]
            expected = (2, "every folder is a class")
    ended = run("dataset", "check", folder, *words)
    assert (ended.exit_code, expected[1] in ended.output) == (expected[0], True), ended.output
    assert isinstance(ended.exception, SystemExit)


def test_a_full_disk_ends_in_a_sentence_and_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "photos", {"knit": 4, "suit": 4})
    (folder / "knit" / "copy.jpg").write_bytes((folder / "knit" / "001.jpg").read_bytes())
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000)); from mapsi.cli import main; main()"
    )
    into = tmp_path / "into"
    words = ["dataset", "check", str(folder), "--no-model", "--into", str(into), "--min-side", "48"]
    ended = subprocess.run(
        [sys.executable, "-c", script, *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "MAPSI_HOME": str(tmp_path / "home")},
    )
    assert ended.returncode == 1, ended.stderr
    assert "Check the disk" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(into.iterdir()) == []


def test_a_photo_taken_away_meanwhile_is_named(spoilt: Path) -> None:
    def embed(paths: Any, progress: Advance) -> npt.NDArray[np.float32]:
        raise PhotoError(f"{paths[0]}: The file cannot be opened.", "Check its rights.")

    with pytest.raises(PhotoError, match=r"knit/000\.jpg"):
        _check(spoilt, embed=embed)
