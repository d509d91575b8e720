"""Reviewing collected photos: the order of doubt, the journal of decisions, and carrying them out."""

from __future__ import annotations

import csv
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Literal
from unicodedata import normalize

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mapsi.cli.review import review as review_command
from mapsi.collect.review import INNER, reviewed_labels
from mapsi.collect.review.applying import apply_review
from mapsi.collect.review.doubt import distances, doubts, percentile_rank
from mapsi.collect.review.journal import COLUMNS, Decision, Journal
from mapsi.collect.review.readings import PhotoReading, read_photos
from mapsi.collect.review.session import Review, ReviewPhoto, axis_of, in_order, list_photos
from mapsi.dataset.plan import PhotoFolder, gather
from mapsi.errors import ArtifactError, NotFoundError, UsageError
from mapsi.infer import Model
from mapsi.taxonomy import load_taxonomy
from small_house import photo_bytes, write_colour_model

TAXONOMY = load_taxonomy()
STYLE = TAXONOMY.find("style")


def fill(folder: Path, **classes: int) -> Path:
    """Class folders (underscores for hyphens) with drawn photos, and their labels as a collection writes them."""
    rows = [["path", "label", "source", "sender", "page", "licence"]]
    for number, (name, count) in enumerate(classes.items()):
        slug = name.replace("_", "-")
        (folder / slug).mkdir(parents=True)
        for i in range(count):
            Image.new("RGB", (60, 75), (40 * number + i, 10 * i, 90)).save(folder / slug / f"{slug}-{i}.jpg")
            rows.append([f"{slug}/{slug}-{i}.jpg", slug, "test", f"sender {i}", "https://example.com/,", "CC0"])
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fill(tmp_path / "photos", knit=4, slacks=3)


def labels(folder: Path) -> dict[str, str]:
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as rows:
        return {row["path"]: row["label"] for row in csv.DictReader(rows)}


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg")}


# --- the order of doubt -----------------------------------------------------------------------------------------------

scores = st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9, 1.0]), max_size=30)


@given(scores)
def test_a_place_is_the_share_of_others_that_are_below_equals_counted_half(values: list[float]) -> None:
    expected = [
        (sum(other < one for other in values) + (sum(other == one for other in values) - 1) / 2) / (len(values) - 1)
        if len(values) > 1
        else 0
        for one in values
    ]
    assert percentile_rank(np.array(values)) == pytest.approx(expected)


@given(scores, st.randoms(use_true_random=False))
def test_the_doubt_of_a_photo_does_not_depend_on_the_order_of_the_others(values: list[float], random: Any) -> None:
    rng = np.random.default_rng(len(values))
    embeddings = unit(rng.normal(size=(len(values), 5)))
    order = list(range(len(values)))
    random.shuffle(order)
    shares = np.array(values)
    assert doubts(shares[order], embeddings[order]) == pytest.approx(doubts(shares, embeddings)[order])


def unit(rows: Any) -> Any:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_strangers_do_not_draw_the_middle_of_a_class_towards_themselves() -> None:
    rng = np.random.default_rng(3)
    own = unit(np.array([1.0, 0, 0]) + rng.normal(0, 0.15, (60, 3)))
    strangers = unit(np.array([0, 1.0, 0]) + rng.normal(0, 0.05, (25, 3)))
    apart = distances(np.concatenate([own, strangers]))
    assert apart[:60].max() < apart[60:].min()
    assert apart[60:].min() > 0.8


def test_a_low_share_and_a_great_distance_count_alike() -> None:
    embeddings = unit(np.array([[1, 0.0], [1, 0.01], [1, 0.02], [1, 0.03], [0.1, 1.0]]))
    shares = np.array([0.01, 0.8, 0.9, 0.7, 0.85])
    doubt = doubts(shares, embeddings)
    assert set(np.argsort(-doubt)[:2]) == {0, 4}
    assert doubts(None, embeddings).argmax() == 4


def test_a_class_of_no_or_one_photo_has_an_order_too() -> None:
    assert doubts(np.zeros(0), np.zeros((0, 4))).tolist() == []
    assert doubts(np.array([0.3]), unit(np.ones((1, 4)))).tolist() == [0]


def reading(share: float, *embedding: float) -> PhotoReading:
    shares = np.array([share, 1 - share], dtype=np.float32)
    return PhotoReading(unit(np.array([embedding], dtype=np.float32))[0], shares)


def test_the_doubtful_come_first_and_the_unreadable_before_them() -> None:
    readings = {
        "knit/a.jpg": reading(0.9, 1, 0),
        "knit/b.jpg": reading(0.1, 0, 1),
        "knit/c.jpg": reading(0.8, 1, 0.1),
    }
    photos = in_order("knit", ["knit/a.jpg", "knit/b.jpg", "knit/c.jpg", "knit/d.jpg"], readings, ("knit", "slacks"))
    assert [photo.path[5] for photo in photos][:2] == ["d", "b"]
    assert not photos[0].readable
    assert photos[1].share == pytest.approx(0.1)
    assert photos[1].guesses == (("slacks", pytest.approx(0.9)), ("knit", pytest.approx(0.1)))


def test_a_class_that_the_model_does_not_know_is_ordered_by_distance_alone() -> None:
    readings = {f"suit/{n}.jpg": reading(n / 10, 1, n == 2) for n in range(3)}
    photos = in_order("suit", list(readings), readings, ("knit", "slacks"))
    assert photos[0].path == "suit/2.jpg"
    assert {photo.share for photo in photos} == {None}


# --- what the model says is kept --------------------------------------------------------------------------------------


class Counting:
    """A model that counts the photos that it is shown."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.seen = 0
        self.fingerprint = model.fingerprint
        self.axes = model.axes

    def read_many(self, photos: Any) -> Any:
        self.seen += len(photos)
        return self.model.read_many(photos)


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_colour_model(tmp_path_factory.mktemp("model") / "colours", TAXONOMY)


@pytest.fixture
def model(model_folder: Path) -> Counting:
    return Counting(Model.open(model_folder, threads=1))


def read(folder: Path, model: Any, axis: str = "style") -> dict[str, PhotoReading]:
    paths = [path for shelf in list_photos(folder).values() for path in shelf]
    return read_photos(folder, paths, model, axis, folder / INNER / "readings.npz")


def test_each_photo_is_read_once_and_again_only_when_it_changed(folder: Path, model: Counting) -> None:
    first = read(folder, model)
    assert (len(first), model.seen) == (7, 7)
    again = read(folder, model)
    assert model.seen == 7
    for path, one in first.items():
        assert np.array_equal(one.embedding, again[path].embedding)
        assert np.array_equal(one.shares, again[path].shares)
    Image.new("RGB", (80, 80), "red").save(folder / "knit/knit-0.jpg")
    assert read(folder, model).keys() == first.keys()
    assert model.seen == 8


def test_a_photo_that_moves_to_another_class_need_not_be_read_again(folder: Path, model: Counting) -> None:
    read(folder, model)
    (folder / "knit/knit-0.jpg").rename(folder / "slacks/knit-0.jpg")
    assert "slacks/knit-0.jpg" in read(folder, model)
    assert model.seen == 7


def test_readings_of_another_model_or_axis_or_damaged_ones_are_made_anew(folder: Path, model: Counting) -> None:
    read(folder, model)
    read(folder, model, "garment")
    assert model.seen == 14
    (folder / INNER / "readings.npz").write_bytes(b"PK\x03\x04 half of it")
    read(folder, model)
    assert model.seen == 21


def test_a_photo_that_cannot_be_read_is_left_out(folder: Path, model: Counting) -> None:
    (folder / "knit/broken.jpg").write_bytes(b"no photo")
    assert "knit/broken.jpg" not in read(folder, model)


def test_a_folder_of_photos_that_cannot_be_read_can_be_reviewed(tmp_path: Path, model: Counting) -> None:
    (tmp_path / "knit").mkdir()
    (tmp_path / "knit/broken.jpg").write_bytes(b"no photo")
    assert read(tmp_path, model) == {}


# --- the journal ------------------------------------------------------------------------------------------------------


def test_a_decision_stands_in_the_journal_at_once(folder: Path) -> None:
    Journal.open(folder).decide("knit/knit-0.jpg", Decision("move", "slacks"))
    with (folder / "review.csv").open(encoding="utf-8", newline="") as rows:
        head, row = csv.reader(rows)
    assert head == list(COLUMNS)
    assert row[1:] == ["knit/knit-0.jpg", "move", "slacks", ""]
    assert row[0].endswith("+00:00")
    assert reviewed_labels(folder) == {"knit/knit-0.jpg": "slacks"}


def test_undoing_is_a_line_and_brings_back_what_stood_before(folder: Path) -> None:
    journal = Journal.open(folder)
    for decision in (Decision("keep", "knit"), Decision("drop", None)):
        journal.decide("knit/knit-0.jpg", decision)
    assert reviewed_labels(folder) == {"knit/knit-0.jpg": None}
    assert journal.undo("knit") == "knit/knit-0.jpg"
    assert reviewed_labels(folder) == {"knit/knit-0.jpg": "knit"}
    assert journal.undo("knit") == "knit/knit-0.jpg"
    assert journal.undo("knit") is None
    assert reviewed_labels(folder) == {}
    assert len((folder / "review.csv").read_text("utf-8").splitlines()) == 5


def test_undo_stays_within_the_class(folder: Path) -> None:
    journal = Journal.open(folder)
    journal.decide("knit/knit-0.jpg", Decision("drop", None))
    journal.decide("slacks/slacks-0.jpg", Decision("drop", None))
    assert journal.undo("knit") == "knit/knit-0.jpg"
    assert journal.undo("knit") is None
    assert list(journal.decisions()) == ["slacks/slacks-0.jpg"]


steps = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["keep", "drop", "move", "undo"])), min_size=1, max_size=25
)


@given(steps=steps, cut=st.integers(0, 400))
def test_a_journal_cut_anywhere_holds_the_decisions_that_were_written_whole(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]], cut: int
) -> None:
    """Against the slow way: a list of decisions a photo, built again from the whole lines alone."""
    folder = tmp_path_factory.mktemp("journal")
    journal = Journal.open(folder)
    for name, kind in steps:
        if kind == "undo":
            journal.undo("knit")
        else:
            journal.decide(f"knit/{name}.jpg", Decision(kind, {"keep": "knit", "drop": None, "move": "suit"}[kind]))  # type: ignore[arg-type]
    file = folder / "review.csv"
    data = file.read_bytes()[:cut] if file.exists() else b""
    file.write_bytes(data)
    stacks: dict[str, list[str]] = {}
    for line in data[: data.rfind(b"\n") + 1].decode().splitlines()[1:]:
        _, path, kind, *_ = line.split(",")
        stacks.setdefault(path, []).append(kind) if kind != "undo" else stacks[path].pop()
    expected = {path: stack[-1] for path, stack in stacks.items() if stack}
    healed = Journal.open(folder)
    assert {path: one.verdict for path, one in healed.decisions().items()} == expected
    healed.decide("knit/z.jpg", Decision("keep", "knit"))
    assert Journal.read(folder).decision("knit/z.jpg") == Decision("keep", "knit")


@pytest.mark.parametrize("line", ["one,two", "t,knit/a.jpg,burn,,", "t,,keep,knit,"])
def test_a_journal_that_is_damaged_is_told_with_its_line(folder: Path, line: str) -> None:
    (folder / "review.csv").write_text(f"{','.join(COLUMNS)}\n{line}\n", "utf-8")
    with pytest.raises(ArtifactError, match="line 2"):
        Journal.read(folder)


@pytest.mark.parametrize(
    "line",
    [
        "t,../../home/a.jpg,drop,,",
        "t,/home/a.jpg,drop,,",
        "t,knit/a.jpg,move,../../elsewhere,",
        "t,knit/a.jpg,moving,knit,/home/a.jpg",
        "t,knit/a.jpg,moving,knit,../a.jpg",
    ],
)
def test_a_strangers_journal_moves_nothing_in_or_out_of_its_folder(folder: Path, line: str) -> None:
    (folder / "review.csv").write_text(f"{','.join(COLUMNS)}\n{line}\n", "utf-8")
    with pytest.raises(ArtifactError, match="outside its folder in line 2"):
        Journal.read(folder)


def test_names_with_commas_quotes_and_hangul_come_back_as_they_were(folder: Path) -> None:
    name = 'knit/니트, "큰" 것.jpg'
    Journal.open(folder).decide(name, Decision("drop", None))
    assert reviewed_labels(folder) == {name: None}


# --- a review ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def review(folder: Path, model: Counting) -> Review:
    photos = list_photos(folder)
    classes = next(axis.classes for axis in model.axes if axis.axis == "style")
    return Review.make(STYLE, photos, read(folder, model), classes, Journal.open(folder))


def test_a_review_counts_what_is_decided_and_knows_where_to_go_on(review: Review) -> None:
    assert [cls.slug for cls in review.classes] == ["knit", "slacks"]
    paths = [photo.path for photo in review.photos("knit")]
    for path, (verdict, cls) in zip(
        paths, [("keep", ""), ("drop", ""), ("move", "suit"), ("move", "knit")], strict=True
    ):
        review.decide(path, verdict, cls)
    tally = review.tally("knit")
    assert (tally.photos, tally.keep, tally.drop, tally.move) == (4, 2, 1, 1)
    assert review.unfinished() == "slacks"
    assert review.undo("knit") == (paths[3], None)
    assert review.unfinished() == "knit"
    assert review.undo("slacks") is None


@pytest.mark.parametrize(
    ("path", "verdict", "cls", "error"),
    [
        ("knit/../labels.csv", "keep", "", NotFoundError),
        ("../outside.jpg", "drop", "", NotFoundError),
        ("knit/knit-0.jpg", "burn", "", UsageError),
        ("knit/knit-0.jpg", "move", "spacesuit", NotFoundError),
        ("knit/knit-0.jpg", "move", "", NotFoundError),
    ],
)
def test_a_decision_about_what_is_not_there_is_refused_and_not_written(
    folder: Path, review: Review, path: str, verdict: str, cls: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        review.decide(path, verdict, cls)
    assert not (folder / "review.csv").exists()


def test_the_axis_is_the_first_that_has_all_the_folders() -> None:
    assert axis_of(TAXONOMY, ["knit", "slacks"], None).slug == "style"
    assert axis_of(TAXONOMY, ["hat"], None).slug == "garment"
    with pytest.raises(UsageError, match="hat is not a class of the axis style"):
        axis_of(TAXONOMY, ["hat", "knit"], None)
    with pytest.raises(UsageError, match="--axis"):
        axis_of(TAXONOMY, ["knit"], "garment")


def test_a_folder_without_photos_is_reported(tmp_path: Path) -> None:
    (tmp_path / "knit").mkdir()
    with pytest.raises(ArtifactError, match="holds no photos"):
        list_photos(tmp_path)


# --- carrying out -----------------------------------------------------------------------------------------------------


def decide(folder: Path, **decisions: str) -> Journal:
    journal = Journal.open(folder)
    for name, cls in decisions.items():
        slug = name.rstrip("0123456789")
        path = f"{slug}/{slug}-{name.removeprefix(slug)}.jpg"
        verdict = {"": "drop", slug: "keep"}.get(cls, "move")
        journal.decide(path, Decision(verdict, cls or None))  # type: ignore[arg-type]
    return journal


def test_dropped_photos_are_set_aside_moved_ones_go_to_their_class_and_the_labels_follow(folder: Path) -> None:
    before = {path: (folder / path).read_bytes() for path in files(folder)}
    done = apply_review(folder, decide(folder, knit0="", knit1="suit", knit2="knit", slacks0="knit"))
    assert (done.moved, done.dropped, done.missing) == (2, 1, ())
    assert files(folder) == {
        ".dropped/knit/knit-0.jpg", "suit/knit-1.jpg", "knit/knit-2.jpg", "knit/knit-3.jpg",
        "knit/slacks-0.jpg", "slacks/slacks-1.jpg", "slacks/slacks-2.jpg",
    }  # fmt: skip
    assert labels(folder) == {
        "suit/knit-1.jpg": "suit", "knit/knit-2.jpg": "knit", "knit/knit-3.jpg": "knit",
        "knit/slacks-0.jpg": "knit", "slacks/slacks-1.jpg": "slacks", "slacks/slacks-2.jpg": "slacks",
    }  # fmt: skip
    assert (folder / "suit/knit-1.jpg").read_bytes() == before["knit/knit-1.jpg"]
    rows = list(csv.reader((folder / "labels.csv").read_text("utf-8").splitlines()))
    assert ["suit/knit-1.jpg", "suit", "test", "sender 1", "https://example.com/,", "CC0"] in rows


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_decisions_find_photos_whose_names_were_taken_apart_or_put_together_since(
    tmp_path: Path, form: Literal["NFC", "NFD"]
) -> None:
    folder = fill(tmp_path / "photos", knit=3)
    for number in range(3):
        (folder / f"knit/knit-{number}.jpg").rename(folder / normalize(form, f"knit/니트{number}.jpg"))
    table = (folder / "labels.csv").read_text("utf-8").replace("knit/knit-", "knit/니트")
    (folder / "labels.csv").write_bytes(table.encode("cp949"))
    journal = Journal.open(folder)
    other: Literal["NFC", "NFD"] = "NFD" if form == "NFC" else "NFC"
    journal.decide(normalize(other, "knit/니트0.jpg"), Decision("drop", None))
    journal.decide(normalize(form, "knit/니트1.jpg"), Decision("move", "suit"))
    assert reviewed_labels(folder) == {"knit/니트0.jpg": None, "knit/니트1.jpg": "suit"}
    (folder / "review.csv").write_bytes((folder / "review.csv").read_text("utf-8").encode("cp949"))  # by a spreadsheet
    review = Review(STYLE, {"knit": [ReviewPhoto(path, 0.5) for path in list_photos(folder)["knit"]]}, Journal.open(folder))  # fmt: skip
    assert review.tally("knit").decided == 2
    assert review.undo("knit") == (normalize(form, "knit/니트1.jpg"), None)
    review.decide(normalize(form, "knit/니트1.jpg"), "move", "suit")
    done = apply_review(folder, Journal.open(folder))
    assert (done.moved, done.dropped, done.missing) == (1, 1, ())
    assert files(folder) == {".dropped/knit/니트0.jpg", "suit/니트1.jpg", normalize(form, "knit/니트2.jpg")}
    assert labels(folder) == {"suit/니트1.jpg": "suit", "knit/니트2.jpg": "knit"}


def test_class_folders_are_named_as_the_taxonomy_has_them_whatever_the_disk_has(tmp_path: Path) -> None:
    for name in ("원피스", normalize("NFD", "원피스")):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{len(name)}.jpg").write_bytes(photo_bytes())
    assert {name: len(paths) for name, paths in list_photos(tmp_path).items()} == {"원피스": 2}


def test_what_learns_from_the_folder_sees_the_review(folder: Path) -> None:
    apply_review(folder, decide(folder, knit0="", knit1="slacks"))
    entry = PhotoFolder(folder, "style", "split", folder / "labels.csv")
    assert {(s.path.name, s.labels["style"]) for s in gather(entry, TAXONOMY)} == {
        ("knit-1.jpg", "slacks"), ("knit-2.jpg", "knit"), ("knit-3.jpg", "knit"),
        ("slacks-0.jpg", "slacks"), ("slacks-1.jpg", "slacks"), ("slacks-2.jpg", "slacks"),
    }  # fmt: skip


def test_carrying_out_twice_changes_nothing_more(folder: Path) -> None:
    apply_review(folder, decide(folder, knit0="", knit1="slacks"))
    after = (files(folder), labels(folder))
    done = apply_review(folder, Journal.open(folder))
    assert (done.moved, done.dropped) == (0, 0)
    assert (files(folder), labels(folder)) == after


def test_a_photo_that_was_moved_counts_as_looked_at_in_its_new_class(folder: Path) -> None:
    apply_review(folder, decide(folder, knit1="slacks"))
    journal = Journal.open(folder)
    assert journal.decision("slacks/knit-1.jpg") == Decision("keep", "slacks")
    assert journal.undo("slacks") is None
    journal.decide("slacks/knit-1.jpg", Decision("move", "knit"))
    apply_review(folder, journal)
    assert labels(folder)["knit/knit-1.jpg"] == "knit"


def test_a_photo_of_the_same_name_is_never_written_over(folder: Path) -> None:
    Image.new("RGB", (50, 50), "red").save(folder / "slacks/knit-0.jpg")
    own = (folder / "slacks/knit-0.jpg").read_bytes()
    moved = (folder / "knit/knit-0.jpg").read_bytes()
    apply_review(folder, decide(folder, knit0="slacks"))
    assert (folder / "slacks/knit-0.jpg").read_bytes() == own
    assert (folder / "slacks/knit-0-2.jpg").read_bytes() == moved
    assert labels(folder)["slacks/knit-0-2.jpg"] == "slacks"


def test_a_photo_that_is_gone_is_told_once(folder: Path) -> None:
    journal = decide(folder, knit0="slacks", knit1="slacks")
    (folder / "knit/knit-0.jpg").unlink()
    assert apply_review(folder, journal).missing == ("knit/knit-0.jpg",)
    assert apply_review(folder, Journal.open(folder)).missing == ()


def test_a_folder_without_labels_gets_none(folder: Path) -> None:
    (folder / "labels.csv").unlink()
    apply_review(folder, decide(folder, knit0="slacks"))
    assert (folder / "slacks/knit-0.jpg").exists()
    assert not (folder / "labels.csv").exists()


@pytest.mark.parametrize("stop", ["rename 1", "rename 2", "rename 3", "labels", "moved"])
def test_a_collection_stopped_at_any_point_continues(folder: Path, monkeypatch: pytest.MonkeyPatch, stop: str) -> None:
    class Stopped(BaseException):
        pass

    renames, real = itertools.count(1), Path.rename

    def rename(self: Path, target: Path) -> Path:
        if stop == f"rename {next(renames)}":
            raise Stopped
        return real(self, target)

    def stopped(*_: object) -> None:
        raise Stopped

    journal = decide(folder, knit0="", knit1="suit", slacks0="knit")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        if stop == "labels":
            patch.setattr("mapsi.collect.review.applying._write_labels", stopped)
        if stop == "moved":
            patch.setattr(Journal, "end_moves", stopped)
        with pytest.raises(Stopped):
            apply_review(folder, journal)
    assert len(files(folder)) == 7
    done = apply_review(folder, Journal.open(folder))
    assert (done.moved, done.dropped) == (2, 1)
    assert {".dropped/knit/knit-0.jpg", "suit/knit-1.jpg", "knit/slacks-0.jpg"} <= files(folder)
    assert labels(folder).keys() == {path for path in files(folder) if not path.startswith(".")}
    assert Journal.open(folder).moves_under_way() == []


# --- the command ------------------------------------------------------------------------------------------------------


def run(*words: object) -> Result:
    return CliRunner().invoke(review_command, [str(word) for word in words])


def test_apply_tells_what_it_did(folder: Path) -> None:
    decide(folder, knit0="", knit1="slacks", knit2="slacks")
    result = run(folder, "--apply")
    assert result.exit_code == 0, result.output
    assert "2 photos moved to another class, 1 photo dropped" in result.output


def test_a_folder_that_is_not_there_is_reported(tmp_path: Path) -> None:
    assert "There is no folder" in str(run(tmp_path / "nowhere").exception)


def start(folder: Path, model: Path, home: Path) -> tuple[subprocess.Popen[str], str]:
    """The real command in a process of its own, and the address that it prints."""
    environment = {**os.environ, "MAPSI_MODEL": str(model), "MAPSI_HOME": str(home)}
    # A process begun in the background of a shell ignores Ctrl-C, and so would this one.
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    script = f"{listen}; from mapsi.cli.review import review; review()"
    command = [sys.executable, "-c", script, str(folder), "--no-browser"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, process_group=0
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("mapsi is at http://127.0.0.1:"), line
    return process, line.split()[3]


def test_the_command_serves_the_page_holds_the_folder_and_sums_up_at_its_end(
    folder: Path, model_folder: Path, tmp_path: Path
) -> None:
    process, address = start(folder, model_folder, tmp_path)
    with process:
        assert len(address.rstrip("/").rpartition("/")[2]) >= 32
        second = run(folder, "--no-browser")
        assert "Another review" in str(second.exception)
        Journal.open(folder).decide("knit/knit-0.jpg", Decision("drop", None))
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "of 7 photos looked at" in said
