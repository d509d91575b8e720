"""Things put together step by step are the connected parts of a graph."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mapsi.disjoint_sets import DisjointSets

NUMBERS = st.integers(0, 12)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=20))
def test_the_least_that_is_reached_stands_for_each(pairs: list[tuple[int, int]]) -> None:
    sets = DisjointSets[int]()
    for one, other in pairs:
        sets.join(one, other)
    reached = {number: {number} for pair in pairs for number in pair}
    for _ in reached:
        for one, other in pairs:
            reached[one] = reached[other] = reached[one] | reached[other]
            for each in reached[one]:
                reached[each] = reached[one]
    assert sets.firsts() == {number: min(whole) for number, whole in reached.items()}


def test_a_thing_that_was_never_put_together_stands_for_itself() -> None:
    sets = DisjointSets[str]()
    sets.join("b", "a")
    assert sets.first("c") == "c"
    assert sets.firsts() == {"a": "a", "b": "a"}
