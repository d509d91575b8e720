"""Tables as strangers write them: the line that names the columns, and small ones read whole.

What spreadsheets put around a table is taken off: the line ``sep=;``, byte-order marks, other delimiters than the
comma, the code page of Korean Windows, letters that macOS decomposes, ``NULL`` and ``-`` for nothing.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from mapsi.encodings import decode
from mapsi.placeholders import stands_for_nothing

DELIMITERS = "\t,;|"
MAX_BYTES = 256 << 20
"""Largest table that is read whole."""

_INVISIBLE = re.compile(r"[\x00\u200b-\u200f\u2060\ufeff\u00ad]")
_UNIT = re.compile(r"\s*\([^()]*\)\s*$")
_SEPARATOR = re.compile(r"""\ufeff?"?sep=(\\t|.)"?\s*""", re.IGNORECASE | re.DOTALL)


def separator(line: str) -> str | None:
    """The delimiter that Excel's line ``sep=;`` names, ``None`` where the line is none."""
    match = _SEPARATOR.fullmatch(line)
    return None if match is None else match[1].replace("\\t", "\t")


def blanks_before(delimiter: str) -> bool:
    """Whether blanks after a delimiter are none of the value, so that a quotation may follow (``1, "a, b"``). Between
    tabs they are, where a quotation mark is mostly one of inches."""
    return delimiter != "\t"


def quotation_mark(line: str) -> str:
    """The mark that stands around values: an apostrophe where the line of names begins and ends with one."""
    names = line.strip("\ufeff \t\r\n")
    return "'" if len(names) > 1 and names[0] == names[-1] == "'" else '"'


def column_names(line: str, delimiter: str) -> list[str]:
    """The names of columns in a line, in lower case, ``image_link`` for ``g:Image Link``, ``image-link``, ``imageLink``
    and ``[image_link]``, without invisible letters and a unit behind (``price (KRW)``)."""
    line, mark, blanks = line.lstrip("\ufeff"), quotation_mark(line), blanks_before(delimiter)
    try:
        values = next(csv.reader([line], delimiter=delimiter, quotechar=mark, skipinitialspace=blanks), [])
    except csv.Error:
        return []
    return [_column_name(value) for value in values]


def _column_name(text: str) -> str:
    text = _UNIT.sub("", _INVISIBLE.sub("", text)).strip(" \t\r\n\xa0[]*")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text).lower()
    return re.sub(r"[\s-]+", "_", re.sub(r"^g[:_]\s*", "", words))


def delimiter_of(line: str, known: Collection[str]) -> str:
    """The delimiter by which a line names the most of the columns ``known``."""
    return max(DELIMITERS, key=lambda mark: len(set(known).intersection(column_names(line, mark))))


def read_small_table(file: Path, columns: Collection[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The rows of a small table, each with the line it ends in; names of columns in lower case, cells composed
    (NFC), without the white space around them, and empty where they say that they hold nothing or where the row is too
    short.

    ``columns`` are names that tell the delimiter. Raises :class:`OSError`, :class:`UnicodeError` and
    :class:`csv.Error`.
    """
    with file.open("rb") as opened:
        data = opened.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise csv.Error(f"it is larger than {MAX_BYTES >> 20} MiB")
    return _rows(io.StringIO(decode(data).removeprefix("\ufeff"), newline=""), columns)


def _rows(lines: io.StringIO, columns: Collection[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    above, header, named = 0, "\n", ""
    while header and not header.strip():
        header, above = lines.readline(), above + 1
        if mark := separator(header):
            header, named = "\n", mark
    delimiter = named or delimiter_of(header, columns)
    names = column_names(header, delimiter)
    mark, blanks = quotation_mark(header), blanks_before(delimiter)
    reader = csv.reader(lines, delimiter=delimiter, quotechar=mark, skipinitialspace=blanks)
    for values in reader:
        if any(values):
            cells = [_cell(value) for value in values[: len(names)]] + [""] * (len(names) - len(values))
            yield above + reader.line_num, dict(zip(names, cells, strict=True))


def _cell(text: str) -> str:
    return "" if stands_for_nothing(text) else unicodedata.normalize("NFC", text).strip()
