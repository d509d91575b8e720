"""The findings written out: a table and a JSON document for programs, and one page with the pictures for people."""

from __future__ import annotations

import base64
import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from mapsi.artifacts import atomic_file, write_json
from mapsi.dataset.facts import map_photos
from mapsi.dataset.findings import KINDS, MEANINGS, CheckReport, Finding, Kind
from mapsi.dataset.manifest import Manifest, write_manifest
from mapsi.errors import PhotoError
from mapsi.imaging import PhotoLimits, encode_webp, read_photo
from mapsi.progress import Advance, no_advance
from mapsi.taxonomy import Axis, Name

PAGE = "report.html"
TABLE = "findings.csv"
DOCUMENT = "findings.json"
MANIFEST = "manifest.csv"
THUMBNAIL = 176
MOST_SHOWN = 200

EXPLANATIONS: dict[Kind, str] = {
    "unreadable": "The file is damaged, empty, too large or of a kind that is not accepted. Left out.",
    "tiny": "The shorter side is under the limit. Left out.",
    "copy": "The files are equal byte for byte. The first by name is kept.",
    "twin": "Another size, compression, brightness or a slight crop of one picture. The largest file is kept.",
    "copy-across": "One file stands in two classes. At most one of the labels is right: both are left out until one of "
    "the files is taken away.",
    "twin-across": "One picture stands in two classes. At most one of the labels is right: both are left out until one "
    "of them is taken away.",
    "label": "Photos that a model, which did not learn from them, finds in another class than they stand in; those it "
    "is surest of first. A person decides.",
    "alike": "Not the same picture, but alike by perceptual hash: one product in two colours, one person in two "
    "shirts. "
    "Kept; a split keeps them on one side.",
}


@dataclass(frozen=True, slots=True)
class _Section:
    kind: Kind
    title: str
    explanation: str
    found: int
    left_out: int
    shown: Sequence[Finding]
    all_shown: bool


def write_check(
    report: CheckReport,
    manifest: Manifest,
    axis: Axis,
    into: Path,
    limits: PhotoLimits | None = None,
    most: int = MOST_SHOWN,
    progress: Advance = no_advance,
) -> Path:
    """Write the page, the table, the document and, last, the manifest into the folder ``into``; returns the page.

    Each file is whole or not there. ``most`` findings a kind are shown with their pictures.
    """
    page = render_page(report, axis, limits or PhotoLimits(), most, progress)
    with atomic_file(into / PAGE) as beside:
        beside.write_text(page, "utf-8")
    write_table(into / TABLE, report.findings)
    write_json(into / DOCUMENT, report.to_json())
    write_manifest(into / MANIFEST, manifest)
    return into / PAGE


def write_table(file: Path, findings: Sequence[Finding]) -> None:
    """One row a finding, columns as the fields of :class:`Finding`. It begins with a byte-order mark, without which
    Korean Windows opens it as CP949."""
    with atomic_file(file) as beside, beside.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, [field.name for field in fields(Finding)])
        writer.writeheader()
        for finding in findings:
            writer.writerow(finding.to_json() | {"left_out": "yes" if finding.left_out else "no"})


def count_pictures(report: CheckReport, most: int = MOST_SHOWN) -> int:
    """How many pictures the page shows."""
    return len(_pictures_of(_sections(report, most)))


def render_page(
    report: CheckReport, axis: Axis, limits: PhotoLimits, most: int = MOST_SHOWN, progress: Advance = no_advance
) -> str:
    """The page as HTML that needs nothing beside it: small pictures are in it, every text is escaped."""
    sections = _sections(report, most)
    names = _pictures_of(sections)
    thumbnails = map_photos(lambda path: _thumbnail(path, limits), [report.folder / name for name in names], progress)
    environment = Environment(
        loader=PackageLoader("mapsi.dataset", "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    context: dict[str, Any] = {
        "report": report,
        "axis": axis,
        "sections": sections,
        "pictures": dict(zip(names, thumbnails, strict=True)),
        "names": {row.label: _name(axis, row.label) for row in report.classes},
        "most": max((row.photos for row in report.classes), default=1),
    }
    return environment.get_template(PAGE).render(context)


def _name(axis: Axis, label: str) -> Name:
    known = axis.by_slug.get(label)
    return known.name if known is not None else Name(label, label)


def _sections(report: CheckReport, most: int) -> list[_Section]:
    found, gone = report.counts(), report.counts(left_out=True)
    sections = []
    for kind in KINDS:
        pairs = _each_pair_once(report.of_kind(kind))
        texts = (kind, MEANINGS[kind], EXPLANATIONS[kind])
        sections.append(_Section(*texts, found[kind], gone[kind], pairs[:most], all_shown=len(pairs) <= most))
    return sections


def _each_pair_once(findings: Sequence[Finding]) -> list[Finding]:
    """Two photos that name each other are one pair to look at; a photo without another stands for itself."""
    return list({frozenset((f.path, f.other)): f for f in reversed(findings)}.values())[::-1]


def _pictures_of(sections: Sequence[_Section]) -> list[str]:
    shown = [finding for section in sections for finding in section.shown if section.kind != "unreadable"]
    return list(dict.fromkeys(name for finding in shown for name in (finding.path, finding.other) if name))


def _thumbnail(path: Path, limits: PhotoLimits) -> str:
    """A small WebP as a data address, or nothing where the photo is gone since it was checked."""
    try:
        photo = read_photo(path, limits, at_least=THUMBNAIL)
    except PhotoError:
        return ""
    small = encode_webp(photo, max_side=THUMBNAIL, quality=70)
    return f"data:image/webp;base64,{base64.b64encode(small).decode()}"
