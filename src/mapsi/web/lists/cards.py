"""A product as the pages show it: a card that leads to it, and its picture."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from flask import url_for

from mapsi.catalog.product import Product
from mapsi.documents import product_keyword
from mapsi.http_address import is_http
from mapsi.pictures.store import smaller_sides
from mapsi.taxonomy import Taxonomy
from mapsi.taxonomy.categories import KIND_AXIS
from mapsi.taxonomy.names import class_name
from mapsi.web.lists.titles import Title, title_for
from mapsi.web.request.languages import format_price
from mapsi.web.request.security import let_in_shop_pictures


@dataclass(frozen=True, slots=True)
class PictureView:
    """Where a product's picture is. ``srcset`` names our copies with their widths, so that a phone takes a small one;
    it is empty, and ``outside`` true, for a picture that lies at its shop."""

    src: str
    srcset: str = ""
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A product as a link. ``outside`` is false for samples, which have a page here; ``link`` may be empty. ``saving``
    is what is taken off ``regular_price`` in whole percent; both are empty where nothing is. ``likeness`` is the
    similarity to the photo in whole percent, ``None`` where there is none to speak of. ``shops`` counts
    those that have it."""

    id: int
    title: Title
    keyword: str
    price: str
    regular_price: str
    saving: int
    shop: Title
    link: str
    outside: bool
    picture: PictureView | None
    likeness: int | None
    sample: bool
    shops: int


def view_card(product: Product, taxonomy: Taxonomy, language: str) -> Card:
    """A product as the pages show it."""
    outside = not product.sample
    shop_page = url_for("going.go", product_id=product.id) if is_http(product.link) else ""
    saving = _saving(product)
    return Card(
        id=product.id,
        title=title_for(product.name, language),
        keyword=_keyword(product, taxonomy, language),
        price=format_price(product.lowest_price, product.currency, language),
        regular_price=format_price(product.regular_price or Decimal(0), product.currency, language) if saving else "",
        saving=saving,
        shop=title_for(product.shop_name, language),
        link=shop_page if outside else url_for("pages.product", product_id=product.id),
        outside=outside,
        picture=view_picture(product),
        likeness=round(product.similarity * 100) if product.similarity and product.similarity > 0 else None,
        sample=product.sample,
        shops=product.shops,
    )


def _saving(product: Product) -> int:
    """What is taken off the regular price, in whole percent; less than one is none."""
    regular = product.regular_price
    return int((regular - product.lowest_price) * 100 / regular) if regular else 0


def _keyword(product: Product, taxonomy: Taxonomy, language: str) -> str:
    """Its kind of garment, else the class it is listed under; a shop's own category only where it is in the reader's
    language."""
    if kind := dict(product.classes).get(KIND_AXIS):
        return class_name(taxonomy, KIND_AXIS, kind).in_language(language)
    title = title_for(product_keyword(product, taxonomy, language), language)
    return "" if title.language else title.text


def view_picture(product: Product) -> PictureView | None:
    """The picture of a product, ``None`` where there is none to show. A linked one is shown over https only, which
    this page's security policy then lets in."""
    if not product.picture:
        if not product.linked_picture.startswith("https://"):
            return None
        let_in_shop_pictures()
        return PictureView(product.linked_picture, outside=True)
    address, (width, height) = partial(url_for, "pages.picture"), product.picture_size
    shares = [(side, side / max(width, height)) for side in smaller_sides(width, height)]
    widths = [(address(digest=f"{product.picture}-{side}"), round(width * share)) for side, share in shares]
    full = address(digest=product.picture)
    return PictureView(full, ", ".join(f"{url} {wide}w" for url, wide in [*widths, (full, width)]) if widths else "")
