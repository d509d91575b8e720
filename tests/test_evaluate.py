"""Figures are those of a slow and obvious count, and every photo is answered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mapsi.errors import ArtifactError
from mapsi.evaluate import bootstrap, evaluate_folder, score
from mapsi.evaluate.scores import accuracy, macro_f1

CLASSES = ("a", "b", "c", "d")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*CLASSES, "z"]), st.permutations(range(4))), min_size=1, max_size=30))
def test_scores_are_those_of_a_slow_count(rows: list[tuple[str, list[int]]]) -> None:
    truth = [label for label, _ in rows]
    shares = np.array([[1 / (1 + order.index(k)) for k in range(4)] for _, order in rows], np.float32)
    got = score(truth, shares, CLASSES)
    guesses = [CLASSES[order[0]] for _, order in rows]
    assert got.accuracy == pytest.approx(sum(t == g for t, g in zip(truth, guesses, strict=True)) / len(rows))
    top3 = [label in {CLASSES[k] for k in order[:3]} for label, order in rows]
    assert got.top3 == pytest.approx(sum(top3) / len(rows))
    f1s = []
    for label in sorted(set(truth)):
        hits = sum(t == g == label for t, g in zip(truth, guesses, strict=True))
        f1s.append(2 * hits / (truth.count(label) + guesses.count(label)))
        assert got.classes[label]["n"] == truth.count(label)
        assert got.classes[label]["f1"] == pytest.approx(f1s[-1])
    assert got.macro["f1"] == pytest.approx(sum(f1s) / len(f1s))


def test_an_interval_holds_the_figure_and_narrows_with_photos() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for n in (50, 2000):
        truth = rng.integers(0, 3, n)
        guess = np.where(rng.random(n) < 0.8, truth, (truth + 1) % 3)
        interval = bootstrap(truth, guess, accuracy, np.random.default_rng(1), rounds=200)
        assert interval.low <= accuracy(truth, guess) <= interval.high
        widths.append(interval.high - interval.low)
    assert widths[1] < widths[0] / 3
    assert macro_f1(truth, truth) == 1


def _by_colour(photos: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
    """Tells red from blue, and guesses red for all else."""
    means = np.array([np.asarray(photo).mean(axis=(0, 1)) for photo in photos])
    blue = (means[:, 2] > means[:, 0]).astype(np.float32)
    return np.stack([1 - blue, blue], axis=1)


def _save(path: Path, colour: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 20), colour).save(path)


def test_every_photo_of_a_folder_is_answered(tmp_path: Path) -> None:
    for i in range(18):
        _save(tmp_path / "red" / f"{i}.png", "red")
    _save(tmp_path / "blue" / "0.png", "blue")
    _save(tmp_path / "blue" / "1.jpg", "red")
    (tmp_path / "notes.txt").write_text("not a class")
    seen: list[int] = []
    report = evaluate_folder(_by_colour, ["red", "blue"], tmp_path, "colour", progress=seen.append)
    document = report.to_json()
    assert sum(seen) == 20
    assert document["n"] == 20
    assert document["accuracy"] == pytest.approx(0.95)
    assert set(document) >= {"axis", "n", "accuracy", "top3", "macro", "classes"}
    assert set(document["macro"]) == {"precision", "recall", "f1"}
    assert document["classes"]["blue"]["recall"] == 0.5


def test_an_unreadable_photo_and_an_unknown_class_are_named(tmp_path: Path) -> None:
    _save(tmp_path / "red" / "0.png", "red")
    _save(tmp_path / "green" / "0.png", "green")
    (tmp_path / "red" / "broken.jpg").write_bytes(b"no photo")
    report = evaluate_folder(_by_colour, ["red", "blue"], tmp_path, "colour")
    assert report.unreadable == ("red/broken.jpg",)
    assert report.unknown_classes == ("green",)
    assert report.scores.n == 2
    assert report.scores.accuracy == 0.5


def test_a_folder_without_photos_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no photos"):
        evaluate_folder(_by_colour, ["red", "blue"], tmp_path, "colour")
    with pytest.raises(ArtifactError, match="no folder"):
        evaluate_folder(_by_colour, ["red", "blue"], tmp_path / "none", "colour")
