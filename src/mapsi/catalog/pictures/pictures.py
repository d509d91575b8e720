"""What is known of product pictures: where they come from, which are kept, which nobody needs any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from mapsi.catalog.pictures.fetching import (
    FetchedPicture,
    PictureFault,
    PictureTask,
    confirm_source,
    count_tasks,
    forget_picture,
    kept_pictures,
    load_faults,
    make_all_due,
    note_dropped,
    pictures_no_longer_allowed,
    save_failure,
    save_fetched,
    tasks_due,
    tasks_without_picture,
)
from mapsi.catalog.pictures.pruning import count_prunable, kept_under, prune_pictures
from mapsi.catalog.records import PictureCopy
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.generation import advance_generation

__all__ = ["FetchedPicture", "PictureFault", "PictureTask", "Pictures"]


class Pictures:
    """The pictures of one catalogue; every call is a transaction of its own, or several short ones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def to_fetch(self, now: datetime) -> Iterator[PictureTask]:
        """What to ask for pictures: first the addresses of living offers without one (the same address again only for
        an offer further on), then those whose time to be asked about has come. Addresses that failed lately rest. The
        results may be saved while this is being read."""
        yield from tasks_without_picture(self._database, now)
        yield from tasks_due(self._database, now, now + timedelta(days=7))

    def count_to_fetch(self, now: datetime) -> int:
        """At most as many tasks as :meth:`to_fetch` gives, offers that share an address counted each."""
        return count_tasks(self._database, now)

    def save(self, task: PictureTask, found: FetchedPicture, now: datetime, due: datetime) -> None:
        """Note what the task brought, for its offers and for all that show what the address gave before; the address
        is asked again from ``due`` on."""
        save_fetched(self._database, task, found, now, due)

    def confirm(self, task: PictureTask, now: datetime, due: datetime) -> None:
        """Note that the address still gives the same picture."""
        confirm_source(self._database, task, now, due)

    def mark_failed(self, task: PictureTask, reason: str, now: datetime, due: datetime, *, counts: bool = True) -> None:
        """Note why the task brought nothing, a sentence for the operator; ``counts`` is false where the host only asked
        to wait. What the address gave before is kept."""
        save_failure(self._database, task, reason, now, due, counts=counts)

    def recheck(self) -> None:
        """Let the time of all addresses have come, of those too that rest because they failed."""
        make_all_due(self._database)

    def faults(self, limit: int) -> tuple[int, list[PictureFault]]:
        """How many addresses that living offers name gave no picture when last asked, and the latest ``limit`` of
        them."""
        return load_faults(self._database, limit)

    def kept(self) -> list[PictureCopy]:
        """The copies that living offers are noted to have."""
        return kept_pictures(self._database)

    def kept_under(self, prefix: str, without: datetime | None = None) -> set[str]:
        """Digests, beginning with ``prefix``, of all pictures noted as kept, those of gone offers too; but for those
        that :meth:`prune` would take out for the moment ``without``."""
        return kept_under(self._database, prefix, without)

    def forget(self, digest: str) -> None:
        """Note that the stored picture is lost: its offers need it again."""
        forget_picture(self._database, digest)

    def no_longer_allowed(self) -> list[str]:
        """Digests of kept copies that only such shops show as do not allow a copy."""
        return pictures_no_longer_allowed(self._database)

    def note_dropped(self, digest: str) -> None:
        """Note that no copy is kept any more, and that pages are to link to the shop's."""
        note_dropped(self._database, digest)

    def count_prunable(self, before: datetime) -> int:
        """How many pictures :meth:`prune` would take out."""
        return count_prunable(self._database, before)

    def prune(self, before: datetime) -> int:
        """Take out the pictures, with their readings, that no offer shows which lives or went after ``before``; their
        files are the caller's business. Returns how many."""
        return prune_pictures(self._database, before)

    def note_change(self) -> None:
        """Move the generation on, so that what caches remember of pictures is counted anew."""
        with self._database.write() as connection:
            advance_generation(connection)
