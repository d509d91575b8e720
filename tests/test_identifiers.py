"""Numbers that name one product in every shop: GTINs are believed only with their check digit, MPNs as letters and
digits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsi.catalog.text.identifiers import checked_gtin, folded_mpn

_LENGTHS = st.sampled_from([8, 12, 13, 14])


@st.composite
def _gtins(draw: st.DrawFn) -> str:
    body = draw(st.sampled_from("35678")) + "".join(
        draw(st.lists(st.sampled_from("0123456789"), min_size=6, max_size=6))
    )
    body = body.ljust(draw(_LENGTHS) - 1, "5")
    total = sum(int(digit) * (3 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(body)))
    return body + str(-total % 10)


@given(_gtins())
def test_a_number_with_its_check_digit_is_kept_in_fourteen_digits(gtin: str) -> None:
    assert checked_gtin(gtin) == gtin.zfill(14)


@given(_gtins(), st.integers(0, 13), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(gtin: str, at: int, by: int) -> None:
    at %= len(gtin)
    wrong = f"{gtin[:at]}{(int(gtin[at]) + by) % 10}{gtin[at + 1 :]}"
    assert checked_gtin(wrong) == ""


@given(st.text())
def test_whatever_a_feed_holds_is_a_number_of_fourteen_digits_or_none(text: str) -> None:
    assert len(checked_gtin(text)) in (0, 14)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("8801234567893", "08801234567893"),
        ("8 801234 567893", "08801234567893"),
        ("８８０１２３４５６７８９３", "08801234567893"),
        ("036000291452", "00036000291452"),
        ("96385074", "00000096385074"),
        ("0000000000000", ""),
        ("2012345678900", ""),  # for use inside a shop
        ("880123456789", ""),
        ("-", ""),
        ("", ""),
    ],
)
def test_gtins_are_read_however_they_are_written(written: str, kept: str) -> None:
    assert checked_gtin(written) == kept


@pytest.mark.parametrize(
    ("written", "kept"), [("DD1391-100", "DD1391100"), ("dd1391 100", "DD1391100"), ("0", ""), ("---", ""), ("000", "")]
)
def test_makers_numbers_are_their_letters_and_digits(written: str, kept: str) -> None:
    assert folded_mpn(written) == kept
