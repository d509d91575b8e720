"""Figures are those of a slow and obvious count, and every photo is answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import top_k_accuracy_score

from evaluated import CLASSES, answers_of, random_answers, told
from mapsi.errors import ArtifactError
from mapsi.evaluate import Candidate, Photo, answer_photos, labelled_photos, score
from mapsi.evaluate.confusion import count_confusion, most_confused
from mapsi.evaluate.coverage import measure_sure, risk_coverage
from mapsi.evaluate.groups import measure_groups, source_baseline
from mapsi.evaluate.reliability import calibration_error, measure_reliability
from mapsi.evaluate.resampling import measure_intervals

ROWS = st.lists(st.tuples(st.sampled_from([*CLASSES, "toga"]), st.permutations(range(4))), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_scores_are_those_of_a_slow_count(rows: list[tuple[str, list[int]]]) -> None:
    truth = [label for label, _ in rows]
    shares = np.array([[1 / (1 + order.index(k)) for k in range(4)] for _, order in rows], np.float32)
    got = score(truth, shares, CLASSES)
    guesses = [CLASSES[order[0]] for _, order in rows]
    assert got.accuracy == pytest.approx(sum(t == g for t, g in zip(truth, guesses, strict=True)) / len(rows))
    top3 = [label in {CLASSES[k] for k in order[:3]} for label, order in rows]
    assert got.top3 == pytest.approx(sum(top3) / len(rows))
    f1s = {}
    for label in sorted(set(truth)):
        hits = sum(t == g == label for t, g in zip(truth, guesses, strict=True))
        f1s[label] = 2 * hits / (truth.count(label) + guesses.count(label))
        assert got.classes[label]["n"] == truth.count(label)
        assert got.classes[label]["f1"] == pytest.approx(f1s[label])
        assert got.classes[label]["recall"] == pytest.approx(hits / truth.count(label))
    assert got.macro["f1"] == pytest.approx(sum(f1s.values()) / len(f1s))
    assert got.weighted["f1"] == pytest.approx(sum(f1s[label] for label in truth) / len(truth))


def test_top_3_is_that_of_scikit_learn() -> None:
    made = random_answers(200, np.random.default_rng(3), skill=0.5)
    columns = [CLASSES.index(slug) for slug in made.truth]
    expected = top_k_accuracy_score(columns, made.shares, k=3, labels=range(4))
    assert score(made.truth, made.shares, CLASSES).top3 == pytest.approx(expected)


def test_an_interval_holds_the_figure_and_narrows_with_photos() -> None:
    widths = []
    for n in (50, 2000):
        made = random_answers(n, np.random.default_rng(0), skill=0.5)
        interval = measure_intervals(made, np.random.default_rng(1)).accuracy
        assert interval.low <= made.right.mean() <= interval.high
        widths.append(interval.high - interval.low)
    assert widths[1] < widths[0] / 3


# Answering


def _by_colour(photos: Sequence[Image.Image]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Tells red from blue, guesses red for all else, and finds what is neither unfamiliar."""
    means = np.array([np.asarray(photo).mean(axis=(0, 1)) for photo in photos])
    blue = (means[:, 2] > means[:, 0]).astype(np.float32)
    return np.stack([1 - blue, blue], axis=1), means.max(axis=1) - means.min(axis=1) > 50


COLOURS = Candidate("colours", "f", ("red", "blue"), 0.5, _by_colour)


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
    (answers,), unreadable = answer_photos([COLOURS], labelled_photos(tmp_path), progress=seen.append)
    assert sum(seen) == 20
    assert not unreadable
    assert Counter(answers.truth) == {"red": 18, "blue": 2}
    assert answers.right.sum() == 19
    assert answers.photos[0].name == "blue/0.png"


def test_several_models_are_shown_the_very_same_pictures(tmp_path: Path) -> None:
    for i in range(3):
        _save(tmp_path / "red" / f"{i}.png", "red")
    shown: list[list[int]] = []

    def remember(photos: Sequence[Image.Image]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        shown.append([id(photo) for photo in photos])
        return _by_colour(photos)

    twice = [Candidate(name, name, ("red", "blue"), 0.5, remember) for name in "ab"]
    ours, theirs = answer_photos(twice, labelled_photos(tmp_path))[0]
    assert shown[0] == shown[1]
    assert ours.photos == theirs.photos


def test_a_photo_that_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    _save(tmp_path / "red" / "0.png", "red")
    (tmp_path / "red" / "broken.jpg").write_bytes(b"no photo")
    gone = Photo(tmp_path / "red" / "gone.jpg", "red/gone.jpg", "red")
    (answers,), unreadable = answer_photos([COLOURS], [*labelled_photos(tmp_path), gone])
    assert [photo.name for photo in answers.photos] == ["red/0.png"]
    assert {photo.name: photo.reason for photo in unreadable} == {
        "red/broken.jpg": "This file is not a photo that can be read.",
        "red/gone.jpg": "The file cannot be read: No such file or directory.",
    }


def test_a_folder_without_a_readable_photo_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no class folders"):
        labelled_photos(tmp_path)
    with pytest.raises(ArtifactError, match="no folder"):
        labelled_photos(tmp_path / "none")
    (tmp_path / "red").mkdir()
    (tmp_path / "red" / "broken.jpg").write_bytes(b"no photo")
    with pytest.raises(ArtifactError, match=r"None of the 1 photos can be read.*red/broken\.jpg"):
        answer_photos([COLOURS], labelled_photos(tmp_path))


# Confidence


def test_calibration_error_is_that_of_a_slow_count() -> None:
    rng = np.random.default_rng(4)
    confidence = rng.random(500).astype(np.float32)
    right = rng.random(500) < confidence**2
    slow = 0.0
    for k in range(15):
        inside = [i for i in range(500) if k / 15 <= confidence[i] < (k + 1) / 15]
        if inside:
            gap = np.mean([right[i] for i in inside]) - np.mean([confidence[i] for i in inside])
            slow += len(inside) / 500 * abs(gap)
    assert calibration_error(confidence, right) == pytest.approx(slow, abs=1e-6)


def test_honest_confidence_has_next_to_no_error_and_overconfidence_has_much() -> None:
    rng = np.random.default_rng(5)
    confidence = rng.uniform(0.4, 1, 20_000).astype(np.float32)
    assert calibration_error(confidence, rng.random(20_000) < confidence) < 0.02
    assert calibration_error(confidence, rng.random(20_000) < confidence - 0.3) == pytest.approx(0.3, abs=0.02)
    assert calibration_error(np.ones(4, np.float32), np.array([True] * 3 + [False])) == pytest.approx(0.25)


def test_the_brier_score_is_the_squared_error_over_the_classes_that_the_model_knows() -> None:
    shares = told(["dress", "hat", "dress"], confidence=0.7)
    found = measure_reliability(answers_of(["dress", "dress", "toga"], shares))
    right, wrong = 0.3**2 + 3 * 0.1**2, 0.7**2 + 0.9**2 + 2 * 0.1**2
    assert found.brier == pytest.approx((right + wrong) / 2, abs=1e-6)
    assert measure_reliability(answers_of(["toga"], told(["hat"]))).brier is None


def test_two_classes_have_a_brier_score_over_both() -> None:
    found = measure_reliability(answers_of(["b", "a"], told(["b", "b"], "ab", 0.8), "ab"))
    assert found.brier == pytest.approx((2 * 0.2**2 + 2 * 0.8**2) / 2, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=40))
def test_the_risk_at_each_coverage_is_that_of_a_threshold(rows: list[tuple[int, bool]]) -> None:
    trust = np.array([step / 6 for step, _ in rows], np.float32)
    right = np.array([good for _, good in rows])
    found = risk_coverage(trust, right)
    slow, area, before = [], 0.0, 0.0
    for threshold in sorted(set(trust.tolist()), reverse=True):
        kept = [good for t, good in zip(trust.tolist(), right.tolist(), strict=True) if t >= threshold]
        slow.append((len(kept) / len(rows), kept.count(False) / len(kept)))
        area += (slow[-1][0] - before) * slow[-1][1]
        before = slow[-1][0]
    assert np.stack([found.coverage, found.risk], axis=1) == pytest.approx(np.array(slow))
    assert found.area == pytest.approx(area)
    assert found.least_area <= found.area + 1e-12


def test_a_trust_that_knows_every_mistake_has_the_least_area() -> None:
    right = np.array([True, True, False, True, False])
    assert risk_coverage(np.array([0.9, 0.8, 0.2, 0.7, 0.1], np.float32), right).area == pytest.approx(
        risk_coverage(np.zeros(5, np.float32), right).least_area
    )
    assert risk_coverage(np.array([0.5, 0.4], np.float32), np.array([True, True])).area == 0


def test_an_unfamiliar_photo_is_never_sure_and_is_answered_last() -> None:
    shares = told(["dress", "hat", "hat"], confidence=0.9)
    made = answers_of(["dress", "hat", "dress"], shares, familiar=[True, True, False])
    sure = measure_sure(made, 0.5)
    assert (sure.share, sure.accuracy, sure.unsure_accuracy) == (pytest.approx(2 / 3), 1.0, 0.0)
    curve = risk_coverage(made.trust, made.right)
    assert curve.coverage == pytest.approx([2 / 3, 1])
    assert curve.risk == pytest.approx([0, 1 / 3])
    assert measure_sure(made, 0.95).accuracy is None


# Confusion


def test_the_confusion_counts_every_photo_once() -> None:
    truth = ["dress", "dress", "toga", "hat", "hat"]
    found = count_confusion(answers_of(truth, told(["dress", "shirt", "hat", "hat", "dress"])))
    assert found.rows == ("dress", "hat", "toga")
    assert found.columns == CLASSES
    assert found.counts.tolist() == [[1, 0, 0, 1], [1, 1, 0, 0], [0, 1, 0, 0]]


def test_the_most_confused_pair_comes_first_with_its_surest_photos() -> None:
    shares = np.concatenate([told(["hat"], confidence=c) for c in (0.5, 0.9, 0.7)] + [told(["shirt", "pants"])])
    found = most_confused(answers_of(["dress", "dress", "dress", "hat", "pants"], shares), examples=2)
    assert [(pair.truth, pair.told, pair.n, pair.of) for pair in found] == [
        ("dress", "hat", 3, 3),
        ("hat", "shirt", 1, 1),
    ]
    assert [example.photo.name for example in found[0].examples] == ["dress/1.jpg", "dress/2.jpg"]
    assert found[0].examples[0].confidence == pytest.approx(0.9)


# Groups


def test_groups_have_their_own_figures_and_small_ones_are_taken_together() -> None:
    sources = ["shop"] * 20 + ["street"] * 12 + ["attic", "cellar", "attic"]
    truth = ["dress", "hat"] * 17 + ["dress"]
    right = [label if i >= 20 else "dress" for i, label in enumerate(truth)]
    made = answers_of(truth, told(right), marks=[{"source": s, "proxy": "no"} for s in sources])
    groups = measure_groups(made, np.random.default_rng(0))
    assert set(groups) == {"source"}
    assert [(g.value, g.n, g.accuracy) for g in groups["source"]] == [
        ("shop", 20, 0.5),
        ("street", 12, 1.0),
        ("others, fewer than 10 photos each", 3, 1.0),
    ]
    assert groups["source"][0].accuracy_interval.low < 0.5 < groups["source"][0].accuracy_interval.high


MARKED = st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from(CLASSES)), min_size=2, max_size=20)


@settings(max_examples=60, deadline=None)
@given(MARKED)
def test_the_source_baseline_guesses_each_photo_from_all_others(rows: list[tuple[str, str]]) -> None:
    marks = [{"source": source} for source, _ in rows]
    truth = [label for _, label in rows]
    found = source_baseline(answers_of(truth, told(["hat"] * len(rows)), marks=marks))
    if len({source for source, _ in rows}) < 2:
        assert found is None
        return
    hits = 0
    for i, (source, label) in enumerate(rows):
        others = [row for j, row in enumerate(rows) if j != i]
        same = [other for from_there, other in others if from_there == source]
        pool = same or [other for _, other in others]
        hits += min(sorted(set(pool)), key=lambda slug: -pool.count(slug)) == label
    assert found is not None
    assert found.accuracy == pytest.approx(hits / len(rows))
    assert found.model == pytest.approx(truth.count("hat") / len(rows))


def test_the_source_baseline_learns_from_the_photos_that_the_model_learned_from() -> None:
    marks = [{"source": "shop"}, {"source": "street"}]
    made = answers_of(["dress", "hat"], told(["dress", "dress"]), marks=marks)
    learned = [
        Photo(Path(str(i)), str(i), label, "", {"source": s})
        for i, (label, s) in enumerate([("dress", "shop"), ("dress", "shop"), ("hat", "street"), ("dress", "attic")])
    ]
    found = source_baseline(made, learned)
    assert found is not None
    assert (found.accuracy, found.largest_class, found.model, found.learned_from) == (1.0, 0.5, 0.5, 4)
