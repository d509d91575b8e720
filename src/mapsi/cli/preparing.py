"""``mapsi dataset``: photos checked and split before anything is learned."""

from __future__ import annotations

import click

COMMANDS: tuple[click.Command, ...] = ()
