"""Intervals and differences: drawn all at once, they are those of the slow loop; chance is seldom taken for more."""

from __future__ import annotations

from collections import Counter
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from evaluated import CLASSES, answers_of, random_answers, slow_bootstrap, told
from mapsi.arrays import FloatArray, IntArray
from mapsi.errors import UsageError
from mapsi.evaluate import Answers, Comparison, Interval, compare
from mapsi.evaluate.comparison import Difference, difference, mcnemar, verdict
from mapsi.evaluate.resampling import block_numbers, class_numbers, draw, measure_intervals
from mapsi.evaluate.scores import accuracy, macro_f1

GUESSES = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["a", "b", "c", "never true"]), st.sampled_from("xyz")),
    min_size=1,
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(GUESSES, st.booleans(), st.integers(0, 1000))
def test_figures_of_resamples_are_those_of_scikit_learn(
    rows: list[tuple[str, str, str]], in_blocks: bool, seed: int
) -> None:
    present, (truth, guess) = class_numbers([t for t, _, _ in rows], [g for _, g, _ in rows])
    blocks = [block if in_blocks else "" for _, _, block in rows]
    drawn = draw([truth, guess], blocks, np.random.default_rng(seed), rounds=6)
    f1, macro, right = drawn.f1(0, 1), drawn.macro_f1(0, 1), drawn.accuracy(0, 1)
    for number, counts in enumerate(drawn.counts.astype(int)):
        photos = np.repeat(drawn.kinds, counts, axis=0)
        if not in_blocks:
            assert len(photos) == len(rows)
        had = np.unique(photos[:, 0])
        slow = f1_score(photos[:, 0], photos[:, 1], labels=had, average=None, zero_division=0.0)
        assert right[number] == pytest.approx(accuracy_score(photos[:, 0], photos[:, 1]))
        assert macro[number] == pytest.approx(slow.mean())
        assert f1[number, had] == pytest.approx(slow)
        assert np.isnan(np.delete(f1[number], had)).all()
    assert len(present) == f1.shape[1]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["", "ann", "ben", "cho"]), min_size=1, max_size=20))
def test_the_photos_of_a_block_are_drawn_together_or_not_at_all(blocks: list[str]) -> None:
    each = np.arange(len(blocks))
    drawn = draw([each], blocks, np.random.default_rng(0), rounds=20)
    numbers = block_numbers(blocks)
    assert numbers.max() + 1 == len(set(blocks) - {""}) + blocks.count("")
    for block in range(numbers.max() + 1):
        members = drawn.counts[:, numbers == block]
        assert (members == members[:, :1]).all()


def _numbers(answers: Answers) -> tuple[IntArray, IntArray]:
    truth, guess = class_numbers(answers.truth, answers.guesses)[1]
    return truth, guess


@pytest.mark.parametrize("in_a_block", [1, 5])
def test_intervals_are_those_of_the_slow_bootstrap(in_a_block: int) -> None:
    made = random_answers(400, np.random.default_rng(7))
    blocks = [f"sender {row // in_a_block}" for row in range(400)]
    answers = answers_of(made.truth, made.shares, blocks=blocks)
    fast = measure_intervals(answers, np.random.default_rng(1), rounds=4000)
    for metric, found in ((accuracy, fast.accuracy), (macro_f1, fast.macro_f1)):
        slow = slow_bootstrap(answers, metric, np.random.default_rng(2), rounds=300)
        assert (found.low, found.high) == pytest.approx((slow.low, slow.high), abs=0.012)


def test_the_same_generator_state_gives_the_same_interval() -> None:
    answers = random_answers(60, np.random.default_rng(7))
    assert measure_intervals(answers, np.random.default_rng(1)) == measure_intervals(answers, np.random.default_rng(1))


def test_photos_that_look_alike_tell_less_than_as_many_that_do_not() -> None:
    rng = np.random.default_rng(8)
    truth, guesses, blocks = [], [], []
    for sender in range(40):
        label = CLASSES[sender % 4]
        told_here = label if rng.random() < 0.7 else CLASSES[(sender + 1) % 4]
        truth += [label] * 5
        guesses += [told_here] * 5
        blocks += [f"sender {sender}"] * 5
    alone = measure_intervals(answers_of(truth, told(guesses)), rng).accuracy
    together = measure_intervals(answers_of(truth, told(guesses), blocks=blocks), rng).accuracy
    assert together.high - together.low > 1.8 * (alone.high - alone.low)


# Two models


def _compare(ours: Answers, theirs: Answers, seed: int = 0, rounds: int = 2000) -> Comparison:
    return compare(ours, theirs, "other", "f", np.random.default_rng(seed), rounds=rounds)


def test_a_model_does_not_differ_from_itself() -> None:
    answers = random_answers(200, np.random.default_rng(1))
    found = _compare(answers, answers)
    assert found.accuracy.difference == found.macro_f1.difference == 0
    assert (found.accuracy.interval.low, found.accuracy.interval.high) == (0, 0)
    assert (found.only_ours, found.only_theirs, found.mcnemar) == (0, 0, 1.0)
    assert found.accuracy.other_sign == 1
    assert found.sentences[0] == "Accuracy: 0.0 points (0.0 to 0.0): the difference could be chance."


def test_the_paired_interval_is_that_of_the_slow_loop() -> None:
    rng = np.random.default_rng(2)
    ours = random_answers(300, rng, skill=2.2)
    theirs = Answers(ours.photos, CLASSES, _blurred(ours, rng), ours.familiar)
    found = _compare(ours, theirs, rounds=4000)
    (truth, a), (_, b) = _numbers(ours), _numbers(theirs)
    slow = []
    for _ in range(300):
        pick = rng.integers(0, 300, 300)
        slow.append(macro_f1(truth[pick], a[pick]) - macro_f1(truth[pick], b[pick]))
    low, high = np.percentile(slow, [2.5, 97.5])
    assert (found.macro_f1.interval.low, found.macro_f1.interval.high) == pytest.approx((low, high), abs=0.015)
    assert found.macro_f1.difference == pytest.approx(macro_f1(truth, a) - macro_f1(truth, b))
    assert found.macro_f1.other_sign == pytest.approx(np.mean(np.array(slow) <= 0), abs=0.03)


def _blurred(answers: Answers, rng: np.random.Generator) -> FloatArray:
    """The same opinions, seen through noise: a worse model whose mistakes go together with the first one's."""
    return (answers.shares + rng.normal(0, 0.25, answers.shares.shape)).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30))
def test_mcnemar_is_the_two_sided_binomial_test(rows: list[tuple[bool, bool]]) -> None:
    ours, theirs = np.array([a for a, _ in rows], bool), np.array([b for _, b in rows], bool)
    only_ours, only_theirs, p = mcnemar(ours, theirs)
    counts = Counter(rows)
    assert (only_ours, only_theirs) == (counts[True, False], counts[False, True])
    odd = only_ours + only_theirs
    tail = sum(comb(odd, k) for k in range(min(only_ours, only_theirs) + 1)) / 2**odd
    assert p == pytest.approx(min(1.0, 2 * tail))


def test_a_real_difference_is_told_both_ways() -> None:
    truth = list(CLASSES) * 50
    good = told(truth)
    bad = told([CLASSES[0] if i % 5 == 0 else slug for i, slug in enumerate(truth)])
    ours, theirs = answers_of(truth, good), answers_of(truth, bad)
    forward, backward = _compare(ours, theirs), _compare(theirs, ours)
    assert forward.accuracy.difference == pytest.approx(0.15)
    assert forward.sentences[0].startswith("Accuracy: better by 15.0 points (1")
    assert forward.sentences[1].endswith("more than chance.")
    assert backward.sentences[0].startswith("Accuracy: worse by 15.0 points (1")
    assert backward.macro_f1.difference == pytest.approx(-forward.macro_f1.difference)
    assert forward.accuracy.other_sign == 0


def test_chance_is_taken_for_a_difference_in_about_one_of_twenty_cases() -> None:
    rng = np.random.default_rng(3)
    differs = []
    for _ in range(100):
        truth = np.array(CLASSES)[rng.integers(0, 4, 120)]
        ours, theirs = (
            answers_of(truth.tolist(), told(np.where(rng.random(120) < 0.8, truth, "hat").tolist())) for _ in "ab"
        )
        differs.append(_compare(ours, theirs, rounds=400).accuracy_differs)
    assert np.mean(differs) < 0.09


def test_where_interval_and_test_disagree_it_counts_as_chance() -> None:
    truth = ["dress"] * 20 + ["hat"] * 20
    ours = answers_of(truth, told(truth))
    theirs = answers_of(truth, told([*truth[:-5], *["dress"] * 5]))
    found = _compare(ours, theirs)
    assert found.accuracy.interval_excludes_none
    assert found.mcnemar == pytest.approx(2 / 2**5)
    assert not found.accuracy_differs
    assert "the difference could be chance" in found.sentences[0]


@pytest.mark.parametrize(
    ("value", "low", "high", "differs", "sentence"),
    [
        (0.021, 0.004, 0.039, True, "Accuracy: better by 2.1 points (0.4 to 3.9): more than chance."),
        (-0.021, -0.039, -0.004, True, "Accuracy: worse by 2.1 points (0.4 to 3.9): more than chance."),
        (0.01, 0.0003, 0.02, True, "Accuracy: better by 1.0 points (0.03 to 2.0): more than chance."),
        (0.006, -0.016, 0.031, False, "Accuracy: +0.6 points (-1.6 to +3.1): the difference could be chance."),
    ],
)
def test_the_verdict_is_a_sentence(value: float, low: float, high: float, differs: bool, sentence: str) -> None:
    found = Difference(0.8, 0.8 - value, value, Interval(low, high), 0.1)
    assert verdict("Accuracy", found, differs) == sentence


def test_the_share_of_the_other_sign_counts_none_as_other() -> None:
    resampled = np.array([0.1, 0.2, 0.0, -0.1])
    assert difference(0.9, 0.8, resampled).other_sign == 0.5
    assert difference(0.8, 0.9, resampled).other_sign == 0.75


def test_models_of_different_classes_are_compared_on_those_they_share() -> None:
    truth = ["dress", "hat", "toga", "pants", "shirt"]
    ours = answers_of(truth, told(["dress", "hat", "hat", "pants", "shirt"]))
    theirs_classes = ("toga", "hat", "dress", "pants")
    shares = told(["dress", "toga", "toga", "pants", "hat"], theirs_classes)
    shares[1] = [0.5, 0.4, 0.05, 0.05]
    theirs = Answers(ours.photos, theirs_classes, shares, ours.familiar)
    found = _compare(ours, theirs)
    assert found.classes == ("dress", "hat", "pants")
    assert not found.same_classes
    assert (found.n, found.left_out) == (3, 2)
    # Among the shared classes only, "hat" was the other model's best guess for the hat.
    assert (found.accuracy.ours, found.accuracy.theirs) == (1.0, 1.0)


def test_the_order_of_the_classes_does_not_matter() -> None:
    rng = np.random.default_rng(6)
    ours, theirs = random_answers(80, rng), random_answers(80, rng)
    theirs = Answers(ours.photos, CLASSES, theirs.shares, theirs.familiar)
    turned = theirs.over(CLASSES[::-1])
    assert _compare(ours, theirs) == _compare(ours, turned)
    assert _compare(ours, turned).same_classes


def test_answers_to_other_photos_or_without_shared_classes_are_refused() -> None:
    ours = random_answers(5, np.random.default_rng(0))
    with pytest.raises(ValueError, match="same photos"):
        _compare(ours, random_answers(6, np.random.default_rng(0)))
    strangers = Answers(ours.photos, ("toga", "hat"), told(["toga"] * 5, ("toga", "hat")), ours.familiar)
    with pytest.raises(UsageError, match="share 1 classes"):
        _compare(ours, strangers)
