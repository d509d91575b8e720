"""Delimited text with a header line -> rows, each with the line it begins at."""

from __future__ import annotations

import csv
import itertools
import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TextIO

from mapsi.catalog.offer import BrokenRow
from mapsi.errors import FeedError
from mapsi.providers.rows.rows import ALIASES, FIELDS, REQUIRED, Row
from mapsi.tables import blanks_before, column_names, delimiter_of, quotation_mark, separator

if TYPE_CHECKING:
    from _csv import Reader

MAX_LINE = 1 << 20
"""Characters of one line; a file without line ends must not fill the memory."""

_ABOVE = 100
_MOST_ASTRAY = 1000
_MOST_READ_AGAIN = 128 << 20
_QUOTES = "Export it with quotation marks inside values doubled."
_AT_THE_END: list[str] = []

_OTHERS = (
    (("handle", "variant_price"), "It is an export of Shopify's: --format shopify."),
    (("url_handle", "compare_at_price"), "It is an export of Shopify's: --format shopify."),
    (("regular_price", "in_stock?"), "It is an export of WooCommerce's: --format woocommerce."),
    (
        ("상품코드", "판매가"),
        "It is a list of products as Cafe24 exports it, which has no links: give the feed that the shop has for Naver "
        "(naver-ep) or Google (merchant).",
    ),
)
"""Columns by which an export is known that was given for something else, and what to do."""

Parse = Callable[[Iterable[str]], "Reader"]
"""Lines -> rows of values, with one table's delimiter and quoting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumns:
    """What a table's first line may and must name.

    ``aliases`` are other names of columns, each with the one it stands in for where that is missing. ``quoted`` says
    that quotation marks around a value may hide delimiters and line ends in it; without it, a mark that never ends is
    just a character. ``may_be_empty`` says that a table without a row is one nonetheless. ``hint`` is what to do where
    a name is missing.
    """

    known: Collection[str]
    required: Collection[str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    quoted: bool = True
    may_be_empty: bool = False
    hint: str = "Name them in the first line, or check that the feed is of this format."

    @property
    def quoting(self) -> Literal[0, 3]:
        return csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE


MERCHANT = TableColumns(
    known=FIELDS,
    required=REQUIRED,
    aliases=ALIASES,
    hint="A table begins with a line of field names, an RSS or Atom feed with <.",
)


def read_table(text: TextIO, columns: TableColumns = MERCHANT) -> Iterator[Row | BrokenRow]:
    """The rows below the header line, whose names may come in any order, case and with blanks for underscores.

    The delimiter (tab, comma, semicolon or bar) is the one that finds the most names. Blank lines are skipped; columns
    that a row lacks at its end are empty. Raises :class:`FeedError` where the header lacks a required name, where there
    is no row, and where the last row breaks off. A quotation that never ends costs the row that it begins in.
    """
    lines = _lines(text)
    names, delimiter, mark, above = _read_header(lines, columns)
    csv.field_size_limit(MAX_LINE)  # a description may hold a picture
    blanks = blanks_before(delimiter)
    parse = partial(csv.reader, delimiter=delimiter, quotechar=mark, quoting=columns.quoting, skipinitialspace=blanks)
    source = _Lines(lines, above)
    reader = parse(source)
    named = [(index, name) for index, name in enumerate(names) if name in columns.known and name not in names[:index]]
    again = [(index, name) for index, name in enumerate(names) if name in columns.known and name in names[:index]]
    width = len(names)
    count = 0
    while (values := _next_values(reader)) is not _AT_THE_END:
        line = source.row_at
        if escaped := _unescaped(source.row, parse, width):
            values = escaped
            if len(source.row) > 1:
                source.read_again(astray=False)
                reader = parse(source)
            else:
                source.begin_row()
        elif values is None or _is_astray(values, source.row, parse, width):
            count += 1
            yield BrokenRow(line, "The row has an unmatched quotation mark.")
            source.read_again()
            reader = parse(source)
            continue
        elif _breaks_off(values, source.row, parse, width):
            raise FeedError(f"The feed is cut off in line {line}.", "Export or fetch it again.")
        else:
            source.begin_row()
        if not any(values):
            continue
        count += 1
        if len(values) > width and any(values[width:]):
            yield BrokenRow(line, f"The row has {len(values)} columns, the header {width}.")
            continue
        values.extend("" for _ in range(width - len(values)))
        row = {name: values[index] for index, name in named}
        for index, name in again:  # of columns with one name the first that is filled counts
            row[name] = row[name] if row[name].strip() else values[index]
        yield line, row
    if not count and not columns.may_be_empty:
        raise FeedError("The feed names its columns but has no rows.", "Export it again.")


def read_names(text: TextIO, columns: TableColumns) -> list[str]:
    """The column names alone; raises :class:`FeedError` as :func:`read_table` does."""
    return _read_header(_lines(text), columns)[0]


def names_columns(head: str, columns: TableColumns = MERCHANT) -> bool:
    """Whether one of the first lines of a text names the columns that are required."""
    try:
        _read_header(iter(head.splitlines(keepends=True)), columns)
    except FeedError:
        return False
    return True


def _lines(text: TextIO) -> Iterator[str]:
    while (line := text.readline(MAX_LINE)) and line.rstrip("\r\n") != "\x1a":  # how DOS ends a file
        if len(line) == MAX_LINE:
            raise FeedError(f"The feed has a line of more than {MAX_LINE:,} characters.", "Check that it is a feed.")
        yield line


class _Lines:
    """Lines of a table, those of the present ``row`` remembered; ``row_at`` is the number of its first."""

    def __init__(self, lines: Iterator[str], above: int) -> None:
        self.row: list[str] = []
        self.row_at = above + 1
        self._lines = lines
        self._again: deque[str] = deque()
        self._returns = self._read_again = 0

    def __iter__(self) -> Iterator[str]:
        while (line := self._again.popleft() if self._again else next(self._lines, None)) is not None:
            self.row.append(line)
            yield line

    def begin_row(self) -> None:
        self.row_at += len(self.row)
        self.row.clear()

    def read_again(self, *, astray: bool = True) -> None:
        """Go back to the line after the row's first. Each time may take :data:`MAX_LINE` characters twice, so that it
        is bounded: raises :class:`FeedError`."""
        self._returns += astray
        self._read_again += sum(map(len, self.row))
        if self._returns > _MOST_ASTRAY or self._read_again > _MOST_READ_AGAIN:
            raise FeedError(f"More than {self._returns - 1} rows have an unmatched quotation mark.", _QUOTES)
        self._again.extendleft(reversed(self.row[1:]))
        del self.row[1:]
        self.begin_row()


def _read_header(lines: Iterator[str], columns: TableColumns) -> tuple[list[str], str, str, int]:
    """The column names, the delimiter between them, the quotation mark, and the line's number. Above that line may
    stand Excel's own that names the delimiter, blank ones, and more, such as a title, a comment or warnings of PHP."""
    named, tried, missing, hint = "", 0, list(columns.required), columns.hint
    for number, header in enumerate(lines, 1):
        mark = separator(header)
        named = mark or named
        if mark or not header.strip():
            continue
        known = {*columns.known, *columns.aliases}
        for line, delimiter in itertools.product(_with_and_without_message(header), (named, None)):
            between = delimiter_of(line, known) if delimiter is None else delimiter
            names = _aliased(column_names(line, between), columns.aliases) if between else []
            lacking = [name for name in columns.required if name not in names]
            if not lacking:
                return names, between, quotation_mark(line), number
            missing = min(missing, lacking, key=len)
        hint = _hint_for_others(header) or hint
        tried += 1
        if tried == _ABOVE:
            break
    raise FeedError(f"The first line of the feed does not name these columns: {', '.join(missing)}.", hint)


def _hint_for_others(header: str) -> str:
    found = (hint for names, hint in _OTHERS if {*names} <= {*column_names(header, delimiter_of(header, names))})
    return next(found, "")


def _with_and_without_message(header: str) -> tuple[str, ...]:
    """The line, and without what a server has printed before it without a line's end."""
    return (header, header.rpartition(">")[2]) if "<" in header else (header,)


def _aliased(names: list[str], aliases: Mapping[str, str]) -> list[str]:
    return [name if aliases.get(name, name) in names else aliases[name] for name in names]


def _next_values(reader: Iterator[list[str]]) -> list[str] | None:
    """The values of the next row, ``None`` where a quotation in it is too long to be one."""
    try:
        return next(reader, _AT_THE_END)
    except csv.Error:
        return None


def _is_astray(values: list[str], row_lines: list[str], parse: Parse, width: int) -> bool:
    """Whether a row took others in, for a quotation mark of its first line has no other half: the next one that comes
    ends the quotation in the middle of a value, or the row has not as many values as it should. The last row of a file
    may be cut off instead; it is astray where what follows its first line is a row, or where it is a line with its end
    that has all its values but for the mark."""
    if len(row_lines) == 1:
        whole = row_lines[0].endswith(("\n", "\r")) and len(values) < width
        return whole and _ends_in_quotation(row_lines, parse) and len(_taken_literally(row_lines[0], parse)) == width
    if _ends_in_quotation(row_lines, parse):
        return len(next(parse(row_lines[1:]), [])) == width
    strict = csv.reader(row_lines, parse([]).dialect, strict=True)
    try:
        return len(next(strict, [])) != width
    except csv.Error:
        return True


def _unescaped(row_lines: list[str], parse: Parse, width: int) -> list[str] | None:
    """The values of a row's first line where marks inside them have a backslash before them (``"24\\" 셔츠"``), as
    databases and PHP write them, and where it makes no sense otherwise; ``\\N`` is nothing."""
    line = row_lines[0]
    if "\\" not in line:
        return None
    dialect = parse([]).dialect
    if len(row_lines) == 1 and len(_strictly([line], dialect)) == width:
        return None
    mark = re.escape(dialect.delimiter)
    nothing = re.compile(rf"(?:^|(?<={mark}))\\N(?=[\r\n]|$|{mark})")
    values = _strictly([nothing.sub("", line)], dialect, escape="\\")
    return values if len(values) == width else None


def _strictly(lines: list[str], dialect: Any, escape: str | None = None) -> list[str]:
    """The values of lines that hold one row and follow the rules, none where they do not."""
    try:
        rows = list(csv.reader(lines, dialect, strict=True, escapechar=escape))
    except csv.Error:
        return []
    return rows[0] if len(rows) == 1 else []


def _breaks_off(values: list[str], row_lines: list[str], parse: Parse, width: int) -> bool:
    """Whether a row is the file's last and incomplete: only a last row can lack its line end, or have a line end
    inside a quotation that nothing but the end of the file closed."""
    if not row_lines[-1].endswith(("\n", "\r")):
        return len(values) < width or _ends_in_quotation(row_lines, parse)
    return bool(values) and values[-1].endswith(("\n", "\r")) and _ends_in_quotation(row_lines, parse)


def _taken_literally(line: str, parse: Parse) -> list[str]:
    """The values of a line where quotation marks mean nothing."""
    return next(csv.reader([line], delimiter=parse([]).dialect.delimiter, quoting=csv.QUOTE_NONE), [])


def _ends_in_quotation(row_lines: list[str], parse: Parse) -> bool:
    """Whether one more line would still belong to this row."""
    return list(parse([*row_lines, "\n", "end"]))[-1] != ["end"]
