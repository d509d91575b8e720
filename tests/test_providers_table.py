"""Tables as spreadsheets and shops' programs write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsi.catalog.offer import BrokenRow
from written_feeds import SHIRT, SHIRT_OFFER, Read, only_offer, table


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return Read(tmp_path)


@pytest.mark.parametrize("format", ["csv", "merchant"])
@pytest.mark.parametrize("mark", [";", ",", "\t", "|", "^"])
@pytest.mark.parametrize("line", ["sep={}\n", "SEP={}\r\n", '"sep={}"\n', "\ufeffsep={}\n", "\nsep={}\n\n"])
def test_a_first_line_may_name_the_delimiter(read: Read, format: str, mark: str, line: str) -> None:
    assert read(line.format(mark) + table([SHIRT], mark), format) == [SHIRT_OFFER]


def test_lines_are_counted_with_the_one_that_names_the_delimiter(read: Read) -> None:
    assert read("sep=;\n" + table([{**SHIRT, "price": ""}], ";"), "csv") == [BrokenRow(3, "The row has no price.")]


def test_a_delimiter_that_is_named_wins_over_the_one_that_finds_more(read: Read) -> None:
    feed = (
        "sep=;\nid;title;link;image_link;price;a,id,title,link,image_link,price\nA1;셔츠;https://s.example/;a.jpg;5;x\n"
    )
    assert only_offer(read(feed, "csv")).title == "셔츠"


@pytest.mark.parametrize("name", ["\ufeffid", '"id"', " ID ", "g:id", "G:ID\u00a0"])
def test_a_columns_name_is_known_whatever_is_around_it(read: Read, name: str) -> None:
    feed = table([SHIRT], "\t").replace("id", name, 1)
    assert read("\ufeff" + feed) == [SHIRT_OFFER]
