"""A split into three parts: what belongs together stays together, shares hold within a bound, a seed is a promise."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mapsi.cli import main
from mapsi.collect.review.journal import Decision, Journal
from mapsi.dataset.manifest import Entry, Manifest, read_manifest, write_manifest
from mapsi.dataset.parts import SplitShares, divide
from mapsi.dataset.photos import Sample
from mapsi.dataset.split import allot, group_samples
from mapsi.dataset.twins import perceptual_hashes
from mapsi.errors import UsageError
from test_dataset import make_folder

CLASSES = ["knit", "suit", "shirt"]
PHOTOS = st.lists(st.tuples(st.sampled_from(CLASSES), st.integers(0, 40)), min_size=1, max_size=120)


@settings(max_examples=80, deadline=None)
@given(PHOTOS, st.floats(0, 0.4), st.floats(0, 0.4), st.integers(0, 3))
def test_groups_stay_whole_and_no_part_gets_more_than_it_wants(
    photos: list[tuple[str, int]], first: float, second: float, seed: int
) -> None:
    labels, groups = [cls for cls, _ in photos], [group for _, group in photos]
    counts = Counter(labels)
    wanted = [{cls: share * n for cls, n in counts.items()} for share in (first, second)]
    parts = allot(labels, groups, wanted, np.random.default_rng(seed))
    assert parts == allot(labels, groups, wanted, np.random.default_rng(seed))
    for group in set(groups):
        assert len({part for part, g in zip(parts, groups, strict=True) if g == group}) == 1
    for part, want in enumerate(wanted, start=1):
        got = Counter(label for label, p in zip(labels, parts, strict=True) if p == part)
        assert all(got[cls] <= want[cls] + 0.5 and (want[cls] > 0 or not got[cls]) for cls in counts)


@settings(max_examples=50, deadline=None)
@given(
    st.fixed_dictionaries({cls: st.integers(1, 200) for cls in CLASSES}),
    st.floats(0, 0.4),
    st.floats(0, 0.4),
    st.integers(0, 3),
)
def test_photos_that_do_not_hang_together_get_exactly_their_shares(
    sizes: dict[str, int], first: float, second: float, seed: int
) -> None:
    labels = [cls for cls, n in sizes.items() for _ in range(n)]
    wanted = [{cls: share * n for cls, n in sizes.items()} for share in (first, second)]
    parts = allot(labels, range(len(labels)), wanted, np.random.default_rng(seed))
    for part, want in enumerate(wanted, start=1):
        got = Counter(label for label, p in zip(labels, parts, strict=True) if p == part)
        assert all(abs(got[cls] - want[cls]) <= 0.5 + 1e-9 for cls in sizes)


def test_the_default_is_the_papers_and_never_over_a_fifth_of_a_class() -> None:
    test, validation = SplitShares().wanted({"large": 500, "small": 100})
    assert test == {"large": 80, "small": 20}
    assert validation == {"large": pytest.approx(84), "small": pytest.approx(16)}


def test_shares_of_ones_choice_are_of_the_whole() -> None:
    test, validation = SplitShares(fixed=(0.7, 0.2, 0.1)).wanted({"knit": 200})
    assert (test["knit"], validation["knit"]) == (pytest.approx(20), pytest.approx(40))


@pytest.mark.parametrize("shares", [(0.7, 0.2, 0.2), (1.2, -0.1, -0.1), (0.0, 0.5, 0.5)])
def test_shares_that_make_no_whole_are_refused(shares: tuple[float, float, float]) -> None:
    with pytest.raises(UsageError, match="do not sum to 1"):
        SplitShares(fixed=shares)


def _manifest(folder: Path, blocks: dict[str, str] | None = None) -> Manifest:
    paths = sorted(folder.rglob("*.jpg"))
    named = blocks or {}
    return Manifest(
        tuple(Entry(Sample(p, {"style": p.parent.name}, block=named.get(p.name, "")), "kept") for p in paths)
    )


def test_twins_and_one_senders_photos_never_stand_on_both_sides(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, {"knit": 20, "suit": 20})
    for i in range(8):
        Image.open(folder / "knit" / f"{i:03}.jpg").resize((72, 96)).save(folder / "knit" / f"twin{i}.jpg", quality=70)
    senders = {f"{i:03}.jpg": f"sender {i % 3}" for i in range(10, 16)}
    manifest = _manifest(folder, senders)
    samples = [entry.sample for entry in manifest.entries]
    groups = group_samples(samples, perceptual_hashes([s.path for s in samples]))
    for seed in range(4):
        divided = divide(manifest, "style", SplitShares(), seed).manifest
        sides: dict[int, set[str]] = {}
        for entry, group in zip(divided.entries, groups, strict=True):
            sides.setdefault(group, set()).add(entry.part)
        assert all(len(parts) == 1 for parts in sides.values())
        assert {entry.part for entry in divided.entries} == {"train", "validation", "test"}
    assert divide(manifest, "style", SplitShares(), 3).manifest == divided
    assert divide(manifest, "style", SplitShares(), 2).manifest != divided


def test_a_class_whose_photos_hang_together_is_reported(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, {"knit": 12, "suit": 12})
    manifest = _manifest(folder)
    entries = [
        Entry(Sample(e.sample.path, e.sample.labels, block="sender 1"), "kept")
        if e.sample.labels["style"] == "suit"
        else e
        for e in manifest.entries
    ]
    division = divide(Manifest(tuple(entries)), "style", SplitShares(), 0)
    assert division.counts["suit"] == {"train": 12}
    assert [sentence.split(":")[0] for sentence in division.shortages] == ["suit", "suit"]
    assert "0 instead of 2 photos for test" in division.shortages[0]


def test_a_class_too_small_to_set_any_photo_apart_is_reported(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, {"knit": 1, "suit": 2, "shirt": 20})
    division = divide(_manifest(folder), "style", SplitShares(), 0)
    assert division.counts["knit"] == {"train": 1}
    assert division.shortages == (
        "knit: none for test, it has 1 photo only.",
        "knit: none for validation, it has 1 photo only.",
        "suit: none for test, it has 2 photos only.",
        "suit: none for validation, it has 2 photos only.",
    )


def test_what_a_check_left_out_stays_out_and_an_unreadable_photo_joins_it(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, {"knit": 10, "suit": 10})
    manifest = _manifest(folder)
    entries = (Entry(manifest.entries[0].sample, "left-out", "It is tiny."), *manifest.entries[1:])
    (folder / "suit" / "003.jpg").write_bytes(b"nothing")
    divided = divide(Manifest(entries), "style", SplitShares(), 0).manifest
    reasons = {entry.sample.path.name: entry.reason for entry in divided.entries if entry.part == "left-out"}
    assert reasons["000.jpg"] == "It is tiny."
    assert "not a photo" in reasons["003.jpg"]
    assert len(reasons) == 2


@pytest.fixture
def run() -> Any:
    return lambda *words: CliRunner().invoke(main, ["dataset", "split", *map(str, words)])


def test_the_command_writes_a_manifest_and_tells_a_table(run: Any, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "photos", {"knit": 20, "suit": 20})
    made: Result = run(folder, "--shares", "0.5,0.25,0.25", "--into", tmp_path / "split.csv")
    assert made.exit_code == 0, made.output
    assert [line.split() for line in made.output.splitlines() if line.split()[:1] == ["knit"]] == [
        ["knit", "10", "5", "5", "0"]
    ]
    manifest = read_manifest(tmp_path / "split.csv")
    assert len(manifest.part("train")) == 20
    assert all(sample.path.is_file() for sample in manifest.part("test"))
    again: Result = run(tmp_path / "split.csv", "--shares", "0.5,0.25,0.25", "--into", tmp_path / "again.csv")
    assert again.exit_code == 0, again.output
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "split.csv").read_bytes()


def test_a_manifest_whose_photos_are_gone_says_how_many_and_the_first(run: Any, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "photos", {"knit": 5, "suit": 5})
    write_manifest(tmp_path / "m.csv", _manifest(folder))
    for name in ("003.jpg", "004.jpg"):
        (folder / "knit" / name).unlink()
    ended: Result = run(tmp_path / "m.csv", "--into", tmp_path / "split.csv")
    assert ended.exit_code == 7
    assert "2 of the 10 photos" in ended.output
    assert "003.jpg" in ended.output
    assert not (tmp_path / "split.csv").exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--shares", "0.7,0.3"], "is not three numbers"),
        (["--shares", "0.7,0.2,0.2"], "do not sum to 1"),
        (["--shares", "0.7,0.2,0.1", "--test-per-class", "5"], "one of the two"),
    ],
)
def test_shares_that_make_no_sense_are_named(run: Any, tmp_path: Path, words: list[str], named: str) -> None:
    folder = make_folder(tmp_path / "photos", {"knit": 2, "suit": 2})
    ended: Result = run(folder, "--into", tmp_path / "split.csv", *words)
    assert ended.exit_code == 2
    assert named in ended.output


def test_what_a_person_decided_in_a_review_stands_in_the_manifest_before_it_is_carried_out(
    run: Any, tmp_path: Path
) -> None:
    folder = make_folder(tmp_path / "photos", {"knit": 6, "suit": 6})
    journal = Journal.open(folder)
    journal.decide("knit/000.jpg", Decision("drop", None))
    journal.decide("knit/001.jpg", Decision("move", "suit"))
    journal.decide("knit/002.jpg", Decision("drop", None))
    journal.undo("knit")
    commands = (
        ["split", folder, "--into", tmp_path / "split.csv"],
        ["check", folder, "--no-model", "--into", tmp_path],
    )
    for words, file in zip(commands, ("split.csv", "manifest.csv"), strict=True):
        done = CliRunner().invoke(main, ["dataset", *map(str, words)])
        assert done.exit_code == 0, done.output
        assert "By the review: 1 left out, 1 moved to another class." in done.output
        entries = {e.sample.path.relative_to(folder).as_posix(): e for e in read_manifest(tmp_path / file).entries}
        assert entries["knit/000.jpg"].reason == "A person dropped it in the review."
        assert entries["knit/001.jpg"].sample.labels == {"style": "suit"}
        assert entries["knit/002.jpg"].part != "left-out"
        assert len(entries) == 12
