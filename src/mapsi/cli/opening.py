"""Putting the parts together from the settings: the only place where a room's values come from the environment."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mapsi.cores import cores
from mapsi.errors import ArtifactError
from mapsi.imaging import PhotoLimits
from mapsi.progress import Advance
from mapsi.settings import Settings
from mapsi.taxonomy import Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from mapsi.catalog import Catalog
    from mapsi.infer import Model
    from mapsi.refresh.queries import NaverAccount
    from mapsi.refresh.refreshing import RefreshServices
    from mapsi.search.building import Installation
    from mapsi.search.finder import Finder
    from mapsi.search.index import VectorDatabase
    from mapsi.search.models import ModelStore


_log = logging.getLogger(__name__)

SHIPPED = "shipped"
"""Names the model that comes with the package, where a model folder is asked for."""


def open_finder(settings: Settings, installation: Installation) -> Finder:
    """What answers out of the installation: by the index that serves, with the model it was made with."""
    from mapsi.search.finder import Finder
    from mapsi.search.pair import ServingPair

    def open_kept(fingerprint: str) -> Model:
        model = installation.models.open(fingerprint)
        check_names(model, installation.taxonomy)
        return model

    held = settings.photo_minutes * 60
    serving = ServingPair(installation.model, installation.index_root, open_kept, held, installation.database)
    models = None if settings.model else installation.models  # else builds ask for the one that is set
    return Finder(installation.catalog, serving, installation.pictures, installation.taxonomy, models=models)


def database_address(settings: Settings) -> str | Path:
    """The catalogue's address: the one set, or the file of SQLite in the home folder."""
    return settings.database_url.reveal() or settings.home / "catalog.db"


def open_stock(settings: Settings, *, visitors: bool = False) -> Catalog:
    """The catalogue alone, brought to this version's schema: for what needs no model. ``visitors`` says whether
    somebody waits for each answer."""
    from mapsi.catalog import open_catalog
    from mapsi.catalog.records import WordsServer

    make_home(settings)
    url = settings.index_url.reveal()
    catalog = open_catalog(
        database_address(settings),
        visitors=visitors,
        words=settings.home / "words",
        words_server=WordsServer(url, settings.index_words_from) if url else None,
    )
    catalog.migrate()
    return catalog


def refresh_services(settings: Settings) -> RefreshServices:
    """What refreshing a source works with."""
    from mapsi.refresh.refreshing import RefreshServices
    from mapsi.remote import Fetcher
    from mapsi.work.turns import stepping_aside

    return RefreshServices(
        fetcher=Fetcher(allow_hosts=settings.allow_hosts, waiting=stepping_aside),
        folder=settings.home / "feeds",
        account=naver_account(settings),
    )


def naver_account(settings: Settings) -> NaverAccount:
    """The account that shop.json is asked with."""
    from mapsi.refresh.queries import NaverAccount

    return NaverAccount.of(settings)


def make_home(settings: Settings) -> None:
    """Make the folder under which everything lies, its owner's alone; raises :class:`ArtifactError` where it cannot be
    made."""
    try:
        settings.home.parent.mkdir(parents=True, exist_ok=True)
        settings.home.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ArtifactError(
            f"The data folder {settings.home} cannot be made: {error.strerror}.", "Set MAPSI_HOME to another one."
        ) from error


def model_store(settings: Settings) -> ModelStore:
    """The models that are kept beside the index."""
    from mapsi.search.models import ModelStore

    return ModelStore(settings.home / "models", settings.model_threads or cores())


def open_model(settings: Settings, folder: Path | None = None) -> tuple[Model, Taxonomy]:
    """The model folder asked for, else the one set, chosen for the index, or shipped; and the taxonomy that names its
    classes."""
    from mapsi.infer import Model, shipped_model

    taxonomy = load_taxonomy(settings.taxonomy)
    folder = folder or settings.model or model_store(settings).chosen()
    if folder == Path(SHIPPED) and not folder.exists():
        folder = shipped_model()
    model = Model.open(folder, threads=settings.model_threads or cores())
    check_names(model, taxonomy)
    return model, taxonomy


def _open_serving_model(settings: Settings) -> tuple[Model, Taxonomy]:
    """The same for those who answer: words have to be found, and photos by the index's own model, also where
    the chosen one is damaged or gone. Without an index, the shipped one answers in its place."""
    try:
        return open_model(settings)
    except ArtifactError as error:
        if settings.model:
            raise
        _log.error("%s", error)
        return open_model(settings, Path(SHIPPED))


def check_names(model: Model, taxonomy: Taxonomy) -> None:
    """Raises :class:`ArtifactError` where the taxonomy cannot name one of the model's classes."""
    for labels in model.axes:
        axis = taxonomy.axes.get(labels.axis)
        missing = [slug for slug in labels.classes if axis is None or slug not in axis.by_slug]
        if missing:
            raise ArtifactError(
                f"The model knows the class {labels.axis}:{missing[0]}, which the taxonomy does not name.",
                "Set MAPSI_TAXONOMY to the taxonomy that the model learned with.",
            )


def open_installation(
    settings: Settings,
    *,
    model_folder: Path | None = None,
    visitors: bool = False,
    catalog: Callable[[], Catalog] | None = None,
) -> Installation:
    """Everything that serving and stocking need, the catalogue brought to this version's schema; ``visitors`` says
    whether somebody waits for each answer. ``catalog`` opens the catalogue, once all else is there."""
    from mapsi.pictures.copying import PictureSource
    from mapsi.pictures.store import PictureStore
    from mapsi.remote import Fetcher
    from mapsi.search.building import Installation

    make_home(settings)
    serving = visitors and model_folder is None
    model, taxonomy = _open_serving_model(settings) if serving else open_model(settings, model_folder)
    return Installation(
        catalog=catalog() if catalog else open_stock(settings, visitors=visitors),
        model=model,
        taxonomy=taxonomy,
        pictures=PictureStore(settings.home / "pictures", PhotoLimits.of(settings)),
        source=PictureSource(Fetcher(allow_hosts=settings.allow_hosts), settings.photo_bytes, settings.fetch_seconds),
        index_root=settings.home / "index",
        models=model_store(settings),
        database=vector_database(settings),
    )


def vector_database(settings: Settings) -> VectorDatabase | None:
    """The database that keeps vectors, where one is set."""
    if not settings.index_url:
        return None
    from mapsi.search.milvus import MilvusDatabase

    return MilvusDatabase(settings.index_url.reveal())


def require_writable(folder: Path) -> None:
    """Make ``folder`` where there is none, before minutes of work whose outcome goes there; raises
    :class:`ArtifactError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ArtifactError(f"{folder} cannot be written to: {error.strerror}.", "Name another folder.") from error


def bar(step: str, total: int) -> Advance:
    """A progress bar on the terminal, silent where there is none; it closes itself at its end."""
    from tqdm import tqdm

    shown = tqdm(total=total, desc=step, disable=None, unit="", leave=True)

    def advance(count: int) -> None:
        shown.update(count)
        if shown.n >= total:
            shown.close()

    if total == 0:
        shown.close()
    return advance


def counter(step: str) -> Advance:
    """A line on the terminal that tells how far a step of unknown length is, silent where there is no terminal."""
    from tqdm import tqdm

    return tqdm(desc=step, disable=None, unit="").update
