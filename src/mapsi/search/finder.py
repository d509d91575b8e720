"""The one place that answers shoppers: a photo or words, filters and an order -> a page of products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any

import numpy as np
from PIL import Image

from mapsi.arrays import BoolArray, IntArray
from mapsi.catalog import Catalog
from mapsi.catalog.filters import Filters
from mapsi.catalog.listings.columns import Shown
from mapsi.catalog.product import Product, ProductPage
from mapsi.catalog.query import LARGEST_PAGE, Query
from mapsi.catalog.records import Facets, PricePoint
from mapsi.catalog.text.photo_words import PhotoWordReader, PhotoWords
from mapsi.errors import ArtifactError, IndexUnavailableError, MapsiError, NotFoundError
from mapsi.imaging import Box
from mapsi.infer import Reading
from mapsi.infer.look import Look
from mapsi.pictures.store import PictureStore
from mapsi.search.aside import push_aside
from mapsi.search.looks import in_the_place_of, interleaved, prominence, read_look
from mapsi.search.models import ModelStore
from mapsi.search.pair import Pair, ServingPair
from mapsi.search.ranking import POOL, Ranked, rank, reached
from mapsi.search.score import Weights, load_weights
from mapsi.search.snapshot import Snapshot
from mapsi.search.wish import Wish, open_to_all, shifted, wish_of, wish_of_row
from mapsi.taxonomy import Taxonomy
from mapsi.taxonomy.categories import KIND_AXIS


class Finder:
    """Answers over one ``catalog``, the index that serves and its model; ``pictures`` are the products'. Any number of
    threads may ask at once."""

    def __init__(
        self,
        catalog: Catalog,
        pair: ServingPair,
        pictures: PictureStore,
        taxonomy: Taxonomy,
        weights: Weights | None = None,
        models: ModelStore | None = None,
    ) -> None:
        self.catalog = catalog
        self._pair = pair
        self.pictures = pictures
        self._taxonomy = taxonomy
        self._weights = weights or load_weights()
        self._models = models
        self._words = PhotoWordReader(taxonomy)

    def serving(self) -> Pair:
        """The model that reads photos and the index they are looked for in."""
        return self._pair.now()

    def index_built(self) -> datetime | None:
        """When the index was built (UTC); ``None`` where there is none."""
        return self._pair.built()

    def index_fault(self) -> MapsiError | None:
        """What is wrong with the index that should serve, also where the previous one stays in use, or with the model
        that the next one is to be built with."""
        pair, fault = self._pair.look()
        return fault or (None if pair.snapshot is None else pair.snapshot.index.fault) or self._model_fault()

    def _model_fault(self) -> MapsiError | None:
        return None if self._models is None else self._models.fault()

    def read(self, photo: Image.Image) -> Reading:
        """What the model of the index that serves says of an RGB picture."""
        return self._pair.now().model.read(photo)

    def look(self, photo: Image.Image) -> Look:
        """What the model says of an RGB picture, and of each garment in it, by where it is worn."""
        return read_look(self._pair.now().model, photo, self._taxonomy)

    def read_box(self, photo: Image.Image, box: Box) -> Reading:
        """What the model says of a part of an RGB picture; raises ``UsageError`` for a box that is none."""
        return self._pair.now().model.read_box(photo, box)

    def by_photo(self, reading: Reading, query: Query) -> ProductPage:
        """Products like the photo, the likeliest to be what was looked for first, as far as there are any. The query's
        words shift it to another kind, colour or audience, and narrow it to products whose text has the others; those
        in its ``less`` are left out, with their variants, and what is like them comes later."""
        snapshot = self._snapshot_for(reading.model)
        if snapshot is None:
            return query.nothing
        shown = self.catalog.listings.shown()
        wish = shifted(wish_of(reading, self._taxonomy), self._said(query))
        return self._page(snapshot, self._ranked(snapshot, wish, query, shown), query, shown)

    def by_look(self, look: Look, query: Query) -> ProductPage:
        """Products like what is worn in a photo: those of each garment in turn, by how prominent it is. Words as in
        :meth:`by_photo`; where they name a kind, the garment that is worn in its place is asked about alone."""
        said = self._said(query)
        if len(look.garments) < 2 or said.kind:
            return self.by_photo(in_the_place_of(look, said.kind, self._taxonomy), query)
        snapshot = self._snapshot_for(look.whole.model)
        if snapshot is None:
            return query.nothing
        shown = self.catalog.listings.shown()
        return self._page(snapshot, self._ranked_look(snapshot, look, query, shown)[0], query, shown)

    def by_garment(self, look: Look, query: Query, size: int) -> tuple[ProductPage, list[ProductPage]]:
        """The answer of :meth:`by_look`, and to each garment in the photo by itself the first ``size`` products, those
        most like it first, in the order of its garments. Of a photo of one garment both are the same answer."""
        each = replace(query, sort="likeness", page=1, size=size)
        snapshot = self._snapshot_for(look.whole.model)
        if snapshot is None:
            return query.nothing, [each.nothing for _ in look.garments]
        shown = self.catalog.listings.shown()
        together, apart = self._ranked_look(snapshot, look, query, shown)
        page, *pages = self._pages(snapshot, [(together, query), *((one, each) for one in apart)], shown)
        return page, pages

    def similar(self, product_id: int, query: Query) -> ProductPage:
        """Products like one of the catalogue's, itself and its variants left out; words and ``less`` as in
        :meth:`by_photo`. Raises :class:`NotFoundError` where it is gone or has no picture in the index."""
        self.product(product_id)
        snapshot = self._snapshot_for("")
        rows = np.zeros(0, np.int64) if snapshot is None else np.flatnonzero(snapshot.columns.offer == product_id)
        if snapshot is None or not len(rows):
            raise NotFoundError("The picture of this product is not indexed yet.", "Try again later.")
        wish = shifted(wish_of_row(snapshot, int(rows[0]), self._taxonomy), self._said(query))
        groups = snapshot.columns.group
        shown = self.catalog.listings.shown()
        return self._page(snapshot, self._ranked(snapshot, wish, query, shown, groups != groups[rows[0]]), query, shown)

    def offers(self, product_id: int) -> list[Product]:
        """What each shop that has a product asks for it, the lowest price first; raises :class:`NotFoundError` where it
        is gone."""
        found = self.catalog.listings.offers_of(product_id)
        return found or [self.product(product_id)]

    def prices(self, product_id: int) -> list[PricePoint]:
        """What a product has cost, the oldest price first; raises :class:`NotFoundError` where it is gone."""
        self.product(product_id)
        return self.catalog.listings.prices(product_id)

    def _snapshot_for(self, model: str) -> Snapshot | None:
        """The index to answer from, ``None`` where there is nothing to find; raises ``ArtifactError`` where there
        should be."""
        snapshot = self._pair.snapshot_for(model)
        if snapshot is None and self.catalog.listings.facets().offers:
            raise ArtifactError("The pictures of the products are not indexed yet.", "Run `mapsi index build`.")
        return None if snapshot is None or snapshot.index.size == 0 else snapshot

    def _ranked_look(self, snapshot: Snapshot, look: Look, query: Query, shown: Shown) -> tuple[Ranked, list[Ranked]]:
        """The answer to a look, and that to each garment in it; each garment of several is ranked once for both."""
        said = self._said(query)
        apart = self._ranked_apart(snapshot, look, query, shown) if len(look.garments) > 1 else []
        if apart and not said.kind:
            return interleaved(apart, prominence(look, self._taxonomy), snapshot.columns.group), apart
        wish = shifted(wish_of(in_the_place_of(look, said.kind, self._taxonomy), self._taxonomy), said)
        together = self._ranked(snapshot, wish, query, shown)
        return together, apart or [together for _ in look.garments]

    def _ranked_apart(self, snapshot: Snapshot, look: Look, query: Query, shown: Shown) -> list[Ranked]:
        """The answer to each garment in a photo, in the order of its garments."""
        said = replace(self._said(query), kind="")  # each is of its own kind
        wishes = (wish_of(garment.reading, self._taxonomy) for garment in look.garments)
        return [self._ranked(snapshot, shifted(wish, said), query, shown) for wish in wishes]

    def _ranked(
        self, snapshot: Snapshot, wish: Wish, query: Query, shown: Shown, among: BoolArray | None = None
    ) -> Ranked:
        said = self._said(query)
        filters = said.narrow(query.filters)
        allowed = shown.narrow(snapshot.columns.offer, filters) & self._named(snapshot, said, filters)
        if among is not None:
            allowed &= among
        aside, left = push_aside(snapshot, wish.embedding, allowed, query.less)
        return rank(snapshot, wish, left, self._weights, aside=aside)

    def _named(self, snapshot: Snapshot, said: PhotoWords, filters: Filters) -> BoolArray:
        """Which rows have the words that nothing but a product's text answers, in one of its variants: the first
        thousand by their text."""
        columns = snapshot.columns
        if not said.rest:
            return np.ones(len(columns.offer), np.bool_)
        named = self.catalog.listings.search(Query(words=said.rest, filters=filters, size=LARGEST_PAGE)).products
        groups = columns.group[np.isin(columns.offer, [product.id for product in named])]
        return np.isin(columns.group, groups)

    def _said(self, query: Query) -> PhotoWords:
        return self._words.read(query.words or "").or_chosen(query.filters)

    def _page(self, snapshot: Snapshot, ranked: Ranked, query: Query, shown: Shown) -> ProductPage:
        return self._pages(snapshot, [(ranked, query)], shown)[0]

    def _pages(self, snapshot: Snapshot, answers: Sequence[tuple[Ranked, Query]], shown: Shown) -> list[ProductPage]:
        """Of each answer the page that its query asks for, all loaded together."""
        found = [(query, self._standing(snapshot, ranked, query, shown)) for ranked, query in answers]
        # Only what is shown was let through, so the pages' own products are all that has to be loaded: a tenth of the
        # pool. One that goes in between leaves its place empty.
        pages = [_on_page(query, [*scores], shown) for query, scores in found]
        wanted = list(dict.fromkeys(chain.from_iterable(pages)))
        loaded = {product.id: product for product in self.catalog.listings.products(wanted, shown.expired)}
        return [
            replace(
                query.nothing,
                products=tuple(replace(loaded[i], similarity=scores[i]) for i in page if i in loaded),
                total=len(scores),
            )
            for page, (query, scores) in zip(pages, found, strict=True)
        ]

    def _standing(self, snapshot: Snapshot, ranked: Ranked, query: Query, shown: Shown) -> dict[int, float]:
        """The offers that stand for the products of an answer, in its order, with their scores."""
        found = [int(i) for i in snapshot.columns.offer[ranked.rows]]
        standing = self.catalog.listings.one_a_product(found, query.filters, shown)
        return {standing[i]: float(s) for i, s in zip(found, ranked.scores, strict=True) if i in standing}

    def facets_by_photo(self, reading: Reading, query: Query) -> Facets:
        """What the answer of :meth:`by_photo` can be narrowed down to. Each choice is counted as that answer would be
        with it, no count above the pool that an answer is."""
        return self._facets(self._pair.snapshot_for(reading.model), [wish_of(reading, self._taxonomy)], query)

    def facets_by_look(self, look: Look, query: Query) -> Facets:
        """The same for :meth:`by_look`."""
        said = self._said(query)
        if len(look.garments) < 2 or said.kind:
            return self.facets_by_photo(in_the_place_of(look, said.kind, self._taxonomy), query)
        wishes = [wish_of(garment.reading, self._taxonomy) for garment in look.garments]
        return self._facets(self._pair.snapshot_for(look.whole.model), wishes, query)

    def facets_similar(self, product_id: int, query: Query) -> Facets:
        """The same for :meth:`similar`."""
        snapshot = self._snapshot_for("")
        if snapshot is None:
            return self._facets(None, (), query)
        rows = np.flatnonzero(snapshot.columns.offer == product_id)[:1]
        wishes = [wish_of_row(snapshot, int(row), self._taxonomy) for row in rows]
        return self._facets(snapshot, wishes, query, product_id)

    def _facets(
        self, snapshot: Snapshot | None, wishes: Sequence[Wish], query: Query, left_out: int | None = None
    ) -> Facets:
        if snapshot is None or not wishes:
            return self.catalog.listings.facets_among(np.zeros(0, np.int64), query.filters).capped(POOL)
        said = self._said(query)
        filters = said.narrow(query.filters)
        allowed = self.catalog.listings.shown().narrow(snapshot.columns.offer, Filters())
        allowed &= self._named(snapshot, said, Filters())
        if left_out is not None:
            groups = snapshot.columns.group
            allowed &= ~np.isin(groups, groups[snapshot.columns.offer == left_out])
        found = [self._reached(snapshot, shifted(wish, said), allowed, query) for wish in wishes]
        among = (np.unique(np.concatenate(each)) for each in zip(*found, strict=True))
        plain, *apart = (snapshot.columns.offer[rows] for rows in among)
        own = dict(zip((KIND_AXIS, "color", "audience"), apart, strict=True))
        return self.catalog.listings.facets_among(plain, filters, own).capped(POOL)

    def _reached(self, snapshot: Snapshot, wish: Wish, allowed: BoolArray, query: Query) -> list[IntArray]:
        """What answers a wish as it is, and open to every kind, every colour, every audience."""
        aside, left = push_aside(snapshot, wish.embedding, allowed, query.less)
        return reached(snapshot, [wish, *open_to_all(wish)], left, self._weights, aside)

    def product(self, product_id: int) -> Product:
        """One product; raises :class:`NotFoundError` where it is gone."""
        found = self.catalog.listings.products([product_id])
        if not found:
            raise NotFoundError("This product is no longer on offer.", "Search for another one.")
        return found[0]

    def status(self) -> Mapping[str, Any]:
        """Whether it can answer, for health checks; raises a ``MapsiError`` where it cannot. ``index`` is ``damaged``,
        ``missing`` or ``unreachable`` where photos find less than there is, or nothing, and ``modelless`` where it
        cannot be built anew for want of the model that was chosen; words find all. ``words`` says whether their index
        lies on the disk or in a Milvus that answers (``ok``), ``in_memory`` where the disk takes none, so that each
        start builds it again, or in a Milvus that is ``unreachable``."""
        (pair, fault), offers = self._pair.look(), self._offers()
        missing = pair.snapshot is None and offers > 0
        away = pair.snapshot is not None and pair.snapshot.index.fault is not None
        states = {"damaged": fault, "missing": missing, "unreachable": away, "modelless": self._model_fault()}
        return {
            "model": pair.model.fingerprint,
            "offers": offers,
            "indexed": pair.snapshot.index.size if pair.snapshot is not None else 0,
            "index": next((state for state, is_so in states.items() if is_so), "ok"),
            "words": self._words_state(),
        }

    def _offers(self) -> int:
        """How many products there are, as the index of words has it, or the catalogue where that does not answer."""
        try:
            return self.catalog.listings.facets().offers
        except IndexUnavailableError:
            return self.catalog.status().shown

    def _words_state(self) -> str:
        listings = self.catalog.listings
        return "unreachable" if listings.fault is not None else "in_memory" if listings.in_memory else "ok"


def _on_page(query: Query, offers: list[int], shown: Shown) -> list[int]:
    """Of the offers of an answer, the most alike first, those on the page asked for."""
    ordered = offers if query.sort == "likeness" else shown.by_price(offers, query.sort)
    return ordered[query.offset : query.offset + query.size]
