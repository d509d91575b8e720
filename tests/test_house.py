"""What the house must not grow back into: long files and functions, rooms full of arrows, records that repeat others.

``python tests/measures.py`` prints where it stands; docs/decisions/0010 has the figures.
"""

from __future__ import annotations

import pytest

from measures import PACKAGE, House


@pytest.fixture(scope="module")
def house() -> House:
    return House(PACKAGE)


def test_no_file_is_a_drawer(house: House) -> None:
    assert {name: lines for name, lines in house.file_lengths().items() if lines > 400} == {}


def test_ninety_nine_functions_in_a_hundred_are_within_forty_lines(house: House) -> None:
    lengths = house.function_lengths()
    long = {name: lines for name, lines in lengths.items() if lines > 40}
    assert len(long) <= len(lengths) / 100, long


def test_no_room_holds_more_than_forty_arrows(house: House) -> None:
    assert {room: count for room, count in house.arrows_by_room().items() if count > 40} == {}


def test_few_records_repeat_another(house: House) -> None:
    twins = [f"{twin.where} ~ {elder.where}" for twin, elder in house.twins()]
    assert len(twins) <= 5, twins
