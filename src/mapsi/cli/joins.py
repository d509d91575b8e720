"""``mapsi catalog joins``: which products of several shops are one, and why; a person has the last word."""

from __future__ import annotations

import json

import click

from mapsi.cli.opening import open_stock
from mapsi.settings import read_settings

_SIZE = 20


@click.group()
def joins() -> None:
    """Products that several shops have: shown as one, with the lowest price."""


@joins.command(name="list")
@click.option("--page", default=1, show_default=True, type=click.IntRange(1), help=f"{_SIZE} products a page.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_joins(page: int, as_json: bool) -> None:
    """List the joined products, those joined last first: each shop's part, and what it shares with the others."""
    from mapsi.documents import joined_document

    with open_stock(read_settings()) as catalog:
        found, total = catalog.joins.page(page, _SIZE), catalog.joins.count()
    if as_json:
        click.echo(json.dumps([joined_document(parts) for parts in found], ensure_ascii=False, indent=2))
        return
    for parts in found:
        click.echo(parts[0].product.name)
        for part in parts:
            one, shares = part.product, "; ".join(evidence.told for evidence in part.shares)
            click.echo(f"    {one.id}  {one.shop_name}  {one.lowest_price:,} {one.currency}  {shares}")
    click.echo(f"{total:,} products are sold by several shops.")


@joins.command()
@click.argument("product", type=int)
def part(product: int) -> None:
    """Separate PRODUCT (its number), as its shop has it, from what it is joined with; refreshes leave it so."""
    with open_stock(read_settings()) as catalog:
        catalog.joins.part(product)
    click.echo(f"{product} is shown by itself now. To undo this: mapsi catalog joins allow {product}")


@joins.command()
@click.argument("product", type=int)
def allow(product: int) -> None:
    """Let PRODUCT, which was parted, be joined again."""
    with open_stock(read_settings()) as catalog:
        catalog.joins.allow(product)
        others = len(catalog.joins.of(product))
    click.echo(
        f"{product} is joined with {others - 1} others." if others else f"{product} is not joined with any other."
    )


CATALOG_COMMANDS = (joins,)
"""Commands of ``mapsi catalog``."""
