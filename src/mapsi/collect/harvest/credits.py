"""Attribution: who made the photos of a collection, and under which licence they may be used."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from mapsi.collect.harvest.ledger import NAME, LedgerLine, read_ledger
from mapsi.errors import NotFoundError
from mapsi.http_address import is_http

_COLUMNS = ("photo", "title", "creator", "licence", "licence_address", "page", "origin", "source")


def credited(folder: Path) -> list[tuple[str, LedgerLine]]:
    """(path in the folder, its line) of each photo that is there now, by path; raises :class:`NotFoundError` where the
    folder has no ledger. A photo that was moved to another class is found there."""
    if not (folder / NAME).exists():
        raise NotFoundError(f"There is no ledger in {folder}.", "Name a folder that `mapsi collect --into` has filled.")
    lines = {line.file: line for line in read_ledger(folder) if line.outcome == "kept"}
    there = (path.relative_to(folder) for path in sorted(folder.glob("*/*.jpg")) if path.name in lines)
    return [(path.as_posix(), lines[path.name]) for path in there]


def as_text(credits: Iterable[tuple[str, LedgerLine]]) -> str:
    """A line per photo, in the form that Creative Commons recommends: title, author, source, licence."""
    return "".join(f"{path}: {_sentence(line)}\n" for path, line in credits)


def as_csv(credits: Iterable[tuple[str, LedgerLine]]) -> str:
    """A table with a header line; a cell that a spreadsheet would take for a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for path, line in credits:
        cells = [line.title, line.creator, line.licence, line.licence_address, line.page, _origin(line), line.source]
        writer.writerow([path, *map(_no_formula, cells)])
    return out.getvalue()


def as_html(credits: Iterable[tuple[str, LedgerLine]]) -> str:
    """A page with a list, everything from outside as text; only http(s) addresses become links."""
    items = "".join(f"<li>{html.escape(path)}: {_markup(line)}</li>\n" for path, line in credits)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Credits</title>\n'
        f"<h1>Credits</h1>\n<ul>\n{items}</ul>\n</html>\n"
    )


FORMATS: Mapping[str, Callable[[Sequence[tuple[str, LedgerLine]]], str]] = {
    "text": as_text,
    "csv": as_csv,
    "html": as_html,
}


def _sentence(line: LedgerLine) -> str:
    licence = " ".join(filter(None, (line.licence, line.licence_address and f"<{line.licence_address}>")))
    parts = [
        f"“{line.title}”" if line.title else "untitled",
        f"by {line.creator}" if line.creator else "creator not known",
        licence or "licence not known",
        f"from {_origin(line)}",
    ]
    return ", ".join(parts)


def _markup(line: LedgerLine) -> str:
    title = _link(_origin(line), f"“{line.title}”" if line.title else "untitled")
    creator = html.escape(f"by {line.creator}" if line.creator else "creator not known")
    licence = _link(line.licence_address, line.licence) if line.licence else "licence not known"
    return f"{title}, {creator}, {licence}"


def _origin(line: LedgerLine) -> str:
    """Where a photo is from; paths on this machine are nobody's business."""
    address = line.page or line.address
    return address if is_http(address) else "a folder of one's own"


def _link(address: str, text: str) -> str:
    shown = html.escape(text)
    if not is_http(address):
        return shown
    return f'<a href="{html.escape(address)}" rel="noopener noreferrer nofollow">{shown}</a>'


def _no_formula(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
