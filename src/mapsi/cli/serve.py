"""``mapsi demo`` and ``mapsi serve``: the pages and the JSON API."""

from __future__ import annotations

import dataclasses
import secrets
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mapsi.artifacts import atomic_file
from mapsi.cli.index import PATIENCE, tell_waiting
from mapsi.cli.opening import bar, database_address, make_home, open_finder, open_installation, open_stock
from mapsi.cli.waiting import when_there
from mapsi.cores import cores
from mapsi.errors import CatalogError, CatalogTooOldError, SettingError
from mapsi.memory import give_freed_memory_back
from mapsi.settings import Secret, Settings, read_settings, setting_table

if TYPE_CHECKING:
    from mapsi.catalog import Catalog
    from mapsi.search.building import Installation

LEAST_KEY_BYTES = 32
"""Of a key that signs: as many as the digest of the signature has (RFC 2104, 3)."""

LEAST_LETTERS = 8
"""Different ones in a key: `change me change me` again and again has fewer; so have blanks, and what a disk keeps of a
file after a power cut."""

LEAST_THREADS = 4
"""How many requests are worked on at once on the smallest machine: while some wait for a database, others compute."""

SAMPLE_SHOP = "맵시 샘플"
SAMPLE_NAME = f"{SAMPLE_SHOP} / Mapsi samples"
"""What shoppers see, each the half in their language."""

_host = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
_port = click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)
_model = click.option("--model", type=click.Path(path_type=Path), help="Model folder; the shipped one by default.")


@click.command()
@_host
@_port
@_model
def serve(host: str, port: int, model: Path | None) -> None:
    """Serve the pages and the JSON API over your own catalogue.

    A database that does not answer yet is waited for; until it does, everybody is told 503.
    """
    give_freed_memory_back()
    settings = read_settings(model=model)
    _serve(
        settings, open_installation(settings, visitors=True, catalog=partial(_stock, settings, host, port)), host, port
    )


def _stock(settings: Settings, host: str, port: int) -> Catalog:
    def meanwhile() -> AbstractContextManager[None]:
        from mapsi.web.server.starting import answering_that_it_starts

        return answering_that_it_starts(host, port)

    return when_there(
        partial(open_stock, settings, visitors=True), lambda said: click.echo(f"mapsi: {said}", err=True), meanwhile
    )


@click.command()
@_host
@_port
@_model
def demo(host: str, port: int, model: Path | None) -> None:
    """Serve a sample shop of drawn products: nothing else is needed, no network and no credentials.

    The sample catalogue lies in a folder of its own (MAPSI_HOME/demo) and never mixes with yours.
    """
    give_freed_memory_back()
    settings = read_settings(model=model)
    make_home(settings)
    demo_settings = dataclasses.replace(settings, home=settings.home / "demo", database_url=Secret(""))
    click.echo(f"Opening the sample shop in {demo_settings.home} ...")
    installation = open_sample_shop(demo_settings)
    click.echo("Importing its drawn products and reading their pictures; the first time takes half a minute ...")
    stock_sample_shop(demo_settings, installation)
    click.echo("Starting the server ...")
    _serve(demo_settings, installation, host, port)


def open_sample_shop(settings: Settings) -> Installation:
    """The demo's installation; where its catalogue is from before the first release, a new one beside which the old
    folder is kept.

    Raises :class:`CatalogError` where such a catalogue holds other shops than the sample: that folder is somebody's."""
    from mapsi.catalog import open_catalog

    try:
        return open_installation(settings, visitors=True)
    except CatalogTooOldError as error:
        with open_catalog(database_address(settings)) as catalog:
            others = [name for name in catalog.shop_names() if name not in (SAMPLE_SHOP, SAMPLE_NAME)]
        if others:
            raise CatalogError(
                f"{settings.home} holds the shop {others[0]}, and its catalogue is from before the first release.",
                "Set MAPSI_HOME to another folder for the demo.",
            ) from error
    aside = settings.home.with_name(f"{settings.home.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    settings.home.rename(aside)
    click.echo(
        f"The sample shop is from before the first release: it is made again, and the old one is kept in {aside}."
    )
    return open_installation(settings, visitors=True)


def stock_sample_shop(settings: Settings, installation: Installation) -> None:
    """Import the shipped sample feed and index it; quick where that was done before."""
    from mapsi.refresh.feeds import import_feed
    from mapsi.sample.shop import shipped_feed
    from mapsi.search.building import build

    taxonomy = installation.taxonomy
    import_feed(
        installation.catalog,
        shipped_feed(),
        format="merchant",
        shop=SAMPLE_SHOP,
        shop_name=SAMPLE_NAME,
        taxonomy=taxonomy,
        sample=True,
    )
    build(installation, bar, threads=settings.model_threads, patience=PATIENCE, waiting=tell_waiting)


def _serve(settings: Settings, installation: Installation, host: str, port: int) -> None:
    from mapsi.web.app import create_app
    from mapsi.web.server.serving import serve as serve_app

    key = secret_key(settings)
    finder = open_finder(settings, installation)
    app = create_app(settings, finder=finder, taxonomy=installation.taxonomy, secret_key=key)
    threads = settings.threads or max(LEAST_THREADS, 2 * cores())
    proxied = settings.trusted_proxies > 0
    serve_app(app, host, port, threads, seconds=settings.request_seconds, proxied=proxied)


def secret_key(settings: Settings) -> str:
    """The key that signs sessions: the one set, or one made at random and kept, readable by its owner only. A kept one
    that was cut short or overwritten is made again: everybody logs in again.

    Raises :class:`SettingError` where the one set is shorter than :data:`LEAST_KEY_BYTES`, or of fewer than
    :data:`LEAST_LETTERS` different letters."""
    if settings.secret_key:
        key = settings.secret_key.reveal()
        fault = _weakness(key)
        if fault:
            raise SettingError(
                f"The key in MAPSI_SECRET_KEY has {fault}.",
                'Make one: python -c "import secrets; print(secrets.token_hex(32))"',
            )
        return key
    make_home(settings)
    file = settings.home / "secret-key"
    kept = file.read_text("utf-8", "replace").strip() if file.exists() else ""
    if not _weakness(kept):
        return kept
    made = secrets.token_hex(LEAST_KEY_BYTES)
    with atomic_file(file, mode=0o600) as beside:
        beside.write_text(made, "utf-8")
    return made


def _weakness(key: str) -> str:
    """What is too few of a key; empty for one that is good."""
    if len(key.encode()) < LEAST_KEY_BYTES:
        return f"fewer than {LEAST_KEY_BYTES} bytes"
    return f"fewer than {LEAST_LETTERS} different letters" if len(set(key)) < LEAST_LETTERS else ""


@click.command(name="settings")
def list_settings() -> None:
    """List every setting with its default and what it is for."""
    for row in setting_table():
        click.echo(f"{row.variable}\n    {row.help} (default: {row.default})")


COMMANDS = (demo, serve, list_settings)
