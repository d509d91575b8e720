"""``mapsi operator``: who may log in to the operator's pages."""

from __future__ import annotations

import sys

import click

from mapsi.cli.opening import open_stock
from mapsi.encodings import decode
from mapsi.errors import UsageError
from mapsi.settings import read_settings

_from_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")


_BROKEN = "\ufffd"


@click.group()
def operator() -> None:
    """People who may log in to /operator and look after the catalogue."""


@operator.command()
@click.argument("email")
@_from_stdin
def add(email: str, password_stdin: bool) -> None:
    """Make the person with this email address an operator; the password is asked for twice."""
    with open_stock(read_settings()) as catalog:
        catalog.accounts.check_new_operator(email)
        added = catalog.accounts.add_operator(email, _hashed(password_stdin, email))
    click.echo(f"{added.email} is an operator. The log-in is at /operator of the pages that `mapsi serve` shows.")


@operator.command()
@click.argument("email")
@_from_stdin
def password(email: str, password_stdin: bool) -> None:
    """Give an operator another password; whoever is logged in with the old one is logged out."""
    with open_stock(read_settings()) as catalog:
        known = catalog.accounts.named_operator(email)
        changed = catalog.accounts.change_password(known.email, _hashed(password_stdin, known.email))
    click.echo(f"{changed.email} has a new password.")


@operator.command(name="list")
def list_operators() -> None:
    """List the operators."""
    with open_stock(read_settings()) as catalog:
        known = catalog.accounts.operators()
    for one in known:
        click.echo(f"{one.email}  since {one.created_at.astimezone():%Y-%m-%d}")
    if not known:
        click.echo("There is no operator yet. Add one: mapsi operator add EMAIL")


@operator.command()
@click.argument("email")
def remove(email: str) -> None:
    """Take the role from the operator with this email address; open sessions end at once."""
    with open_stock(read_settings()) as catalog:
        removed = catalog.accounts.remove_operator(email)
    click.echo(f"{removed.email} is no longer an operator.")


def _hashed(from_stdin: bool, email: str) -> str:
    from mapsi.web.accounts.passwords import hash_password

    password = _line() if from_stdin else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return hash_password(password, email)


def _line() -> str:
    line = sys.stdin.buffer.readline().rstrip(b"\r\n")
    if not line:
        raise UsageError("No password arrived on standard input.", "Send it as one line.")
    try:
        typed = decode(line)
    except UnicodeError:
        typed = _BROKEN
    if _BROKEN in typed:  # nobody could type it
        raise UsageError("The password on standard input is in no encoding that is known.", "Send it in UTF-8.")
    return typed


COMMANDS = (operator,)
