"""The one place that answers shoppers: a photo or words, filters and an order -> a page of products."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from mapsi.catalog import Catalog
from mapsi.catalog.filters import Filters, Sort
from mapsi.catalog.product import Product, ProductPage
from mapsi.catalog.records import Facets
from mapsi.errors import ArtifactError, NotFoundError, UsageError
from mapsi.infer import Model, Reading
from mapsi.search.pictures import PictureStore
from mapsi.search.ranking import rank
from mapsi.search.snapshot import Snapshot, current_name, read_snapshot

MAX_PAGE = 100_000


class Finder:
    """Answers over one catalogue, one model and the index that serves. Any number of threads may ask at once."""

    def __init__(self, catalog: Catalog, model: Model, index_root: Path, pictures: PictureStore) -> None:
        self._catalog = catalog
        self._model = model
        self._index_root = index_root
        self._pictures = pictures
        self._snapshot: Snapshot | None = None
        self._lock = threading.Lock()

    def read(self, photo: Image.Image) -> Reading:
        """What the model says of an RGB picture."""
        return self._model.read(photo)

    def by_photo(self, reading: Reading, filters: Filters, sort: Sort, page: int, size: int) -> ProductPage:
        """Products like the photo: those that agree with its known labels first, then by likeness."""
        _check_page(page, size)
        snapshot = self.snapshot()
        if snapshot is None and self._catalog.facets().offers:
            raise ArtifactError("The pictures of the products are not indexed yet.", "Run `mapsi index build`.")
        if snapshot is None or snapshot.index.size == 0:
            return ProductPage(products=(), total=0, number=page, size=size)
        ranked = rank(snapshot, reading, filters, sort)
        ids = [int(i) for i in snapshot.columns.offer[ranked.rows]]
        similar = {i: float(s) for i, s in zip(ids, ranked.similarities, strict=True)}
        # All of the pool is looked up, so that pages and total hold no offer that is gone since the index was built.
        living = self._catalog.products(ids)
        part = living[(page - 1) * size : page * size]
        products = tuple(replace(p, similarity=similar[p.id]) for p in part)
        return ProductPage(products=products, total=len(living), number=page, size=size)

    def by_words(self, text: str, filters: Filters, sort: Sort, page: int, size: int) -> ProductPage:
        """Products whose names, keywords or classes hold all words of ``text``; raises ``UsageError`` for no words."""
        _check_page(page, size)
        return self._catalog.search_words(text, filters, sort, page, size)

    def browse(self, filters: Filters, sort: Sort, page: int, size: int) -> ProductPage:
        """All products, the newest first for ``likeness``."""
        _check_page(page, size)
        return self._catalog.browse(filters, sort, page, size)

    def product(self, product_id: int) -> Product:
        """One product; raises :class:`NotFoundError` where it is gone."""
        found = self._catalog.products([product_id])
        if not found:
            raise NotFoundError("This product is not on offer any more.", "Search for another one.")
        return found[0]

    def facets(self) -> Facets:
        """What there is to filter by."""
        return self._catalog.facets()

    def picture_path(self, digest: str) -> Path | None:
        """Our copy of a product picture, as a WebP file."""
        return self._pictures.path(digest)

    def status(self) -> Mapping[str, Any]:
        """Whether it can answer, for health checks; raises a ``MapsiError`` where it cannot."""
        snapshot = self.snapshot()
        return {
            "model": self._model.fingerprint,
            "offers": self.facets().offers,
            "indexed": snapshot.index.size if snapshot is not None else 0,
        }

    def snapshot(self) -> Snapshot | None:
        """The index that serves, opened anew when another one took its place."""
        name = current_name(self._index_root)
        if name is None:
            return None
        kept = self._snapshot
        if kept is None or kept.name != name:
            with self._lock:
                kept = self._snapshot
                if kept is None or kept.name != name:
                    kept = self._snapshot = self._open(name)
        return kept

    def _open(self, name: str) -> Snapshot:
        snapshot = read_snapshot(self._index_root, name)
        if snapshot.model != self._model.fingerprint:
            raise ArtifactError(
                "The index of product pictures was made with another model.", "Run `mapsi index build` with this model."
            )
        return snapshot


def _check_page(page: int, size: int) -> None:
    if not 1 <= page <= MAX_PAGE:
        raise UsageError(f"There is no page {page}.", "Pages count from 1.")
    if not 1 <= size <= 100:
        raise UsageError(f"A page cannot show {size} products.", "Ask for 1 to 100.")
