"""Folders of photos as they arrive from Macs, NAS boxes and Korean Windows: what is a photo, what is skipped, whose
labels."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mapsi.cli import main
from mapsi.dataset.manifest import Entry, Manifest, read_manifest, write_manifest
from mapsi.dataset.photos import read_labels
from mapsi.dataset.plan import PhotoFolder, gather
from mapsi.evaluate import labelled_photos
from mapsi.file_names import OnDisk, is_leftover, is_text
from mapsi.photo_folders import SUFFIXES, class_folders, passed_over, photo_files, scan_classes
from mapsi.taxonomy import load_taxonomy


def make_folder(root: Path, classes: dict[str, int]) -> Path:
    """CLASS/*.jpg with the given numbers of pictures, no two alike."""
    for name, count in classes.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            noise = np.random.default_rng([len(name), ord(name[-1]), i]).integers(0, 256, (8, 8, 3), np.uint8)
            Image.fromarray(noise).resize((128, 128), Image.Resampling.NEAREST).save(root / name / f"{i:03}.jpg")
    return root


TAXONOMY = load_taxonomy()
LEAVINGS = ["._a.jpg", ".DS_Store", ".hidden.jpg", "Thumbs.db", "ehthumbs_vista.db", "desktop.ini", "~$a.jpg"]
LEFT_FOLDERS = ["@eaDir", "#recycle", "__MACOSX", "$RECYCLE.BIN", "#snapshot", ".thumbnails", "lost+found", "@SynologyDrive", "@Transcode", "RECYCLER", "FOUND.000", "Network Trash Folder"]  # fmt: skip


def apart(name: str) -> str:
    return unicodedata.normalize("NFD", name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos", {"dress": 3, "hat": 2})


@pytest.mark.parametrize("left", LEAVINGS)
def test_leavings_beside_photos_are_no_photos(folder: Path, left: str) -> None:
    before = list(scan_classes(folder))
    (folder / "dress" / left).write_bytes(b"Mac OS X")
    (folder / left).write_bytes(b"Mac OS X")
    assert list(scan_classes(folder)) == before
    first = min(left, f"dress/{left}")
    assert passed_over(folder) == [f"Skipped as system files: {first} and 1 more."]


@pytest.mark.parametrize("left", LEFT_FOLDERS)
@pytest.mark.parametrize("place", ["", "dress"])
def test_folders_that_systems_leave_are_no_classes(folder: Path, left: str, place: str) -> None:
    before = list(scan_classes(folder))
    make_folder(folder / place, {left: 2})
    assert list(scan_classes(folder)) == before
    assert {path.name for path in class_folders(folder)} == {"dress", "hat"}
    assert len(labelled_photos(folder)) == 5
    assert len(passed_over(folder)) == 1


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".JPG", ".avif", ".tif", ".Jpeg"])
def test_photos_by_whatever_name_are_taken(folder: Path, suffix: str) -> None:
    (folder / "dress" / f"x{suffix}").write_bytes(b"x")
    assert len(photo_files(folder / "dress")) == 4
    assert not passed_over(folder)


def test_what_is_passed_over_is_told_one_by_one(folder: Path) -> None:
    make_folder(folder / "dress", {"sub": 2})
    (folder / "hat" / "clip.mp4").write_bytes(b"x")
    (folder / "hat" / "no-suffix").write_bytes(b"x")
    (folder / "first.jpg").write_bytes(b"x")
    assert passed_over(folder) == [
        "first.jpg is skipped: it is not in a class folder.",
        "dress/sub/000.jpg is skipped: it is not directly inside a class folder.",
        "dress/sub/001.jpg is skipped: it is not directly inside a class folder.",
        "hat/clip.mp4 is skipped: its name does not end like a photo's.",
        "hat/no-suffix is skipped: its name does not end like a photo's.",
    ]


@pytest.mark.parametrize("command", ["check", "split"])
def test_the_commands_say_what_is_skipped(folder: Path, tmp_path: Path, command: str) -> None:
    make_folder(folder / "dress", {"sub": 1})
    rows = ["path,sender", "dress/000.jpg,kim", "hat/gone.jpg,lee", r".\dress\000.jpg,park"]
    (folder / "labels.csv").write_text("\n".join(rows), "utf-8")
    rest = ["--no-model"] if command == "check" else ["--into", str(tmp_path / "s.csv")]
    ran = CliRunner().invoke(main, ["dataset", command, str(folder), "--axis", "garment", *rest])
    assert ran.exit_code == 0, ran.output
    assert "dress/sub/000.jpg is skipped" in ran.output
    assert "name photos that are not there: hat/gone.jpg." in ran.output
    assert "have several rows for dress/000.jpg; the last one counts." in ran.output


def test_a_name_that_is_no_text_is_passed_over_and_told(folder: Path, tmp_path: Path) -> None:
    photo = next((folder / "dress").glob("*.jpg"))
    for place in (folder / "dress", folder):
        try:
            Path(os.fsdecode(bytes(place) + b"/bad\xff.jpg")).write_bytes(photo.read_bytes())
        except OSError:
            pytest.skip("this disk takes names in UTF-8 only")
    assert all(is_text(path.name) for path, _ in scan_classes(folder))
    told = passed_over(folder)
    assert [line for line in told if "not in UTF-8" in line] == [
        "bad\\udcff.jpg is skipped: its name is not in UTF-8.",
        "dress/bad\\udcff.jpg is skipped: its name is not in UTF-8.",
    ]
    checked = CliRunner().invoke(
        main, ["dataset", "check", str(folder), "--axis", "garment", "--no-model", "--into", str(tmp_path / "into")]
    )
    assert checked.exit_code == 0, checked.output


def test_a_link_that_leads_nowhere_is_told_as_such(folder: Path) -> None:
    (folder / "dress" / "link.jpg").symlink_to("nowhere.jpg")
    (folder / "dress" / "self.jpg").symlink_to("self.jpg")
    told = [line for line in passed_over(folder) if "leads nowhere" in line]
    assert [line.split()[0] for line in told] == ["dress/link.jpg", "dress/self.jpg"]


def test_labels_may_name_photos_by_their_whole_paths(folder: Path) -> None:
    photo = next((folder / "dress").glob("*.jpg"))
    (folder / "labels.csv").write_text(f"path,sender\n{photo.absolute()},kim\n")
    assert list(read_labels(folder / "labels.csv")) == [f"dress/{photo.name}"]


def test_what_people_call_their_photos_is_no_leaving() -> None:
    assert not any(map(is_leftover, ["thumbs.jpg", "a._b.jpg", "@work.jpg", "#1.jpg", "원피스.jpg"]))
    assert all(suffix == suffix.lower() for suffix in SUFFIXES)


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_disk", [str, apart])
@pytest.mark.parametrize("in_table", [str, apart, lambda path: path.replace("/", "\\"), lambda path: f"./{path}"])
def test_labels_are_found_however_the_letters_of_a_name_are_written(folder: Path, on_disk, in_table) -> None:  # type: ignore[no-untyped-def]
    (folder / "dress" / "000.jpg").rename(folder / "dress" / on_disk("원피스 사진.jpg"))
    (folder / "labels.csv").write_text(f"path,sender\n{in_table('dress/원피스 사진.jpg')},kim\n", "utf-8")
    samples = gather(PhotoFolder(folder, "garment", "split", folder / "labels.csv"), TAXONOMY)
    assert [sample.block for sample in samples if sample.path.name[0] != "0"] == ["sender kim"]


@pytest.mark.parametrize("on_disk", [str, apart])
@pytest.mark.parametrize("written", [str, apart])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_a_manifest_finds_its_photos_after_another_system_had_them(
    folder: Path,
    tmp_path: Path,
    on_disk,
    written,
    encoding: str,  # type: ignore[no-untyped-def]
) -> None:
    name = "dress/원피스.jpg"
    (folder / "dress" / "000.jpg").rename(folder / on_disk(name))
    samples = gather(PhotoFolder(folder, "garment", "split"), TAXONOMY)
    write_manifest(tmp_path / "m.csv", Manifest(tuple(Entry(sample, "train") for sample in samples)))
    text = (
        (tmp_path / "m.csv").read_text("utf-8").replace(on_disk(name), written(name) if encoding != "cp949" else name)
    )
    (tmp_path / "m.csv").write_bytes(text.encode(encoding))
    assert {entry.sample.path for entry in read_manifest(tmp_path / "m.csv").entries} == {s.path for s in samples}


def test_a_name_is_found_in_folders_whose_names_are_apart_too(tmp_path: Path) -> None:
    there = tmp_path / apart("옷") / apart("셔츠.jpg")
    there.parent.mkdir()
    there.write_bytes(b"x")
    disk = OnDisk()
    assert disk.find(tmp_path / "옷" / "셔츠.jpg") == there
    assert disk.find(tmp_path / "옷" / "없는.jpg") == there.parent / "없는.jpg"
    assert disk.find(tmp_path / "plain.jpg") == tmp_path / "plain.jpg"


# --- tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949", "euc-kr"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("line", ["", "sep={}\r\n"])
def test_labels_are_read_as_spreadsheets_save_them(tmp_path: Path, encoding: str, mark: str, line: str) -> None:
    text = line.format(mark) + "\r\n".join(
        mark.join(row) for row in (["Path", "Sender"], ["dress/원피스.jpg", "김"], ["b.jpg", "-"])
    )
    (tmp_path / "labels.csv").write_bytes(text.encode(encoding))
    assert read_labels(tmp_path / "labels.csv") == {
        "dress/원피스.jpg": {"path": "dress/원피스.jpg", "sender": "김"},
        "b.jpg": {"path": "b.jpg", "sender": ""},
    }


@pytest.mark.parametrize("nothing", ["NULL", "N/A", "\\N", "-", "nan", "없음"])
def test_a_word_for_nothing_is_no_sender_that_photos_share(folder: Path, nothing: str) -> None:
    rows = "".join(f"dress/{n:03}.jpg,{nothing}\n" for n in range(3))
    (folder / "labels.csv").write_text(f"path,sender\n{rows}", "utf-8")
    samples = gather(PhotoFolder(folder, "garment", "split", folder / "labels.csv"), TAXONOMY)
    assert len({sample.block for sample in samples}) == 5
