"""A report as files: ``report.html`` (one file, pictures inside), ``report.md``, ``report.json`` and the plots."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from mapsi.artifacts import atomic_file, write_json
from mapsi.errors import PhotoError
from mapsi.evaluate.answers import open_photo
from mapsi.evaluate.report.plots import plot_report
from mapsi.evaluate.report.report import Report
from mapsi.evaluate.report.terminal import drawn, notes
from mapsi.imaging import PhotoLimits, encode_jpeg

THUMBNAIL = 220


def write_report(report: Report, folder: Path, names: Mapping[str, str], *, limits: PhotoLimits | None = None) -> Path:
    """Write ``report`` into ``folder``, beside what else lies there; returns the page.

    ``names`` are the classes' names by slug, for people; ``limits`` are those the photos were read with.
    """
    files = plot_report(report, folder, names)
    write_json(folder / "report.json", report.to_json())
    pages = _environment(names)
    context = {"report": report, "notes": notes(report), "drawn": drawn(report)}
    _write_text(folder / "report.md", pages.get_template("report.md").render(context))
    pictures = {name: _data_uri(file.read_bytes(), "png") for name, file in files.items()}
    page = pages.get_template("report.html").render(context, pictures=pictures, thumbnails=_thumbnails(report, limits))
    return _write_text(folder / "report.html", page)


def _environment(names: Mapping[str, str]) -> Environment:
    pages = Environment(
        loader=PackageLoader("mapsi.evaluate"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["name"] = lambda slug: names.get(slug, slug)
    pages.filters["figure"] = "{:.3f}".format
    pages.filters["percent"] = "{:.1%}".format
    pages.filters["interval"] = lambda ends: f"{ends.low:.3f} to {ends.high:.3f}"
    pages.filters["points"] = lambda found: (
        f"{100 * found.difference:+.1f} ({100 * found.interval.low:+.1f} to {100 * found.interval.high:+.1f})"
    )
    pages.filters["cell"] = _cell
    return pages


def _cell(text: str) -> str:
    """A text from outside as one cell of a Markdown table: no markup, no end of the cell."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    for mark in r"\`*_[]|":
        plain = plain.replace(mark, f"\\{mark}")
    return plain


def _thumbnails(report: Report, limits: PhotoLimits | None) -> dict[str, str]:
    """Small pictures of the examples, by name; a photo that went away meanwhile has none, and its place says so."""
    found = {}
    for example in (example for pair in report.confused for example in pair.examples):
        try:
            picture = open_photo(example.photo, limits)
        except PhotoError:
            continue
        found[example.photo.name] = _data_uri(encode_jpeg(picture, max_side=THUMBNAIL, quality=80), "jpeg")
    return found


def _data_uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _write_text(file: Path, text: str) -> Path:
    with atomic_file(file) as beside:
        beside.write_text(text, "utf-8")
    return file
