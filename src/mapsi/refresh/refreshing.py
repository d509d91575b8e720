"""A source's refresh: fetch what is new, look at it or take it over, and say how it went."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mapsi.catalog import Catalog
from mapsi.catalog.imports.run import Row, Run
from mapsi.catalog.records import ImportReport, Preview, SourceRecord
from mapsi.progress import Advance, no_advance
from mapsi.providers import find_provider
from mapsi.providers.arrivals.arrival import DEFAULTS, Arrived, Limits
from mapsi.providers.arrivals.origin import open_origin
from mapsi.refresh.feeds import beside
from mapsi.refresh.queries import CountedCalls, NaverAccount, QueryRound, is_asked
from mapsi.remote import Fetcher
from mapsi.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshServices:
    """What a refresh works with: the one fetcher, a folder for downloads, the account of Naver's Open API and what a
    feed may cost."""

    fetcher: Fetcher
    folder: Path
    account: NaverAccount
    limits: Limits = DEFAULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshReport:
    """What the ``run`` of a source did. ``calls_left`` is what its provider still allows today, ``None`` where it does
    not count."""

    source: SourceRecord
    run: ImportReport
    calls_left: int | None = None


def refresh_source(
    catalog: Catalog,
    source: SourceRecord,
    services: RefreshServices,
    taxonomy: Taxonomy,
    *,
    accept: bool = False,
    progress: Advance = no_advance,
) -> RefreshReport:
    """Refresh a source: its feed, if it is new, takes the place of the one before in one moment.

    A feed that would take away more than the source's share of its offers changes nothing and the report says ``held``;
    ``accept`` takes it. A source that is asked by queries and has no calls left ends as ``partial``, and the next
    refresh continues. Whatever goes wrong is recorded and raised as a ``MapsiError``; :class:`BusyError` where a run of
    the source is in progress elsewhere. Nothing has changed then.
    """
    catalog.sweep()
    with catalog.imports.begin(source, taxonomy) as run:
        if is_asked(source):
            asking = QueryRound(catalog, source, services.account, services.fetcher, taxonomy)
            report = asking.take_over(run, accept=accept, progress=progress)
        else:
            report = _take_feed(catalog, source, run, services, taxonomy, accept=accept, progress=progress)
    return RefreshReport(source=source, run=report, calls_left=calls_left(catalog, source, services.account))


def calls_left(catalog: Catalog, source: SourceRecord, account: NaverAccount) -> int | None:
    """How many calls the source's provider allows today still; ``None`` where it does not count them."""
    return CountedCalls(catalog, source, account).left(catalog.now()) if is_asked(source) else None


def preview_source(
    catalog: Catalog,
    source: SourceRecord,
    services: RefreshServices,
    taxonomy: Taxonomy,
    *,
    progress: Advance = no_advance,
) -> tuple[Preview, ...]:
    """What a refresh would change: a preview for each feed that is new, none where there is none. Nothing is changed
    and no run is recorded; calls that a provider counts are spent all the same.

    Several feeds (a whole one and changes after it) are each compared with what is there now. Raises like
    :func:`refresh_source`.
    """
    if is_asked(source):
        asking = QueryRound(catalog, source, services.account, services.fetcher, taxonomy)
        rows, whole = asking.try_out()
        return (catalog.imports.preview(source, rows, taxonomy, whole=whole, progress=progress),)
    with TemporaryDirectory() as into:
        return tuple(
            catalog.imports.preview(source, rows, taxonomy, whole=whole, progress=progress)
            for _arrived, rows, whole in _arrivals(catalog, source, services, taxonomy, Path(into))
        )


def _take_feed(
    catalog: Catalog,
    source: SourceRecord,
    run: Run,
    services: RefreshServices,
    taxonomy: Taxonomy,
    *,
    accept: bool,
    progress: Advance,
) -> ImportReport:
    report = None
    with _folder(source, services) as into:
        for arrived, rows, whole in _arrivals(catalog, source, services, taxonomy, into):
            report = run.take(
                rows,
                whole=whole,
                shrink=source.shrink,
                accept=accept,
                remember=arrived.remember,
                progress=progress,
            )
            if report.state == "held":
                break
    return run.renew() if report is None else report


@contextmanager
def _folder(source: SourceRecord, services: RefreshServices) -> Iterator[Path]:
    """The source's own folder for downloads, emptied of what a killed run may have left."""
    folder = services.folder / source.shop
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _arrivals(
    catalog: Catalog, source: SourceRecord, services: RefreshServices, taxonomy: Taxonomy, into: Path
) -> Iterator[tuple[Arrived, Iterator[Row], bool]]:
    """Each feed that is new, its rows, and whether it is the whole of what there is."""
    provider = find_provider(source.format)
    arrived = open_origin(
        source.address,
        remembered=catalog.sources.recall(source, taxonomy),
        into=into,
        fetcher=services.fetcher,
        partial=provider.partial,
        limits=services.limits,
        sleep=services.fetcher.rest,
    )
    for each in arrived:
        rows = beside(provider.read(each.file, each.base, catalog.now()), each.file.resolve().parent)
        yield each, rows, not provider.partial(each.file)
