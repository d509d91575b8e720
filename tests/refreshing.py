"""What tests of refreshes share: a clock, a feed on a server or in a file, and sources of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mapsi.catalog import Catalog
from mapsi.catalog.records import ImportReport, Preview, SourceRecord
from mapsi.progress import Advance, no_advance
from mapsi.providers.arrivals.arrival import Limits
from mapsi.refresh.admitting import admit_source
from mapsi.refresh.queries import NaverAccount
from mapsi.refresh.refreshing import RefreshReport, RefreshServices, preview_source, refresh_source
from mapsi.remote import Fetcher
from mapsi.settings import Secret
from mapsi.taxonomy import Taxonomy
from offers import TAXONOMY
from shop_json_server import CLIENT_ID, CLIENT_SECRET

NOON = datetime(2026, 11, 23, 3, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@dataclass
class Refreshing:
    """A catalogue, and what its refreshes work with."""

    catalog: Catalog
    services: RefreshServices
    taxonomy: Taxonomy = TAXONOMY

    def add(self, name: str, at: object, format: str = "csv", **more: Any) -> SourceRecord:
        return self.catalog.sources.add(admit_source(name, format=format, at=str(at), **more))

    def refresh(self, name: str, *, accept: bool = False, progress: Advance = no_advance) -> RefreshReport:
        source = self.catalog.sources.find(name)
        return refresh_source(self.catalog, source, self.services, self.taxonomy, accept=accept, progress=progress)

    def run(self, name: str, *, accept: bool = False, progress: Advance = no_advance) -> ImportReport:
        return self.refresh(name, accept=accept, progress=progress).run

    def preview(self, name: str) -> tuple[Preview, ...]:
        return preview_source(self.catalog, self.catalog.sources.find(name), self.services, self.taxonomy)

    def counts(self, name: str, *, accept: bool = False) -> tuple[str, int, int, int, int]:
        report = self.run(name, accept=accept)
        return report.state, report.new, report.changed, report.unchanged, report.gone


def refresh_services(folder: Path, *, hosts: tuple[str, ...] = (), daily_calls: int = 25_000) -> RefreshServices:
    account = NaverAccount(client_id=Secret(CLIENT_ID), client_secret=Secret(CLIENT_SECRET), daily_calls=daily_calls)
    return RefreshServices(
        fetcher=Fetcher(allow_hosts=hosts),
        folder=folder / "feeds",
        account=account,
        limits=Limits(settled_after=0),
    )


def feed(ids: Iterable[object], price: int = 10_000, title: str = "니트") -> str:
    """A CSV feed of these offers."""
    rows = (
        f"{each},{title} {each},https://shop.example.com/{each},https://img.example.com/{each}.jpg,{price}\n"
        for each in ids
    )
    return "id,title,link,image_link,price\n" + "".join(rows)


def naver_feed(rows: Iterable[str], *, changes: bool = False) -> str:
    """A Naver EP feed: ``id:price`` a row; in a feed of changes ``id:price:I``, ``U`` or ``D``."""
    names = ["id", "title", "price_pc", "link", "image_link", "category_name1", "shipping"]
    lines = ["\t".join(names + (["class", "update_time"] if changes else []))]
    for row in rows:
        number, price, *kind = row.split(":")
        told = [number, f"니트 {number}", price, f"https://shop.example.com/{number}"]
        told += [f"https://img.example.com/{number}.jpg", "패션의류", "0"]
        lines.append("\t".join(told + ([*kind, "2026-11-23 10:00:00"] if changes else [])))
    return "\n".join(lines) + "\n"
