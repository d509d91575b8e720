"""An import from its first row to its last: locked, staged, switched, and booked whatever happens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy import Connection, insert, select, update

from mapsi.catalog.class_words import save_class_words
from mapsi.catalog.database import Database, begin_write, storable
from mapsi.catalog.generation import advance_generation
from mapsi.catalog.locks import exclusive
from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.catalog.records import ImportReport
from mapsi.catalog.staging import Stage, create_stage
from mapsi.catalog.switching import Delivery, new_id, switch
from mapsi.catalog.tables import Import, Shop
from mapsi.errors import CatalogError, FeedError, MapsiError, UsageError
from mapsi.taxonomy import Taxonomy

_BATCH = 1000
_BROKEN_KEPT = 1000
_SWITCH_SECONDS = 3600


def shop_slug(name: str) -> str:
    """The slug of a shop's name: small letters and digits of any script, joined by hyphens.

    Raises :class:`UsageError` where the name has none."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    slug = "-".join(re.findall(r"[^\W_]+", folded))[:100].rstrip("-")
    if not slug:
        raise UsageError(f"{name!r} is no name for a shop.", "Give one with letters or digits.")
    return slug


def refuse_namesake(database: Database, slug: str, name: str) -> None:
    """Raise :class:`UsageError` where another shop has the slug of ``name``: its offers would be taken for gone."""
    with database.read() as connection:
        known = connection.scalar(select(Shop.name).where(Shop.slug == slug))
    if known not in (None, slug, name):
        raise UsageError(
            f"The shop {name!r} would be kept as {slug!r}, which is the shop {known!r}.",
            f"Give {known!r} or {slug!r} if you mean that one, or a name that differs in a letter or digit.",
        )


def run_import(
    database: Database,
    delivery: Delivery,
    rows: Iterable[Offer | BrokenRow],
    taxonomy: Taxonomy,
    progress: Callable[[int], None] | None,
) -> ImportReport:
    """See :meth:`mapsi.catalog.catalog.Catalog.import_offers`."""
    with (
        database.session() as connection,
        exclusive(database, connection, f"import/{delivery.shop}") as free,
    ):
        if not free:
            raise CatalogError(
                f"Another import of the shop {delivery.shop} is running.", "Wait until it has ended, then start again."
            )
        import_id = _open_book(connection, delivery)
        with _booked_if_it_fails(database, import_id):
            create_stage(connection)
            shop_id = _shop_id(connection, delivery.shop)
            stage = Stage(connection, shop_id, taxonomy)
            broken = _fill(stage, rows, progress)
            if not stage.counts.good:
                raise _no_good_offer(broken)
            return _take_over(database, connection, delivery, import_id, taxonomy, stage, broken)


@dataclass
class _Broken:
    """Broken rows: the first ones, and how many there are."""

    first: list[BrokenRow] = field(default_factory=list)
    count: int = 0

    def add(self, rows: Iterable[BrokenRow]) -> None:
        for row in rows:
            self.count += 1
            if len(self.first) < _BROKEN_KEPT:
                self.first.append(row)


def _fill(stage: Stage, rows: Iterable[Offer | BrokenRow], progress: Callable[[int], None] | None) -> _Broken:
    broken, read, stream = _Broken(), 0, iter(rows)
    while batch := list(islice(stream, _BATCH)):
        broken.add(row for row in batch if isinstance(row, BrokenRow))
        broken.add(stage.put([row for row in batch if isinstance(row, Offer)]))
        read += len(batch)
        if progress is not None:
            progress(read)
    return broken


def _no_good_offer(broken: _Broken) -> FeedError:
    if not broken.count:
        return FeedError("The feed holds no offer.", "Check that it is the right file; nothing was changed.")
    first = broken.first[0]
    return FeedError(
        f"None of the feed's {broken.count} rows can be used; the first, in line {first.line}: {first.reason}",
        "Mend the feed; nothing was changed.",
    )


def _take_over(
    database: Database,
    connection: Connection,
    delivery: Delivery,
    import_id: int,
    taxonomy: Taxonomy,
    stage: Stage,
    broken: _Broken,
) -> ImportReport:
    # One switch at a time on either database: SQLite has one writer anyway, on MariaDB it spares deadlocks and lets the
    # switch number the new offers itself.
    with exclusive(database, connection, "switch", seconds=_SWITCH_SECONDS) as free:
        if not free:
            raise CatalogError("Another import has been taking over its feed for too long.", "Try again later.")
        with begin_write(connection):
            gone = switch(connection, delivery, import_id)
            save_class_words(connection, taxonomy)
            counts = stage.counts
            report = ImportReport(
                import_id=import_id,
                new=counts.new,
                changed=counts.changed,
                unchanged=counts.same,
                gone=gone,
                broken=tuple(broken.first),
                broken_count=broken.count,
            )
            _close_book(connection, report)
            advance_generation(connection)
    return report


def _shop_id(connection: Connection, slug: str) -> int | None:
    with connection.begin():
        return connection.scalar(select(Shop.id).where(Shop.slug == slug))


def _open_book(connection: Connection, delivery: Delivery) -> int:
    """Note that an import began. One still running under this shop's lock was killed."""
    killed = update(Import).where(Import.shop == delivery.shop, Import.state == "running")
    with begin_write(connection):
        connection.execute(
            killed.values(state="failed", finished=datetime.now(UTC), reason="The process ended in the middle.")
        )
        entry = insert(Import).values(
            shop=delivery.shop,
            format=storable(delivery.format, 50),
            origin=storable(delivery.origin, 10_000),
            started=datetime.now(UTC),
            state="running",
            reason="",
        )
        return new_id(connection.execute(entry))


def _close_book(connection: Connection, report: ImportReport) -> None:
    counts = {name: getattr(report, name) for name in ("new", "changed", "unchanged", "gone")}
    done = update(Import).where(Import.id == report.import_id)
    connection.execute(done.values(state="done", finished=datetime.now(UTC), broken=report.broken_count, **counts))


@contextmanager
def _booked_if_it_fails(database: Database, import_id: int) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        reason = str(error) if isinstance(error, MapsiError) else f"It was interrupted ({type(error).__name__})."
        failed = update(Import).where(Import.id == import_id)
        # Where even this cannot be written, the first error is the one to tell; the next import closes the book.
        with suppress(CatalogError), database.write() as connection:
            connection.execute(
                failed.values(state="failed", finished=datetime.now(UTC), reason=storable(reason, 10_000))
            )
        raise
