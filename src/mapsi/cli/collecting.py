"""``mapsi collect``: photos for the classes of a taxonomy."""

from __future__ import annotations

import click

COMMANDS: tuple[click.Command, ...] = ()
