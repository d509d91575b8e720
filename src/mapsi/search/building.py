"""From offers to an index that serves: pictures brought home, read by the model, indexed beside the old one, switched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mapsi.artifacts import locked_file
from mapsi.catalog import Catalog
from mapsi.errors import BusyError
from mapsi.infer import Model
from mapsi.pictures.copying import CopyReport, PictureSource, Schedule, copy_pictures
from mapsi.pictures.embedding import embed_pictures
from mapsi.pictures.store import PictureStore
from mapsi.progress import Progress
from mapsi.search.models import ModelStore
from mapsi.search.snapshot import snapshot_models, write_snapshot
from mapsi.taxonomy import Taxonomy

LOCK = "build.lock"


@dataclass(frozen=True, slots=True)
class IndexReport:
    """Of the living offers' pictures ``read`` were new to the model and ``reused`` had been read before; ``lost`` were not
    in the store any more, and the next build fetches them again; ``failed`` are linked ones that could not be had, with
    the reasons. ``indexed`` offers can be found by a photo. ``seconds`` is how long reading took."""

    read: int
    indexed: int
    lost: int = 0
    reused: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Pictures read a second."""
        return self.read / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a whole build did."""

    copies: CopyReport
    index: IndexReport


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a build works with. ``index_root`` is the folder of indexes; the models they were made with are kept in
    ``models``."""

    catalog: Catalog
    model: Model
    pictures: PictureStore
    source: PictureSource
    index_root: Path
    models: ModelStore
    taxonomy: Taxonomy


def build(
    shop: Workshop,
    progress: Progress,
    *,
    schedule: Schedule | None = None,
    threads: int = 0,
    patience: float = 0.0,
    waiting: Callable[[], object] | None = None,
) -> BuildReport:
    """Bring pictures home, read what this model has not read, and switch to a fresh index; the one before serves
    meanwhile, with its own model.

    Everything is kept as it comes, so that a kill loses at most a batch a thread, and the next build goes on. One build
    at a time: ``waiting`` is called where another runs, which is waited for ``patience`` seconds; then
    :class:`BusyError`.
    """
    with building(shop.index_root, patience, waiting):
        copies = copy_pictures(shop.catalog, shop.source, shop.pictures, progress, schedule=schedule)
        index = build_index(
            shop.catalog,
            shop.model,
            shop.pictures,
            shop.index_root,
            shop.taxonomy,
            progress,
            source=shop.source,
            models=shop.models,
            threads=threads,
        )
        return BuildReport(copies, index)


@contextmanager
def building(index_root: Path, patience: float = 0.0, waiting: Callable[[], object] | None = None) -> Iterator[None]:
    """Hold the place of the one who builds or prunes; raises :class:`BusyError` where another has it for longer than
    ``patience`` seconds. ``waiting`` is called where it has to be waited for."""
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


def build_index(
    catalog: Catalog,
    model: Model,
    store: PictureStore,
    index_root: Path,
    taxonomy: Taxonomy,
    progress: Progress,
    *,
    source: PictureSource | None = None,
    models: ModelStore | None = None,
    threads: int = 0,
) -> IndexReport:
    """The second half of :func:`build`: read the pictures that this model has not read, label the offers, and switch to
    a fresh index. Without ``source``, pictures that are only linked are left out; without ``models``, no copy of the
    model is kept for those who serve."""
    if models is not None:
        models.keep(model)  # before the switch, which makes it the one that answers
    reused = catalog.count_pictures_read(model.fingerprint)
    embedding = embed_pictures(catalog, model, store, progress, source=source, threads=threads)
    catalog.classify_by_model(model.fingerprint, taxonomy)
    generation = catalog.generation()
    written = write_snapshot(
        index_root,
        catalog.index_rows(model.fingerprint),
        model=model.fingerprint,
        width=model.document.width,
        generation=generation,
        axes=[labels.axis for labels in model.axes],
    )
    if models is not None:
        models.remove_others(snapshot_models(index_root))
    return IndexReport(
        read=embedding.read,
        indexed=written.rows,
        lost=embedding.lost,
        reused=reused,
        failed=embedding.failed,
        seconds=embedding.seconds,
    )
