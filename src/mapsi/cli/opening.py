"""Putting the parts together from the settings: the only place where a room's values come from the environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from mapsi.errors import ArtifactError
from mapsi.imaging import PhotoLimits
from mapsi.settings import Settings
from mapsi.taxonomy import Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from mapsi.catalog import Catalog
    from mapsi.infer import Model
    from mapsi.search.finder import Finder
    from mapsi.search.pictures import PictureStore
    from mapsi.search.refresh import PictureSource


@dataclass(frozen=True, slots=True)
class Parts:
    """What serving and stocking work with."""

    settings: Settings
    taxonomy: Taxonomy
    catalog: Catalog
    model: Model
    pictures: PictureStore

    @property
    def index_root(self) -> Path:
        return self.settings.home / "index"

    def finder(self) -> Finder:
        from mapsi.search.finder import Finder

        return Finder(self.catalog, self.model, self.index_root, self.pictures)

    def picture_source(self) -> PictureSource:
        from mapsi.remote import Fetcher
        from mapsi.search.refresh import PictureSource

        fetcher = Fetcher(allow_hosts=self.settings.allow_hosts)
        return PictureSource(fetcher, self.settings.photo_bytes, self.settings.fetch_seconds)


def database_url(settings: Settings) -> str:
    """The catalogue's address: the one set, or SQLite in the home folder."""
    return settings.database_url.reveal() or f"sqlite:///{settings.home / 'catalog.db'}"


def make_home(settings: Settings) -> None:
    """Make the folder under which everything lies; raises :class:`ArtifactError` where it cannot be made."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(
            f"The data folder {settings.home} cannot be made: {error.strerror}.", "Set MAPSI_HOME to another one."
        ) from error


def open_model(settings: Settings, folder: Path | None = None) -> tuple[Model, Taxonomy]:
    """The model folder asked for and the taxonomy that names its classes."""
    from mapsi.infer import Model

    taxonomy = load_taxonomy(settings.taxonomy)
    model = Model.open(folder or settings.model, threads=settings.model_threads)
    check_names(model, taxonomy)
    return model, taxonomy


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


def open_parts(settings: Settings, *, model_folder: Path | None = None) -> Parts:
    """Everything that serving and stocking need, the catalogue brought to this version's schema."""
    from mapsi.catalog import open_catalog
    from mapsi.search.pictures import PictureStore

    make_home(settings)
    model, taxonomy = open_model(settings, model_folder)
    catalog = open_catalog(database_url(settings))
    catalog.migrate()
    pictures = PictureStore(settings.home / "pictures", PhotoLimits.of(settings))
    return Parts(settings, taxonomy, catalog, model, pictures)


def bar(step: str, total: int) -> Callable[[int], object]:
    """A progress bar on the terminal, silent where there is none; it closes itself at its end."""
    shown = tqdm(total=total, desc=step, disable=None, unit="", leave=True)

    def advance(count: int) -> None:
        shown.update(count)
        if shown.n >= total:
            shown.close()

    if total == 0:
        shown.close()
    return advance


def counter(step: str) -> Callable[[int], None]:
    """A line on the terminal that tells how far a step of unknown length is, silent where there is no terminal."""
    shown = tqdm(desc=step, disable=None, unit="")

    def tell(so_far: int) -> None:
        shown.update(so_far - shown.n)

    return tell
