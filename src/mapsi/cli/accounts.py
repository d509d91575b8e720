"""``mapsi accounts``: people's accounts, and emails where no mail server sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mapsi.cli.opening import open_stock
from mapsi.cli.serve import secret_key
from mapsi.settings import Settings, read_settings

if TYPE_CHECKING:
    from mapsi.catalog import Catalog
    from mapsi.web.accounts.emails import EmailWriter

SENDER = "mapsi@localhost"
HERE = "http://127.0.0.1:8000"
"""Where `mapsi serve` listens if nothing else is said."""


@click.group()
def accounts() -> None:
    """The accounts of shoppers and operators."""


@accounts.command(name="list")
def list_accounts() -> None:
    """List the accounts."""
    with open_stock(read_settings()) as catalog:
        known = catalog.accounts.all()
    for one in known:
        click.echo(
            f"{one.email}  since {one.created_at.astimezone():%Y-%m-%d}{'  operator' if one.is_operator else ''}"
        )
    if not known:
        click.echo("There is no account yet.")


@accounts.command()
@click.argument("email")
def link(email: str) -> None:
    """Print a link with which this address opens an account or chooses a new password. Give it to that person only."""
    from mapsi.catalog.people.accounts import checked_address

    settings = read_settings()
    with open_stock(settings) as catalog:
        known = catalog.accounts.find(email)
        writer = email_writer(settings, catalog)
        click.echo(writer.password_link(checked_address(email), known.language if known else ""))
    _tell_where_links_lead(settings)


@accounts.command()
def emails() -> None:
    """Print the emails that are waiting, for a shop without a mail server (MAPSI_SMTP)."""
    settings = read_settings()
    with open_stock(settings) as catalog:
        waiting, writer = catalog.emails.waiting(), email_writer(settings, catalog)
        for email in waiting:
            click.echo(f"{email.asked_at.astimezone():%Y-%m-%d %H:%M}  {email.address}")
            click.echo(writer.write(email).get_content())
    if waiting:
        _tell_where_links_lead(settings)
    else:
        click.echo("No emails are waiting.")


@accounts.command()
@click.argument("email")
def remove(email: str) -> None:
    """Remove an account and everything that is kept about its owner."""
    from mapsi.web.accounts.links import remove_account

    settings = read_settings()
    with open_stock(settings) as catalog:
        known = catalog.accounts.named(email)
        remove_account(catalog, secret_key(settings), known)
    click.echo(f"The account {known.email} is gone.")


def _tell_where_links_lead(settings: Settings) -> None:
    if not settings.public_url:
        click.echo(f"Links lead to {HERE}. Where mapsi is found elsewhere, set MAPSI_PUBLIC_URL first.", err=True)


def email_writer(settings: Settings, catalog: Catalog) -> EmailWriter:
    """What writes emails out, by the settings."""
    from mapsi.web.accounts.emails import EmailWriter

    return EmailWriter(
        catalog,
        secret_key=secret_key(settings),
        public_url=settings.public_url or HERE,
        sender=settings.mail_from or SENDER,
    )


COMMANDS = (accounts,)
