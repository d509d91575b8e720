"""Any number of things, so many at a time."""

from __future__ import annotations

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from mapsi.batches import batched


@given(st.lists(st.integers()), st.integers(1, 9))
def test_batches_hold_everything_in_its_order_and_all_but_the_last_are_full(values: list[int], size: int) -> None:
    assert list(batched(values, size)) == [values[at : at + size] for at in range(0, len(values), size)]


def test_no_more_is_taken_than_is_asked_for() -> None:
    numbers = count()
    assert next(batched(numbers, 3)) == [0, 1, 2]
    assert next(numbers) == 3
