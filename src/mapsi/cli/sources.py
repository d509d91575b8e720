"""``mapsi catalog sources``, ``refresh`` and ``status``: where offers come from again and again, and how that goes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import click

from mapsi.cli.opening import counter, naver_account, open_installation, open_stock, refresh_services
from mapsi.cli.reporting import describe_schedule, quoted, source_document, tell_previews, tell_refresh, tell_shop
from mapsi.errors import MapsiError, UsageError
from mapsi.settings import read_settings
from mapsi.taxonomy import Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from mapsi.catalog import Catalog
    from mapsi.catalog.records import SourceRecord
    from mapsi.refresh.refreshing import RefreshServices

HELD = 12
"""Exit code of a refresh that holds a feed back: a person has to look."""

Outcome = tuple[int, bool]
"""A refresh's exit code, and whether offers changed."""


class Duration(click.ParamType[timedelta]):
    """A whole number and its unit: 45m, 6h, 3d."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        from mapsi.refresh.admitting import read_duration

        try:
            return read_duration(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


@click.group()
def sources() -> None:
    """Shops whose feeds are fetched regularly."""


@sources.command()
@click.argument("name")
@click.option(
    "--format", "feed_format", required=True, metavar="merchant|naver-ep|shop-json|csv", help="What is there."
)
@click.option(
    "--at",
    required=True,
    metavar="ADDRESS_OR_PATH",
    help="Where the feed is: an address, a file, or a folder that feeds are put into; for shop-json the base address.",
)
@click.option(
    "--every", type=Duration(), metavar="6h", help="How often `mapsi worker` refreshes it; only by hand by default."
)
@click.option(
    "--time-to-live",
    type=Duration(),
    metavar="72h",
    help="How long offers are shown without a refresh; the format's by default.",
)
@click.option(
    "--shrink",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Share of its offers that may disappear at once without a person looking.",
)
@click.option("--shop-name", default="", help="What shoppers see; NAME by default.")
def add(
    name: str,
    feed_format: str,
    at: str,
    every: timedelta | None,
    time_to_live: timedelta | None,
    shrink: float,
    shop_name: str,
) -> None:
    """Add the source NAME. Nothing is fetched yet: `mapsi catalog refresh NAME` does that."""
    from mapsi.providers import find_provider
    from mapsi.refresh.admitting import admit_source

    new = admit_source(
        name, format=feed_format, at=at, every=every, time_to_live=time_to_live, shrink=shrink, shop_name=shop_name
    )
    with open_stock(read_settings()) as catalog:
        source = catalog.sources.add(new)
    click.echo(
        f"{source.name} is added. {describe_schedule(source)} Fetch it: mapsi catalog refresh {quoted(source.name)}"
    )
    if "nothing_between" in find_provider(feed_format).terms.display:
        click.echo(
            "The format's terms allow nothing between its results, not even other shops' products: where they bind "
            "you, keep this source in a catalogue of its own (MAPSI_HOME)."
        )


@sources.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_sources(as_json: bool) -> None:
    """List the sources."""
    with open_stock(read_settings()) as catalog:
        known = catalog.sources.all()
    if as_json:
        click.echo(json.dumps([source_document(source) for source in known], ensure_ascii=False, indent=2))
        return
    for source in known:
        click.echo(f"{source.name} ({source.format}) {source.address}\n    {describe_schedule(source)}")
    if not known:
        click.echo("There is no source yet. Add one: mapsi catalog sources add NAME --format FORMAT --at ADDRESS")


@sources.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove the source NAME; its offers disappear at once."""
    with open_stock(read_settings()) as catalog:
        source, gone = catalog.sources.remove(name)
    click.echo(
        f"{source.name} has been removed, with its {gone:,} offers. Their prices and the history of its runs are kept."
    )


@click.command()
@click.argument("name", required=False)
@click.option("--dry-run", is_flag=True, help="Show what would change without changing anything.")
@click.option("--accept", is_flag=True, help="Take a feed that was held back because so much would go.")
@click.option("--index/--no-index", default=True, help="Whether to copy pictures and index them right away.")
def refresh(name: str | None, dry_run: bool, accept: bool, index: bool) -> None:
    """Fetch the source NAME, or all of them, and take over what is new.

    Shoppers see the offers before or those after, never a mixture. A feed that breaks off changes nothing; one that
    would take away too many offers is held back until you have looked (--dry-run) and say --accept. A source that goes
    wrong does not keep the others from being refreshed.
    """
    if accept and dry_run:
        raise UsageError("--dry-run changes nothing, and --accept takes over a feed.", "Give one of the two.")
    if accept and name is None:
        raise UsageError("A held feed is accepted on its own.", "Name its source: mapsi catalog refresh NAME --accept.")
    settings = read_settings()
    taxonomy = load_taxonomy(settings.taxonomy)
    with open_stock(settings) as catalog:
        chosen = catalog.sources.all() if name is None else [catalog.sources.find(name)]
        if not chosen:
            click.echo("There is no source yet. Add one: mapsi catalog sources add NAME --format FORMAT --at ADDRESS")
            return
        services = refresh_services(settings)
        outcomes = _each(chosen, lambda source: _refresh_one(catalog, source, services, taxonomy, dry_run, accept))
    if index and not dry_run and any(changed for _, changed in outcomes):
        from mapsi.cli.index import build_and_tell

        build_and_tell(settings, open_installation(settings))
    sys.exit(next((code for code, _ in outcomes if code), 0))


def _each(sources: Sequence[SourceRecord], refresh: Callable[[SourceRecord], Outcome]) -> list[Outcome]:
    """Refresh one after the other, but for those that wait for their shop's server."""
    if len(sources) == 1:
        return [refresh(sources[0])]
    from mapsi.work.turns import Turns

    turns, outcomes = Turns(), dict.fromkeys((source.name for source in sources), (MapsiError.exit_code, False))
    for source in sources:
        turns.start(partial(_note, outcomes, source, refresh))
        while turns.are_many_aside:
            turns.wait(1)
    while turns.wait(1):
        pass
    return list(outcomes.values())


def _note(outcomes: dict[str, Outcome], source: SourceRecord, refresh: Callable[[SourceRecord], Outcome]) -> None:
    outcomes[source.name] = refresh(source)


def _refresh_one(
    catalog: Catalog, source: SourceRecord, services: RefreshServices, taxonomy: Taxonomy, dry_run: bool, accept: bool
) -> Outcome:
    from mapsi.refresh.refreshing import preview_source, refresh_source

    try:
        if dry_run:
            tell_previews(source, preview_source(catalog, source, services, taxonomy, progress=counter("offers")))
            return 0, False
        report = refresh_source(catalog, source, services, taxonomy, accept=accept, progress=counter("offers"))
    except MapsiError as error:
        click.echo(f"mapsi: {source.name}: {error}", err=True)
        return error.exit_code, False
    tell_refresh(report)
    run = report.run
    return HELD if run.state == "held" else 0, bool(run.new or run.changed or run.gone)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(as_json: bool) -> None:
    """Tell how many offers there are, where they come from, and how the last runs went."""
    from mapsi.catalog.operations.status import status_document
    from mapsi.refresh.refreshing import calls_left

    settings = read_settings()
    account = naver_account(settings)
    with open_stock(settings) as catalog:
        catalog.sweep()
        found = catalog.status()
        left = {source.name: calls_left(catalog, source, account) for source in catalog.sources.all()}
    if as_json:
        click.echo(json.dumps(status_document(found, left), ensure_ascii=False, indent=2))
        return
    click.echo(f"{found.shown:,} offers shown, {found.living:,} living, {found.gone:,} gone")
    for shop in found.shops:
        if shop.is_current:
            tell_shop(shop, left.get(shop.source.name) if shop.source else None)


CATALOG_COMMANDS = (sources, refresh, status)
"""Commands of the group ``mapsi catalog``."""
