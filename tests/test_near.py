"""Near pairs are found as a comparison of all with all would find them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsi.catalog.pictures import near
from mapsi.catalog.pictures.near import near_pairs


def found(points: np.ndarray, apart: float, fresh: np.ndarray) -> set[tuple[int, int]]:
    return {(one, other) for pairs in near_pairs(points, apart, fresh) for one, other in pairs.tolist()}


def slow(points: np.ndarray, apart: float, fresh: np.ndarray) -> set[tuple[int, int]]:
    values, count = points.astype(np.float32), len(points)
    return {
        (one, other)
        for one in range(count)
        for other in range(one + 1, count)
        if np.abs(values[one] - values[other]).max() <= apart and (fresh[one] or fresh[other])
    }


@given(st.integers(0, 10**6), st.integers(0, 300), st.floats(0, 1))
def test_all_near_pairs_with_a_fresh_one_are_found_and_no_others(seed: int, count: int, share: float) -> None:
    chance = np.random.default_rng(seed)
    points = chance.uniform(0, 255, (count, 6)).astype(np.float16)
    points[1::3] = points[: len(points[1::3])] + chance.uniform(-3, 3, points[1::3].shape).astype(np.float16)
    fresh = chance.random(count) < share
    assert found(points, 2.5, fresh) == slow(points, 2.5, fresh)


def test_a_crowd_is_held_together_by_few_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "_FEW", 8)
    points = np.random.default_rng(1).uniform(100, 101, (500, 6)).astype(np.float16)
    pairs = found(points, 2.5, np.ones(500, dtype=np.bool_))
    assert len(pairs) < 500 * 8 * 8
    reached = {0}
    while more := {each for pair in pairs if reached & set(pair) for each in pair} - reached:
        reached |= more
    assert len(reached) == 500
