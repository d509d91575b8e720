"""``mapsi classify`` and ``mapsi search``: what the pages answer, in the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from mapsi.artifacts import atomic_file
from mapsi.catalog.filters import SORTS, Filters
from mapsi.catalog.offer import Audience
from mapsi.catalog.query import LAST_PAGE, Query
from mapsi.cli.opening import open_finder, open_installation, open_model, require_writable
from mapsi.errors import NotBuiltYetError, PhotoError, UsageError
from mapsi.imaging import READ_SIDE, PhotoLimits, map_picture, read_photo
from mapsi.settings import LARGEST_ANSWER, read_settings
from mapsi.taxonomy import Taxonomy

if TYPE_CHECKING:
    from mapsi.catalog import Catalog
    from mapsi.catalog.product import ProductPage
    from mapsi.infer import Reading

_model = click.option("--model", type=click.Path(path_type=Path), help="Model folder; the shipped one by default.")
_PAGE, _SIZE = click.IntRange(1, LAST_PAGE), click.IntRange(1, LARGEST_ANSWER)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path))
@_model
@_json
def classify(photos: tuple[Path, ...], model: Path | None, as_json: bool) -> None:
    """Tell the style and the kind of garment in each of PHOTOS."""
    from mapsi.documents import axis_document

    settings = read_settings()
    opened, taxonomy = open_model(settings, model)
    limits = PhotoLimits.of(settings)
    answers: list[dict[str, Any]] = []
    failures: list[PhotoError] = []
    for path in photos:
        try:
            reading = opened.read(read_photo(path, limits, at_least=READ_SIDE))
        except PhotoError as error:
            failures.append(error)
            answers.append({"photo": str(path), "error": {"code": error.code, "message": error.message}})
            continue
        axes = {axis: axis_document(answer, taxonomy) for axis, answer in reading.axes.items()}
        answers.append({"photo": str(path), "sure": reading.known, "axes": axes})
        if not as_json:
            click.echo(f"{path}")
            for line in _reading_lines(reading, taxonomy, settings.language):
                click.echo(f"  {line}")
    if as_json:
        _print_json(answers)
    for failure in failures[:-1]:
        click.echo(f"mapsi: {failure}", err=True)
    if failures:
        raise failures[-1]


@click.command()
@click.argument("photo", type=click.Path(path_type=Path))
@click.option(
    "--mask", type=click.Path(path_type=Path), help="PNG to write: the group of garments of each pixel, as its number."
)
@_model
@_json
def garments(photo: Path, mask: Path | None, model: Path | None, as_json: bool) -> None:
    """Tell the garments in PHOTO apart: where each is, and what it is."""
    from mapsi.documents import look_document

    settings = read_settings()
    opened, taxonomy = open_model(settings, model)
    if mask is not None:
        if not opened.document.groups:
            raise UsageError(f"The model {opened.document.name} has no map of garments.", "Leave --mask out.")
        require_writable(mask.parent)
    loaded = read_photo(photo, PhotoLimits.of(settings), at_least=READ_SIDE)
    look = opened.garments(loaded)
    if mask is not None:
        with atomic_file(mask) as beside:
            map_picture(look.map, loaded.size).save(beside, "PNG")
    if as_json:
        _print_json(look_document(look, taxonomy))
        return
    for garment in look.garments:
        x, y, width, height = garment.box
        click.echo(
            f"{garment.group or 'whole photo'} {garment.confidence:.0%}, {width:.0%} x {height:.0%} at {x:.0%}, {y:.0%}"
        )
        for line in _reading_lines(garment.reading, taxonomy, settings.language):
            click.echo(f"  {line}")
    if not look.garments:
        click.echo("No garment found.")


@click.command()
@click.argument("photo", required=False, type=click.Path(path_type=Path))
@click.option("--words", help="Words to search by; with PHOTO, what should differ from it.")
@click.option("--box", metavar="X,Y,WIDTH,HEIGHT", help="Only this part of the photo, in fractions of its sides.")
@click.option("--page", default=1, show_default=True, type=_PAGE, help="Which page to show.")
@click.option("--size", type=_SIZE, help="Products per page; MAPSI_PAGE_SIZE by default.")
@click.option("--sort", default="likeness", show_default=True, type=click.Choice(SORTS))
@click.option("--min-price", type=float, help="Only products from this price up.")
@click.option("--max-price", type=float, help="Only products up to this price.")
@click.option("--shop", "shops", multiple=True, help="Only this shop (its slug); may be repeated.")
@click.option("--class", "classes", multiple=True, metavar="AXIS:CLASS", help="Only this class; may be repeated.")
@click.option("--audience", "audiences", multiple=True, type=click.Choice(get_args(Audience)))
@click.option(
    "--color", "colors", multiple=True, metavar="COLOR", help="Only this colour (black, beige, ...); may be repeated."
)
@_model
@_json
def search(
    photo: Path | None, words: str | None, box: str | None, model: Path | None, as_json: bool, **narrowing: Any
) -> None:
    """Find the products that look like what is worn in PHOTO, or that --words name, or both."""
    from mapsi.documents import Reader, Results, photo_document, words_document

    if photo is None and words is None:
        raise UsageError("Give a photo, --words, or both.", "See `mapsi search --help`.")
    if box is not None and photo is None:
        raise UsageError("A box is a part of a photo.", "Give a photo, or leave --box out.")
    settings = read_settings()
    installation = open_installation(settings, model_folder=model, visitors=True)
    finder, taxonomy = open_finder(settings, installation), installation.taxonomy
    query = _query(taxonomy, words, narrowing, settings.page_size)
    reader = Reader(taxonomy=taxonomy, language=settings.language)
    if photo is not None:
        loaded = read_photo(photo, PhotoLimits.of(settings), at_least=READ_SIDE)
        if box is None:
            look = finder.look(loaded)
            reading, ask = look.whole, partial(finder.by_look, look, query)
        else:
            reading = finder.read_box(loaded, _box(box))
            ask = partial(finder.by_photo, reading, query)
        found = _answered(installation.catalog, ask)
        document = photo_document(reading, Results(found, query), reader)
        lines = _reading_lines(reading, taxonomy, settings.language)
    else:
        assert words is not None
        found = _answered(installation.catalog, partial(installation.catalog.listings.search, query))
        document = words_document(words, Results(found, query), reader)
        lines = _told_instead(words, found)
    if as_json:
        _print_json(document)
        return
    for line in [*lines, *_told_prices(query.filters), *_product_lines(document)]:
        click.echo(line)


def _answered(catalog: Catalog, ask: Callable[[], ProductPage]) -> ProductPage:
    """The answer; a terminal waits for the index of words that its question set going, which would end with it."""
    try:
        return ask()
    except NotBuiltYetError:
        click.echo("Building the index of words ...", err=True)
        catalog.listings.close()
        return ask()


def _box(text: str) -> tuple[float, float, float, float]:
    try:
        x, y, width, height = map(float, text.split(","))
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a box.",
            "Write x,y,width,height in fractions of the photo's sides, such as 0.1,0.2,0.5,0.5.",
        ) from error
    return x, y, width, height


def _query(taxonomy: Taxonomy, words: str | None, narrowing: dict[str, Any], size: int) -> Query:
    """What is asked for, ``size`` products a page where no other number is."""
    from mapsi.catalog.listings.priced import say

    filters, size = _filters(taxonomy, narrowing), narrowing["size"] or size
    query = Query(words=words, filters=filters, sort=narrowing["sort"], page=narrowing["page"], size=size)
    return say(query, words) if words else query


def _filters(taxonomy: Taxonomy, narrowing: dict[str, Any]) -> Filters:
    classes: dict[str, tuple[str, ...]] = {}
    for text in narrowing["classes"]:
        axis, _, slug = text.partition(":")
        if not taxonomy.find(axis).listed:
            raise UsageError(
                f"Offers have no classes of the axis {axis!r}.", f"They have: {', '.join(taxonomy.listed)}."
            )
        classes[axis] = (*classes.get(axis, ()), taxonomy.find(axis).find(slug).slug)
    low, high = (
        None if value is None else Decimal(str(value)) for value in (narrowing["min_price"], narrowing["max_price"])
    )
    return Filters(
        min_price=low,
        max_price=high,
        shops=narrowing["shops"],
        classes=classes,
        audiences=narrowing["audiences"],
        colors=_known_colors(narrowing["colors"]),
    )


def _known_colors(asked: tuple[str, ...]) -> tuple[str, ...]:
    from mapsi.taxonomy.synonyms import load_colors

    known = [family.slug for family in load_colors()]
    for color in asked:
        if color not in known:
            raise UsageError(f"There is no colour {color!r}.", f"There are: {', '.join(known)}.")
    return asked


def _told_instead(words: str, found: ProductPage) -> list[str]:
    """What was looked for where the words as typed find nothing, or little."""
    told = []
    if found.instead:
        told.append(f"Nothing was found for {words!r}; these are the results for {found.instead!r}.")
    if found.left_out:
        told.append(f"No product matches all of it; {found.left_out!r} was left out, and these come nearest.")
    elif found.whole:
        told.append(f"Products that match all of it: {found.whole}; the nearest follow.")
    return told


def _told_prices(filters: Filters) -> list[str]:
    """Which prices are shown alone: words may have said so."""
    bounds = (("from", filters.min_price), ("up to", filters.max_price))
    told = [f"{name} {bound:,f}" for name, bound in bounds if bound is not None]
    return [f"Only prices {' '.join(told)}."] if told else []


def _reading_lines(reading: Reading, taxonomy: Taxonomy, language: str) -> list[str]:
    lines = []
    for axis, answer in reading.axes.items():
        classes = taxonomy.find(axis)
        guesses = ", ".join(
            f"{classes.find(g.slug).name.in_language(language)} {g.confidence:.0%}" for g in answer.top[:3]
        )
        doubt = "" if answer.known else "? "
        lines.append(f"{classes.name.in_language(language)}: {doubt}{guesses}")
    return lines


def _product_lines(document: dict[str, Any]) -> list[str]:
    if not document["products"]:
        return ["No products found."]
    lines = []
    for product in document["products"]:
        likeness = "" if product["similarity"] is None else f"{product['similarity']:.2f}  "
        price = f"{product['lowest_price']:,} {product['currency']}"
        lines.append(
            f"{likeness}{product['name']} | {product['keyword']} | {price} | {product['shop']} | {product['link']}"
        )
    lines.append(f"page {document['page']} of {document['pages']}, {document['total']} products")
    return lines


def _print_json(document: object) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


COMMANDS = (classify, garments, search)
