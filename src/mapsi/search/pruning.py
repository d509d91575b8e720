"""What nobody needs any more: pictures of offers long gone, files that a kill left, readings of models and runs of the
past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mapsi.search.building import Installation, building
from mapsi.search.snapshot import snapshot_models

GRACE = timedelta(days=1)
"""A file younger than that may belong to a copy that is being made just now."""


@dataclass(frozen=True, slots=True)
class PruneReport:
    """``pictures`` left the catalogue, with their readings; ``files`` of ``bytes`` together left the store, copies of
    those pictures and what kills had left; ``readings`` of models that serve no longer and old ``runs`` of the log were
    removed. Of a dry run: what would be, ``readings`` and ``runs`` apart."""

    pictures: int
    files: int
    bytes: int
    readings: int
    runs: int = 0


def prune(
    installation: Installation, *, days: float = 30, dry_run: bool = False, now: datetime | None = None
) -> PruneReport:
    """Remove the pictures that no offer shows which lives or has been gone for less than ``days``, files in the store
    that belong to no picture, readings of models other than those of the indexes and the one in use, and all but the
    latest runs of each shop in the log.

    First the rows go and then the files, so that a kill in between leaves files that the next run removes, and never a
    row without its file. Raises :class:`BusyError` where an index is being built.
    """
    now = now or datetime.now(UTC)
    before = now - timedelta(days=days)
    with building(installation.index_root):
        if dry_run:
            files, size = _sweep(installation, now, without=before, dry_run=True)
            return PruneReport(installation.catalog.copies.count_prunable(before), files, size, 0)
        pictures = installation.catalog.copies.prune(before)
        in_use = snapshot_models(installation.index_root) | {installation.model.fingerprint}
        readings = installation.catalog.readings.prune(in_use)
        files, size = _sweep(installation, now)
    return PruneReport(pictures, files, size, readings, installation.catalog.runs.prune())


def _sweep(
    installation: Installation, now: datetime, *, without: datetime | None = None, dry_run: bool = False
) -> tuple[int, int]:
    """Remove files that belong to no picture, or to one that would be pruned if all before ``without`` were; returns
    how many files and bytes."""
    files, size, known = 0, 0, installation.catalog.copies.kept_under
    for file in installation.pictures.strays(lambda prefix: known(prefix, without), (now - GRACE).timestamp()):
        files += 1
        size += file.stat().st_size
        if not dry_run:
            file.unlink(missing_ok=True)
    return files, size
