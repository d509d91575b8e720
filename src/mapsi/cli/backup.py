"""``mapsi backup`` and ``mapsi restore``: the whole shop as one file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from mapsi import __version__
from mapsi.cli.index import build_and_tell
from mapsi.cli.opening import counter, database_address, open_installation, open_stock
from mapsi.errors import UsageError
from mapsi.settings import Settings, changed_settings, read_settings


@click.command()
@click.argument("file", type=click.Path(path_type=str))
def backup(file: str) -> None:
    """Write the catalogue, its pictures, accounts, models and the key of sessions to FILE, or into a folder under a
    name by date.

    The shop may be served and refreshed meanwhile: FILE holds one moment of it, and is there whole or not at all. Keep
    it as safe as the shop: accounts are in it. Secret settings are not. An empty shop is an error: MAPSI_HOME may name
    another folder than was meant.
    """
    from mapsi.backup.contents import Contents
    from mapsi.backup.taking import clear_unfinished, take_backup

    settings, now = read_settings(), datetime.now(UTC)
    target = Path(file)
    if file.endswith("/") or target.is_dir():
        clear_unfinished(target)
        target /= f"mapsi-{now:%Y%m%d-%H%M%S}.tar"
    about = Contents("", __version__, now.isoformat(timespec="seconds"), changed_settings(settings))
    address = database_address(settings)
    if isinstance(address, Path) and not address.exists():
        raise _nothing_to_keep(settings)
    with open_stock(settings) as catalog:
        if catalog.snapshots.is_empty():
            raise _nothing_to_keep(settings)
        contents = take_backup(catalog, settings.home, target, about, counter("files"))
    click.echo(f"{target}: {len(contents.members):,} files, {target.stat().st_size / 1e6:,.1f} MB.")


def _nothing_to_keep(settings: Settings) -> UsageError:
    return UsageError(
        f"There is nothing to back up: the catalogue of {settings.home} is empty.",
        "Check MAPSI_HOME and MAPSI_DATABASE_URL.",
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--index/--no-index", default=True, help="Whether to build the index of pictures right away.")
def restore(file: Path, index: bool) -> None:
    """Fill an empty MAPSI_HOME and database with what FILE holds, whichever database it came from.

    FILE is read through and checked first; where it is damaged, nothing is written. If a restore was stopped, run it
    again. Everybody has to log in again.
    """
    from mapsi.backup.restoring import check_backup
    from mapsi.backup.restoring import restore as restore_now

    contents = check_backup(file, counter("files checked"))
    settings = read_settings()
    with open_stock(settings) as catalog:
        rows = restore_now(catalog, settings.home, file, contents, counter("files"))
    click.echo(f"{rows:,} rows and their pictures restored, as they were at {contents.made_at}.")
    _tell_settings(contents.settings, changed_settings(settings))
    if index:
        build_and_tell(settings, open_installation(settings))


def _tell_settings(kept: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Say which settings the shop ran with that are not set so now; of secret ones, that they were set."""
    for variable, value in kept.items():
        if variable not in now or (value != now[variable]):
            told = "was set to a secret" if value == "***" else f"was {value}"
            click.echo(f"  {variable} {told}; here it is {now.get(variable, 'not set')}.", err=True)


COMMANDS = (backup, restore)
