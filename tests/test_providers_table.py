"""Tables as spreadsheets and shops' programs write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsi.catalog.offer import BrokenRow, Offer
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


@pytest.mark.parametrize("format", ["csv", "merchant"])
@pytest.mark.parametrize("mark", [";", ",", "|"])
def test_a_quotation_may_follow_a_blank(read: Read, format: str, mark: str) -> None:
    names, row = table([SHIRT], mark).splitlines()
    quoted = [f" {mark} ".join(f'"{value}"' for value in line.split(mark)) for line in (names, row)]
    assert read("\n".join(quoted) + "\n", format) == [SHIRT_OFFER]


STRAY = 'X,"린넨 셔츠,https://shop.example.com/x,https://img.example.com/x.jpg,5000'
HEADER = "id,title,link,image_link,price"


def _row(number: int, title: str) -> str:
    return f"A{number},{title},https://shop.example.com/{number},https://img.example.com/{number}.jpg,5000"


@pytest.mark.parametrize("title", ["셔츠", '"셔츠"', '"셔츠, 긴소매"', '"셔츠\n긴소매"', '"24"" 셔츠"'])
@pytest.mark.parametrize(("after", "end"), [(0, "\n"), (0, "\r\n"), (1, ""), (1, "\n"), (2, "\n"), (7, "")])
def test_a_quotation_mark_without_its_other_half_costs_one_row(read: Read, title: str, after: int, end: str) -> None:
    rows = [_row(0, title), STRAY, *(_row(number, title) for number in range(1, after + 1))]
    found = read("\n".join([HEADER, *rows]) + end, "csv")
    broken = [row for row in found if isinstance(row, BrokenRow)]
    assert [row.line for row in broken] == [3 + title.count("\n")]
    assert [offer.id for offer in found if not isinstance(offer, BrokenRow)] == [f"A{n}" for n in range(after + 1)]


def test_every_second_row_may_have_a_stray_mark(read: Read) -> None:
    rows = [line for number in range(50) for line in (_row(number, "셔츠"), STRAY)]
    found = read("\n".join([HEADER, *rows, _row(50, "셔츠"), ""]), "csv")
    assert [offer.id for offer in found if not isinstance(offer, BrokenRow)] == [f"A{n}" for n in range(51)]


def test_stray_marks_without_end_are_a_damaged_feed(read: Read) -> None:
    found, error = read.until_error("\n".join([HEADER, *[STRAY] * 3001, _row(0, "셔츠"), ""]), "csv")
    assert len(found) <= 1001
    assert "unmatched quotation mark" in error.message


def test_a_value_of_several_lines_is_one_value(read: Read) -> None:
    feed = f'{HEADER},description\n{_row(0, "셔츠")},"하나\n둘, 셋\n""넷"""\n'
    assert only_offer(read(feed, "csv")).description == '하나 둘, 셋 "넷"'


# --- habits of the line that names the columns -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["image-link", "imageLink", "Image Link", "g:image_link", "g_image_link", "[image_link]", "\u200bimage_link\ufeff", "image_link (URL)",
     "image\u00a0link", "IMAGE_LINK*"],
)  # fmt: skip
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_columns_are_known_however_their_names_are_spelled(read: Read, name: str, delimiter: str) -> None:
    assert read(table([SHIRT], delimiter).replace("image_link", name, 1), "csv") == [SHIRT_OFFER]


@pytest.mark.parametrize(
    "above", ["# exported 2026\n", "Our products,,,,,\n\n", ",,,,,\n" * 7, "sep=;\n", "sep=;\n\ufeff"]
)
def test_a_few_lines_may_stand_above_the_names_and_sep_may_be_wrong(read: Read, above: str) -> None:
    found = read(above + table([SHIRT, {**SHIRT, "id": "A2", "price": ""}]), "csv")
    assert found == [SHIRT_OFFER, BrokenRow(above.count("\n") + 3, "The row has no price.")]


def test_of_columns_with_one_name_the_first_that_is_filled_counts(read: Read) -> None:
    header, row = table([SHIRT]).splitlines()
    assert read(f"price,{header}\n,{row}\n", "csv") == [SHIRT_OFFER]
    assert read(f"{header},price\n{row},1 KRW\n", "csv") == [SHIRT_OFFER]


def test_the_mark_by_which_dos_ends_a_file_is_no_row(read: Read) -> None:
    assert read(table([SHIRT]) + "\x1a", "csv") == [SHIRT_OFFER]


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_a_picture_inside_a_description_costs_no_row(read: Read, delimiter: str) -> None:
    long = {**SHIRT, "id": "A2", "description": f'<p>"a"<img src="data:image/png;base64,{"A" * 400_000}"></p>\n'}
    found = read(table([long, SHIRT], delimiter), "csv")
    assert isinstance(found[0], Offer)
    assert found[1:] == [SHIRT_OFFER]


@pytest.mark.parametrize("id", ["A1\u200b", "\u200eA1", "A\u00ad1"])
def test_invisible_letters_are_none_of_an_id(read: Read, id: str) -> None:
    assert read(table([{**SHIRT, "id": id}]), "csv") == [SHIRT_OFFER]


# --- other ways to quote ----------------------------------------------------------------------------------------------

ENDING = ",https://shop.example.com/x,https://img.example.com/x.jpg,5000"


def _titles(found: list[Offer | BrokenRow]) -> list[str]:
    return [offer.title for offer in found if isinstance(offer, Offer)]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_values_may_stand_between_apostrophes_where_the_names_do(read: Read, mark: str) -> None:
    names, row = (
        [f"'{text}'" for text in line]
        for line in (
            HEADER.split(","),
            ["A1", f"Levi''s 501{mark} 셔츠", "https://shop.example.com/1", "https://img.example.com/1.jpg", "5,000"],
        )
    )
    assert _titles(read(f"{mark.join(names)}\n{mark.join(row)}\n", "csv")) == [
        f"Levi's 501{mark} 셔츠".replace("\t", "")
    ]


def test_apostrophes_are_letters_everywhere_else(read: Read) -> None:
    feed = "\n".join([HEADER, *(_row(n, title) for n, title in enumerate(["'90s Levi's", "'셔츠'", "L'Été"])), ""])
    assert _titles(read(feed, "csv")) == ["'90s Levi's", "'셔츠'", "L'Été"]


@pytest.mark.parametrize(
    ("written", "title"),
    [
        (r'"24\" 셔츠"', '24" 셔츠'),
        (r'"24\" 셔츠, 긴소매"', '24" 셔츠, 긴소매'),
        (r'"\"린넨\" 셔츠, 긴소매"', '"린넨" 셔츠, 긴소매'),
        (r"셔츠\, 긴소매", "셔츠, 긴소매"),
        (r'"24"" 셔츠"', '24" 셔츠'),
        (r'"셔츠\"', "셔츠\\"),
        (r"셔츠\긴소매", r"셔츠\긴소매"),
    ],
)
@pytest.mark.parametrize("count", [1, 3])
def test_a_backslash_before_a_mark_is_read_where_only_that_makes_sense(
    read: Read, written: str, title: str, count: int
) -> None:
    rows = [f"A{n},{written}{ENDING}" for n in range(count)]
    assert _titles(read("\n".join([HEADER, *rows, f"Z,바지{ENDING}", ""]), "csv")) == [title] * count + ["바지"]


def test_more_rows_than_may_go_astray_may_have_backslashes(read: Read) -> None:
    rows = [rf'A{n},"24\" 셔츠"{ENDING}' for n in range(3000)]
    assert _titles(read("\n".join([HEADER, *rows, ""]), "csv")) == ['24" 셔츠'] * 3000


def test_nothing_as_databases_write_it_stays_nothing_beside_backslashes(read: Read) -> None:
    feed = f'id,title,brand,link,image_link,price\nA1,"24\\" 셔츠",\\N{ENDING}\n'
    offer = only_offer(read(feed, "csv"))
    assert (offer.title, offer.brand) == ('24" 셔츠', "")


# --- addresses as shops' programs write them --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "//img.example/1.jpg",
        "https://img.example/1.jpg\u200b",
        r"https://img.example/1.jpg\nhttps://img.example/2.jpg",
        "https://img.example/1.jpg ! alt : 셔츠 ! title : 셔츠 ! desc : ! caption :",
    ],
)
def test_a_picture_is_found_in_what_shop_programs_write(read: Read, written: str) -> None:
    assert only_offer(read(table([{**SHIRT, "image_link": written}], "\t"))).image == "https://img.example/1.jpg"


@pytest.mark.parametrize(
    "written",
    ["//shop.example/p/1", "https://shop.example/p/1\u200b", "https://shop.example/p/1 https://shop.example/m/1"],
)
def test_a_link_is_found_in_what_shop_programs_write(read: Read, written: str) -> None:
    assert only_offer(read(table([{**SHIRT, "link": written}], "\t"))).link == "https://shop.example/p/1"
