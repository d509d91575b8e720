"""From folders to a manifest: blocks and near-twins stay on one side, and the answer is always the same."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Literal
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from mapsi.dataset.manifest import Entry, Manifest, build_manifest, read_manifest, write_manifest
from mapsi.dataset.photos import Sample, read_labels
from mapsi.dataset.plan import PhotoFolder, gather, read_plan
from mapsi.dataset.split import group_samples, hold_out
from mapsi.dataset.twins import TWIN_DISTANCE, join, perceptual_hashes, twin_pairs
from mapsi.errors import ArtifactError, NotFoundError, PhotoError
from mapsi.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()


def draw_photo(path: Path, seed: int) -> Path:
    """A drawing unlike that of any other seed."""
    rng = np.random.default_rng(seed)
    photo = Image.new("RGB", (96, 128), tuple(rng.integers(0, 256, 3)))
    pen = ImageDraw.Draw(photo)
    for _ in range(14):
        x, y = rng.integers(0, 80), rng.integers(0, 110)
        pen.rectangle((x, y, x + rng.integers(8, 50), y + rng.integers(8, 50)), fill=tuple(rng.integers(0, 256, 3)))
    path.parent.mkdir(parents=True, exist_ok=True)
    photo.save(path, quality=92)
    return path


def make_folder(root: Path, classes: dict[str, int], start: int = 0) -> Path:
    """CLASS/*.jpg with the given numbers of drawings."""
    seed = start
    for name, count in classes.items():
        for i in range(count):
            draw_photo(root / name / f"{i:03}.jpg", seed)
            seed += 1
    return root


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=64, max_size=64), min_size=2, max_size=8), st.integers(0, 64))
def test_twins_are_those_that_a_loop_over_all_pairs_finds(rows: list[list[bool]], distance: int) -> None:
    hashes = np.array(rows)
    slow = [
        (i, j) for i in range(len(rows)) for j in range(i + 1, len(rows)) if sum(hashes[i] != hashes[j]) <= distance
    ]
    assert twin_pairs(hashes, distance) == slow


@given(st.integers(1, 12), st.data())
def test_joined_things_share_a_group_and_others_do_not(count: int, data: st.DataObject) -> None:
    number = st.integers(0, count - 1)
    pairs = data.draw(st.lists(st.tuples(number, number), max_size=12))
    groups = join(count, pairs)
    slow = {i: {i} for i in range(count)}
    for a, b in pairs:
        merged = slow[a] | slow[b]
        for i in merged:
            slow[i] = merged
    assert all((groups[i] == groups[j]) == (j in slow[i]) for i in range(count) for j in range(count))


def test_a_smaller_and_recompressed_copy_is_a_twin_and_another_drawing_is_not(tmp_path: Path) -> None:
    first = draw_photo(tmp_path / "a.jpg", 1)
    copy = tmp_path / "b.jpg"
    Image.open(first).resize((72, 96)).save(copy, quality=60)
    other = draw_photo(tmp_path / "c.jpg", 2)
    assert twin_pairs(perceptual_hashes([first, copy, other]), TWIN_DISTANCE) == [(0, 1)]


def test_an_unreadable_photo_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"nothing")
    with pytest.raises(PhotoError, match=r"bad\.jpg"):
        perceptual_hashes([bad])


def _samples(blocks: dict[str, list[str]]) -> list[Sample]:
    return [
        Sample(Path(f"{block}-{i}.jpg"), {"style": cls}, block=block)
        for block, classes in blocks.items()
        for i, cls in enumerate(classes)
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text("abcdefgh", min_size=1, max_size=3),
        st.lists(st.sampled_from(["knit", "suit"]), min_size=1, max_size=6),
        min_size=1,
    ),
    st.floats(0.05, 0.5),
    st.integers(0, 5),
)
def test_a_hold_out_takes_whole_groups_and_never_much_more_than_its_share(
    blocks: dict[str, list[str]], share: float, seed: int
) -> None:
    samples = _samples(blocks)
    groups = [list(blocks).index(s.block) for s in samples]
    held = hold_out(samples, groups, "style", share, np.random.default_rng(seed))
    assert held == hold_out(samples, groups, "style", share, np.random.default_rng(seed))
    for group in set(groups):
        assert len({out for out, g in zip(held, groups, strict=True) if g == group}) == 1
    for cls in ("knit", "suit"):
        of_class = [out for out, s in zip(held, samples, strict=True) if s.labels["style"] == cls]
        assert sum(of_class) <= share * len(of_class) + 0.5


def test_photos_of_one_block_and_near_twins_share_a_group(tmp_path: Path) -> None:
    paths = [draw_photo(tmp_path / f"{i}.jpg", i) for i in range(4)]
    Image.open(paths[3]).save(tmp_path / "copy.jpg", quality=70)
    blocks = ["anna", "anna", "", "", ""]
    samples = [Sample(p, {}, block=b) for p, b in zip([*paths, tmp_path / "copy.jpg"], blocks, strict=True)]
    groups = group_samples(samples, perceptual_hashes([s.path for s in samples]))
    assert groups[0] == groups[1]
    assert groups[3] == groups[4]
    assert len(set(groups)) == 3


def _labels(folder: Path, rows: list[dict[str, str]]) -> Path:
    file = folder / "labels.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, ["path", "sender", "proxy"])
        writer.writeheader()
        writer.writerows(rows)
    return file


def test_labels_tell_senders_and_proxies(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "style", {"knit": 2, "suit": 1})
    rows = [
        {"path": "knit/000.jpg", "sender": "7", "proxy": "yes"},
        {"path": "suit/000.jpg", "sender": "7", "proxy": "no"},
    ]
    samples = gather(PhotoFolder(folder, "style", "split", _labels(folder, rows)), TAXONOMY)
    assert [s.proxy for s in samples] == [True, False, False]
    assert samples[0].block == samples[2].block != samples[1].block


def test_one_senders_photos_stay_together_however_many_they_are(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "style", {"knit": 30})
    rows = [{"path": f"knit/{i:03}.jpg", "sender": "7", "proxy": "no"} for i in range(30)]
    samples = gather(PhotoFolder(folder, "style", "split", _labels(folder, rows)), TAXONOMY)
    assert {s.block for s in samples} == {"sender 7"}


def test_a_class_may_tell_another_axis_too_but_is_not_measured_on_it(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "style", {"one-piece": 10, "knit": 10})
    entry = PhotoFolder(folder, "style", "split", also={"one-piece": ("garment", "dress")})
    manifest = build_manifest([entry], TAXONOMY, 0.3, np.random.default_rng(0))
    train = [s.labels for s in manifest.part("train") if s.labels["style"] == "one-piece"]
    held = [s.labels for s in manifest.part("validation")]
    assert train
    assert all(labels == {"style": "one-piece", "garment": "dress"} for labels in train)
    assert held
    assert all(set(labels) == {"style"} for labels in held)


def test_a_twin_of_a_measured_photo_is_not_learned_from(tmp_path: Path) -> None:
    train = make_folder(tmp_path / "train", {"hat": 3, "dress": 3})
    held = make_folder(tmp_path / "held", {"hat": 2}, start=100)
    Image.open(train / "hat" / "001.jpg").save(held / "hat" / "copy.jpg", quality=75)
    plan = [PhotoFolder(train, "garment", "train"), PhotoFolder(held, "garment", "validation")]
    manifest = build_manifest(plan, TAXONOMY, 0.2, np.random.default_rng(0))
    assert manifest.left_out == 1
    assert train / "hat" / "001.jpg" not in [s.path for s in manifest.part("train")]
    assert len(manifest.part("validation")) == 3


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "style", {"knit": 6, "suit": 6})
    odd = make_folder(tmp_path / "odd", {"x": 4}, start=50)
    plan = [
        PhotoFolder(folder, "style", "split", unsure={"suit": "garment"}),
        PhotoFolder(odd, "", "split", nothing=True),
    ]
    manifest = build_manifest(plan, TAXONOMY, 0.3, np.random.default_rng(1))
    write_manifest(tmp_path / "m.csv", manifest, tmp_path)
    again = read_manifest(tmp_path / "m.csv", tmp_path)
    flat = [(e.part, e.sample.path, dict(e.sample.labels), e.sample.nothing) for e in manifest.entries]
    assert flat == [(e.part, e.sample.path, dict(e.sample.labels), e.sample.nothing) for e in again.entries]
    assert [e.sample.unsure for e in manifest.entries] == [e.sample.unsure for e in again.entries]
    assert Counter(e.sample.nothing for e in again.entries)[True] == 4
    assert again.classes(TAXONOMY) == {"style": ("suit", "knit")}


def test_a_photo_left_out_comes_back_with_its_reason_and_its_block(tmp_path: Path) -> None:
    first = Sample(tmp_path / "knit" / "1.jpg", {"style": "knit"}, block="sender 7")
    second = Sample(Path("/elsewhere/2.jpg"), {"style": "suit"}, block="/elsewhere/2.jpg")
    parts = [Entry(first, "test"), Entry(second, "left-out", "It is tiny.")]
    write_manifest(tmp_path / "m.csv", Manifest(tuple(parts)))
    again = read_manifest(tmp_path / "m.csv")
    assert again.entries[0] == parts[0]
    assert again.entries[1].reason == "It is tiny."
    assert again.entries[1].sample.path == second.path
    assert again.left_out == 1
    assert again.part("test") == [first]
    assert again.gone() == [first.path]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("path,part\nknit/1.jpg,tset\n", "'tset'"),
        ("path,part\n,train\n", "without a path"),
        ("part\ntrain\n", "without a path"),
        ("path,part\n", "names no photos"),
        ("", "names no photos"),
    ],
)
def test_a_fault_in_a_manifest_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "m.csv").write_text(text, "utf-8")
    with pytest.raises(ArtifactError, match=named):
        read_manifest(tmp_path / "m.csv")


def test_labels_that_name_none_of_the_photos_are_reported(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "style", {"knit": 2, "suit": 1})
    labels = _labels(folder, [{"path": "train/knit/000.jpg", "sender": "7", "proxy": "no"}])
    with pytest.raises(ArtifactError, match="none of the photos"):
        gather(PhotoFolder(folder, "style", "split", labels), TAXONOMY)


def test_labels_with_rows_too_short_or_too_long_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("path,source,sender\na.jpg\nb.jpg,shop,7,more,cells\n", "utf-8")
    assert read_labels(tmp_path / "labels.csv") == {
        "a.jpg": {"path": "a.jpg", "source": "", "sender": ""},
        "b.jpg": {"path": "b.jpg", "source": "shop", "sender": "7"},
    }


def test_an_axis_with_one_class_is_not_learned() -> None:
    entries = build_entries({"knit": 3})
    assert Manifest(entries).classes(TAXONOMY) == {}


def build_entries(classes: dict[str, int]):  # type: ignore[no-untyped-def]
    return tuple(Entry(Sample(Path(f"{c}{i}"), {"style": c}), "train") for c, n in classes.items() for i in range(n))


PLAN = """
[[photos]]
folder = "style"
axis = "style"
part = "split"
also = { one-piece = "garment:dress" }
[[photos]]
folder = "odd"
nothing = true
"""


def test_a_plan_is_read_with_its_folders(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(PLAN, "utf-8")
    first, second = read_plan(file)
    assert first.folder == tmp_path / "style"
    assert first.also == {"one-piece": ("garment", "dress")}
    assert second.nothing
    assert read_plan(file, Path("/photos"))[1].folder == Path("/photos/odd")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_plan_is_read_however_an_editor_saved_it_and_finds_its_folders(
    tmp_path: Path, encoding: str, form: Literal["NFC", "NFD"]
) -> None:
    other: Literal["NFC", "NFD"] = "NFD" if form == "NFC" else "NFC"
    folder = tmp_path / normalize(other, "훈련")
    folder.mkdir()
    (folder / normalize(other, "이름표.csv")).write_bytes(b"path,sender\n")
    plan = '# 계획\r\n[[photos]]\r\nfolder = "훈련"\r\naxis = "garment"\r\nlabels = "훈련/이름표.csv"\r\nclasses = ["원피스"]\r\n'
    file = tmp_path / "plan.toml"
    file.write_bytes(normalize("NFC" if encoding == "cp949" else form, plan).encode(encoding))
    (entry,) = read_plan(file)
    assert entry.folder.is_dir()
    assert entry.labels is not None
    assert entry.labels.is_file()
    assert entry.classes == ("원피스",)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("[[photos]]", "[photos"), "not TOML"),
        (('folder = "odd"', ""), "names no folder"),
        (('part = "split"', 'part = "tset"'), "part is 'tset'"),
        (("nothing = true", "nothin = true"), "nothin"),
        (('"garment:dress"', '"dress"'), "also has 'dress'"),
        (('axis = "style"\n', ""), "names no axis"),
        (('folder = "odd"', "folder = 7"), "entry 2: folder is 7"),
        (("nothing = true", 'nothing = "yes"'), "nothing is 'yes'"),
        (('also = { one-piece = "garment:dress" }', 'also = "garment"'), "also is 'garment'"),
        (('also = { one-piece = "garment:dress" }', "also = { one-piece = 3 }"), "also is"),
        (('also = { one-piece = "garment:dress" }', 'classes = ["knit", 4]'), "classes is"),
    ],
)
def test_a_fault_in_a_plan_is_named(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    assert change[0] in PLAN
    file = tmp_path / "plan.toml"
    file.write_text(PLAN.replace(*change), "utf-8")
    with pytest.raises(ArtifactError, match=named):
        read_plan(file)


def test_a_folder_that_is_no_class_is_named(tmp_path: Path) -> None:
    make_folder(tmp_path, {"toga": 1})
    with pytest.raises(ArtifactError, match="toga"):
        gather(PhotoFolder(tmp_path, "style", "split"), TAXONOMY)
    with pytest.raises(NotFoundError):
        gather(PhotoFolder(tmp_path, "mood", "split"), TAXONOMY)
    with pytest.raises(ArtifactError, match="no class folders"):
        gather(PhotoFolder(tmp_path / "toga", "style", "split"), TAXONOMY)
