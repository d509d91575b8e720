"""What the operator's front page shows, worked out beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from mapsi.catalog.imports.sources import next_time
from mapsi.catalog.operations.clicks import ClickCount
from mapsi.catalog.operations.jobs import WaitingJob
from mapsi.catalog.operations.searches import Search
from mapsi.catalog.pictures.fetching import PictureFault
from mapsi.catalog.query import Query
from mapsi.catalog.records import CatalogStatus, Facets, ShopStatus
from mapsi.errors import MapsiError
from mapsi.refresh.queries import NaverAccount
from mapsi.refresh.refreshing import calls_left
from mapsi.taxonomy import Taxonomy
from mapsi.taxonomy.names import axis_name, class_name
from mapsi.web.operator.runs import RunView, StateView, view_run, view_state
from mapsi.web.operator.work import WorkView, view_work
from mapsi.web.request.languages import language
from mapsi.web.request.times import TimeView, view_time
from mapsi.web.state.services import Services

if TYPE_CHECKING:
    from mapsi.catalog import Catalog
    from mapsi.search.finder import Finder

FAULTS_SHOWN = 8
QUERIES_SHOWN = 20
_URGENT = ("held", "failed", "killed")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A source, or a shop that came by imports alone (``by_hand``). ``wanted`` says that a job of it waits or is being
    done; ``calls_left`` is what its provider allows today, where it counts."""

    name: str
    slug: str
    by_hand: bool
    format: str
    where: str
    shown: int
    living: int
    gone: int
    state: StateView
    run: RunView | None
    next: TimeView | None
    overdue: bool
    expires: TimeView | None
    expired: bool
    calls_left: int | None
    wanted: bool

    @property
    def urgent(self) -> bool:
        """Whether a person has to do something about it."""
        return self.state.slug in _URGENT

    @property
    def held(self) -> bool:
        return self.state.slug == "held"


@dataclass(frozen=True, slots=True)
class AxisCounts:
    """The classes of one axis, the fullest first: slug, name and how many products have it; the empty slug counts those
    without a class. A full bar stands for ``most``."""

    slug: str
    name: str
    classes: tuple[tuple[str, str, int], ...]
    most: int


@dataclass(frozen=True, slots=True)
class PictureFaultView:
    """An address that gave no picture."""

    fault: PictureFault
    due: TimeView


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturesView:
    """``known`` pictures, offers still ``missing`` theirs, and the latest of the ``failed`` addresses."""

    known: int
    missing: int
    failed: int
    faults: tuple[PictureFaultView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexView:
    """The index that photos are looked for in; ``fault`` says why it cannot serve, beside the one that
    stays in use where there is one."""

    model: str = ""
    created: str = ""
    fingerprint: str = ""
    offers: int = 0
    built: TimeView | None = None
    behind: bool = False
    fault: str = ""


@dataclass(frozen=True, slots=True)
class QueryView:
    """Words that were searched for, with the time of the last search as it is shown."""

    search: Search
    last: TimeView


@dataclass(frozen=True, slots=True)
class UnansweredView:
    """Words that found nothing as they were typed, and what they find at this moment: ``whole`` products that have all
    of them, and ``nearest`` that come near, which shoppers are shown instead."""

    search: Search
    last: TimeView
    whole: int
    nearest: int


@dataclass(frozen=True, slots=True)
class ClicksView:
    """Ways to shops in the last two weeks: each day, each shop and each class with its name and number."""

    days: tuple[ClickCount, ...]
    shops: tuple[ClickCount, ...]
    classes: tuple[ClickCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The whole page."""

    now: TimeView
    shown: int
    living: int
    gone: int
    sources: tuple[SourceView, ...]
    work: WorkView
    axes: tuple[AxisCounts, ...]
    pictures: PicturesView
    index: IndexView
    queries: tuple[UnansweredView, ...]
    searches: tuple[QueryView, ...]
    clicks: ClicksView

    @property
    def urgent(self) -> list[SourceView]:
        return [source for source in self.sources if source.urgent]


def view_overview(services: Services) -> Overview:
    """The catalogue as it is at this moment."""
    catalog = services.catalog
    status, now = catalog.status(), catalog.now()
    return Overview(
        now=view_time(now, now),
        shown=status.shown,
        living=status.living,
        gone=status.gone,
        sources=tuple(_by_need(view_sources(services, status, now))),
        work=view_work(catalog, now),
        axes=_view_axes(services.catalog.listings.facets(), services.taxonomy),
        pictures=_view_pictures(services, status, now),
        index=_view_index(services.finder, status, now),
        queries=tuple(_view_unanswered(catalog, now)),
        searches=_view_searches(catalog.searches.top(QUERIES_SHOWN), now),
        clicks=_view_clicks(services, status),
    )


def _view_unanswered(catalog: Catalog, now: datetime) -> Iterator[UnansweredView]:
    for one in catalog.searches.unanswered(QUERIES_SHOWN):
        found = catalog.listings.search(Query(words=one.words, size=1))
        whole = found.with_all_words
        yield UnansweredView(one, view_time(one.last, now), whole, found.total - whole)


def _view_searches(searches: Iterable[Search], now: datetime) -> tuple[QueryView, ...]:
    return tuple(QueryView(one, view_time(one.last, now)) for one in searches)


def _view_clicks(services: Services, status: CatalogStatus) -> ClicksView:
    clicks = services.catalog.clicks
    titles = {shop.slug: shop.title for shop in status.shops}
    names = {
        f"{axis}:{one.slug}": one.name.in_language(language())
        for axis, found in services.taxonomy.axes.items()
        for one in found.classes
    }
    return ClicksView(
        days=tuple(clicks.by_day()),
        shops=tuple(replace(one, name=titles.get(one.name, one.name)) for one in clicks.by_shop()),
        classes=tuple(replace(one, name=names.get(one.name, one.name)) for one in clicks.by_class()[:QUERIES_SHOWN]),
    )


def view_sources(services: Services, status: CatalogStatus, now: datetime) -> list[SourceView]:
    """Everything that offers come from or are expected of, by slug."""
    account, catalog = NaverAccount.of(services.settings), services.catalog
    wanted = {one.job.argument for one in catalog.jobs.all() if _is_refresh(one) and not _waits_after_failing(one, now)}
    return [
        _view_source(shop, calls_left(catalog, shop.source, account) if shop.source else None, wanted, now)
        for shop in status.shops
        if shop.is_current
    ]


def _is_refresh(waiting: WaitingJob) -> bool:
    return waiting.job.kind in ("refresh", "accept")


def _waits_after_failing(waiting: WaitingJob, now: datetime) -> bool:
    """Whether it could be started again at once, by hand."""
    return bool(waiting.failures) and not waiting.worker and waiting.due > now


def _view_source(shop: ShopStatus, left: int | None, wanted: Iterable[str], now: datetime) -> SourceView:
    run, source = shop.last_import, shop.source
    due = next_time(source, run) if source else None
    expires = shop.expires if shop.living else None
    return SourceView(
        name=shop.title,
        slug=shop.slug,
        by_hand=source is None,
        format=source.format if source else run.format if run else "",
        where=source.address if source else run.origin if run else "",
        shown=shop.shown,
        living=shop.living,
        gone=shop.gone,
        state=view_state(run.state if run else "never"),
        run=view_run(run, now) if run else None,
        next=view_time(due, now) if due else None,
        overdue=due is not None and due <= now,
        expires=view_time(expires, now) if expires else None,
        expired=expires is not None and expires <= now,
        calls_left=left,
        wanted=source is not None and source.name in wanted,
    )


def _by_need(sources: Sequence[SourceView]) -> list[SourceView]:
    """What somebody has to look at comes first."""
    return sorted(sources, key=lambda source: (not source.held, not source.urgent, source.by_hand, source.name))


def _view_axes(facets: Facets, taxonomy: Taxonomy) -> tuple[AxisCounts, ...]:
    views = []
    for axis in taxonomy.listed:
        counts = facets.classes.get(axis, ())
        named = [(slug, class_name(taxonomy, axis, slug).in_language(language()), count) for slug, count in counts]
        known = taxonomy.axes[axis].by_slug  # what is a kind of another stands in its count
        without = facets.offers - sum(n for slug, n in counts if slug not in known or not known[slug].parent)
        if without > 0:
            named.append(("", "", without))
        most = max((count for _slug, _name, count in named), default=1)
        views.append(AxisCounts(axis, axis_name(taxonomy, axis).in_language(language()), tuple(named), most))
    return tuple(views)


def _view_pictures(services: Services, status: CatalogStatus, now: datetime) -> PicturesView:
    failed, faults = services.catalog.pictures.faults(FAULTS_SHOWN)
    return PicturesView(
        known=status.pictures,
        missing=sum(shop.pictures_missing for shop in status.shops),
        failed=failed,
        faults=tuple(PictureFaultView(fault, view_time(fault.due, now)) for fault in faults),
    )


def _view_index(finder: Finder, status: CatalogStatus, now: datetime) -> IndexView:
    fault = finder.index_fault()
    try:
        serving, built = finder.serving(), finder.index_built()
    except MapsiError as error:
        return IndexView(fault=str(error))
    snapshot, document = serving.snapshot, serving.model.document
    return IndexView(
        model=document.name,
        created=document.created,
        fingerprint=serving.model.fingerprint,
        offers=snapshot.index.size if snapshot else 0,
        built=view_time(built, now) if built else None,
        behind=snapshot is not None and snapshot.generation != status.generation,
        fault="" if fault is None else str(fault),
    )
