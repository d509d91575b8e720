"""From offers to an index that serves: pictures brought home, read by the model, indexed beside the old one,
switched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mapsi.artifacts import clear_place, locked_file
from mapsi.catalog import Catalog
from mapsi.errors import BusyError
from mapsi.infer import Model
from mapsi.pictures.copying import CopyReport, PictureSource, RecheckSchedule, copy_pictures
from mapsi.pictures.embedding import EmbeddingReport, embed_pictures
from mapsi.pictures.store import PictureStore
from mapsi.progress import Progress
from mapsi.search.index import VectorDatabase
from mapsi.search.models import ModelStore
from mapsi.search.snapshot import snapshot_models, write_snapshot
from mapsi.taxonomy import Taxonomy

LOCK = "build.lock"


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What came of ``reading`` the living offers' pictures that were new to the model; what is lost is fetched again by
    the next build. ``reused`` had been read before, ``indexed`` offers can be found by a photo."""

    reading: EmbeddingReport
    reused: int
    indexed: int


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a whole build did."""

    copies: CopyReport
    index: IndexReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What one installation keeps and answers with. ``source`` is where product pictures come from, ``index_root`` the
    folder of indexes; the models they were made with are kept in ``models``, their vectors in the ``database`` where
    there is one."""

    catalog: Catalog
    model: Model
    taxonomy: Taxonomy
    pictures: PictureStore
    source: PictureSource
    index_root: Path
    models: ModelStore
    database: VectorDatabase | None = None


def build(
    installation: Installation,
    progress: Progress,
    *,
    schedule: RecheckSchedule | None = None,
    threads: int = 0,
    patience: float = 0.0,
    waiting: Callable[[], object] | None = None,
) -> BuildReport:
    """Bring pictures home, read what this model has not read, and switch to a fresh index; the previous one serves
    meanwhile, with its own model.

    Everything is kept as it comes, so that a kill loses at most a batch a thread, and the next build continues. One
    build at a time: ``waiting`` is called where another runs, which is waited for ``patience`` seconds; then
    :class:`BusyError`.
    """
    with building(installation.index_root, patience, waiting):
        copies = copy_pictures(
            installation.catalog, installation.source, installation.pictures, progress, schedule=schedule
        )
        return BuildReport(copies, build_index(installation, progress, threads=threads))


@contextmanager
def building(index_root: Path, patience: float = 0.0, waiting: Callable[[], object] | None = None) -> Iterator[None]:
    """Hold the place of the one who builds or prunes; raises :class:`BusyError` where another has it for longer than
    ``patience`` seconds. ``waiting`` is called where it has to be waited for."""
    clear_place(index_root / LOCK)
    index_root.mkdir(parents=True, exist_ok=True)
    with locked_file(index_root / LOCK, seconds=0) as free:
        if free:
            yield
            return
    if waiting is not None and patience:
        waiting()
    with locked_file(index_root / LOCK, seconds=patience) as free:
        if not free:
            raise BusyError("Another process is building the index.", "Wait for it, then try again.")
        yield


def build_index(installation: Installation, progress: Progress, *, threads: int = 0) -> IndexReport:
    """The second half of :func:`build`: read the pictures that this model has not read, label the offers, and switch to
    a fresh index."""
    catalog, model, models = installation.catalog, installation.model, installation.models
    models.keep(model)  # before the switch, which makes it the one that answers
    reused = catalog.readings.count(model.fingerprint)
    reading = embed_pictures(
        catalog, model, installation.pictures, progress, source=installation.source, threads=threads
    )
    catalog.classify_by_model(model.fingerprint, installation.taxonomy)
    catalog.joins.renew()
    generation = catalog.generation()
    written = write_snapshot(
        installation.index_root,
        catalog.readings.index_rows(model.fingerprint),
        model=model.fingerprint,
        width=model.document.width,
        generation=generation,
        database=installation.database,
    )
    models.remove_others(snapshot_models(installation.index_root))
    return IndexReport(reading=reading, reused=reused, indexed=written.rows)
