"""What is sought, as values that any engine can read."""

from __future__ import annotations

from datetime import UTC, datetime

from mapsi.catalog.filters import Filters
from mapsi.catalog.listings.engines.sought import All, Any, Every, Has, HasAny, Nothing, Worth, any_of
from mapsi.catalog.listings.matching import Matcher
from mapsi.catalog.store.expiry import Expired
from mapsi.catalog.text.asked import Asked, understand
from mapsi.catalog.text.thesaurus import shipped_thesaurus
from mapsi.catalog.text.tokens import query_words


def asked(text: str) -> Asked:
    return understand(query_words(text), shipped_thesaurus(), lambda _: True, exact=True)


def test_what_both_find_has_the_parts_of_both() -> None:
    shoes, red = All((Has("fact", "kind:shoes"),), liked=(Has("title", "shoes"),)), All((Has("color", "red"),))
    gone = All(without=(HasAny("alone", (3,)),))
    assert shoes + red + gone == All((*shoes.of, *red.of), shoes.liked, gone.without)
    assert gone.narrowed(Every()) == All((Every(),), without=gone.without)


def test_no_value_is_nothing_that_can_be_found() -> None:
    assert any_of("shop", ()) == Nothing()


def test_a_kind_has_to_be_said_and_all_else_of_it_adds_points() -> None:
    """A T-shirt has the word shirt in its title and is said to be none."""
    (said,), liked = (sought := Matcher({}).asked(asked("shirt"))).of, sought.liked
    assert said == Worth(Has("fact", "said:shirt"), 1.0)
    assert Worth(Has("fact", "kind:shirt"), 6.0) in liked


def test_a_plain_word_is_found_in_any_field() -> None:
    (found,) = Matcher({}).asked(asked("zorro")).of
    assert isinstance(found, Any)
    assert found.of[0] == Worth(Has("title", "zorro"), 4.0)


def test_filters_count_no_points_and_a_shop_that_is_not_here_lets_nothing_through() -> None:
    found = Matcher({"haru": 7}).filters(Filters(shops=("haru", "gone"), colors=("red",)))
    assert found == {"shop": Worth(HasAny("shop", (7,)), 0.0), "color": Worth(HasAny("color", ("red",)), 0.0)}
    assert Matcher({}).filters(Filters(shops=("gone",))) == {"shop": Worth(Nothing(), 0.0)}


def test_what_has_expired_is_done_without() -> None:
    living = Matcher({}).living(Expired(shops=frozenset({2}), offers=frozenset({9}), at=datetime.now(UTC)))
    assert living == All(without=(HasAny("only_shop", (2,)), HasAny("alone", (9,))))
