"""``mapsi catalog``: shops' feeds and what is known of them; ``mapsi sample``: the drawn shop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mapsi.cli import joins as joining
from mapsi.cli import sources as refreshing
from mapsi.cli.index import build_and_tell
from mapsi.cli.opening import counter, open_installation, open_stock
from mapsi.cli.reporting import describe_counts, describe_skipped, tell_broken
from mapsi.errors import UsageError
from mapsi.settings import read_settings

if TYPE_CHECKING:
    from mapsi.providers import ShopFacts


@click.group()
def catalog() -> None:
    """Shops' offers: import a feed, refresh sources, see what is there."""


for command in (*refreshing.CATALOG_COMMANDS, *joining.CATALOG_COMMANDS):
    catalog.add_command(command)


@catalog.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "feed_format",
    required=True,
    metavar="merchant|naver-ep|shop-json|csv|shopify|woocommerce",
    help="What FILE is.",
)
@click.option("--shop", required=True, help="The shop's name; its earlier offers are replaced by the feed's.")
@click.option(
    "--site", default="", metavar="ADDRESS", help="Where the shop is, for exports that do not say: https://..."
)
@click.option("--currency", default="", metavar="CODE", help="Of an export's prices: USD, KRW, ...")
@click.option("--index/--no-index", default=True, help="Whether to copy pictures and index them right away.")
@click.option("--model", type=click.Path(path_type=Path), help="Model folder; the shipped one by default.")
def import_command(
    file: Path, feed_format: str, shop: str, site: str, currency: str, index: bool, model: Path | None
) -> None:
    """Take over a shop's offers from FILE.

    The feed is a full snapshot: what is missing from it is gone from the shop. A broken row is reported with its line
    and skipped; a broken feed changes nothing. Pictures are fetched from their addresses, or read beside FILE.
    """
    from mapsi.refresh.feeds import import_feed

    settings = read_settings()
    facts = _facts(feed_format, site, currency)
    installation = open_installation(settings, model_folder=model)
    report = import_feed(
        installation.catalog,
        file,
        format=feed_format,
        shop=shop,
        taxonomy=installation.taxonomy,
        facts=facts,
        progress=counter("offers"),
    )
    click.echo(f"{shop}: {describe_counts(report)}, {describe_skipped(report.broken_count)}.")
    tell_broken(report.broken, report.broken_count)
    if index:
        build_and_tell(settings, installation)


def _facts(feed_format: str, site: str, currency: str) -> ShopFacts | None:
    """What an export leaves unsaid; other formats say it themselves."""
    from mapsi.providers import EXPORTS, ShopFacts

    if feed_format in EXPORTS:
        return ShopFacts.of(site, currency)
    if site or currency:
        raise UsageError(
            f"Files of the format {feed_format} say their links and prices whole.",
            f"Leave --site and --currency out; they are for {' and '.join(EXPORTS)}.",
        )
    return None


@catalog.command()
def migrate() -> None:
    """Bring the catalogue's database to the schema of this version; the other commands do so by themselves."""
    open_stock(read_settings()).close()
    click.echo("The catalogue is at this version's schema.")


@click.group()
def sample() -> None:
    """The sample shop of drawn products."""


@sample.command()
@click.argument("folder", type=click.Path(path_type=Path))
def write(folder: Path) -> None:
    """Draw the sample shop again: a Merchant feed and its pictures, into FOLDER."""
    from mapsi.sample.shop import write_shop

    _refuse_files(folder)
    click.echo(f"{write_shop(folder, counter('drawings'))} products written to {folder}.")


@sample.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--per-class", default=60, show_default=True, type=click.IntRange(1), help="Drawings per kind of garment."
)
@click.option("--nothing", default=0, show_default=True, type=click.IntRange(0), help="Pictures of no garment.")
@click.option("--seed", default=0, show_default=True, help="Same seed, same drawings.")
def draw(folder: Path, per_class: int, nothing: int, seed: int) -> None:
    """Draw pictures to learn from: FOLDER/garment/CLASS/*.jpg, and FOLDER/nothing/drawn/*.jpg."""
    from mapsi.sample.nothing import write_nothing
    from mapsi.sample.variation import write_drawings

    _refuse_files(folder)
    count = write_drawings(folder / "garment", per_class, seed, counter("drawings"))
    write_nothing(folder / "nothing" / "drawn", nothing, seed)
    click.echo(f"{count} drawings of garments and {nothing} of nothing written to {folder}.")


def _refuse_files(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file.", "Name a folder.")


COMMANDS = (catalog, sample)
