"""The command line: one command a stage. Stages are imported where they run, so that serving never loads torch."""

from __future__ import annotations

import errno
import sys
from importlib import import_module
from typing import Any

import click

from mapsi import __version__
from mapsi.cli.terminal import (
    drop_what_cannot_be_written,
    open_what_is_closed,
    read_any_encoding,
    show_what_can_be_shown,
)
from mapsi.errors import INTERRUPTED, ExtraMissingError, MapsiError
from mapsi.stopping import stopping_on_sigterm


class _Commands(click.Group):
    """A group whose commands end in a sentence and an exit code where something goes wrong."""

    def main(self, *args: Any, **extra: Any) -> Any:
        open_what_is_closed()
        show_what_can_be_shown()
        with stopping_on_sigterm():
            return super().main(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MapsiError as error:
            click.echo(f"mapsi: {error}", err=True)
            sys.exit(error.exit_code)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            where = f"{error.filename}: " if error.filename else ""
            click.echo(f"mapsi: {where}{error.strerror or error}. Check the disk and its permissions.", err=True)
            drop_what_cannot_be_written()
            sys.exit(1)
        except KeyboardInterrupt:
            click.echo("\nStopped.", err=True)
            sys.exit(INTERRUPTED)
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("mapsi"):
                raise
            click.echo(
                f"mapsi: This command needs the library {error.name}, which is not installed. {_extra(error)}", err=True
            )
            sys.exit(ExtraMissingError.exit_code)


def _extra(error: ModuleNotFoundError) -> str:
    extras = {
        "resvg_py": "draw",
        "pymysql": "mysql",
        "redis": "workers",
        "cryptography": "workers",
        "selenium": "collect",
    }
    return f"Install it with: pip install 'mapsi[{extras.get(error.name or '', 'train')}]'."


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mapsi")
def main() -> None:
    """From a photo of clothes to its style, its kind of garment and the products that look like it.

    \b
    Try it:          mapsi demo
    Your own shop:   mapsi catalog import FEED --format merchant --shop NAME, then mapsi serve
    Your own photos: mapsi train --photos AXIS=FOLDER --into RUN, then mapsi export RUN --into MODEL

    Settings are environment variables; `mapsi settings` lists them.
    """


COMMANDS = (
    *("serve", "search", "catalog", "index", "worker", "backup"),
    *("operator", "accounts", "collect", "dataset", "train", "evaluate"),
)
"""Files of this room with commands, in the order in which they are listed."""


def _register() -> None:
    for name in COMMANDS:
        for command in import_module(f"mapsi.cli.{name}").COMMANDS:
            main.add_command(command)
    read_any_encoding(main)


try:
    _register()
except KeyboardInterrupt:  # while its parts are still being imported
    sys.exit(INTERRUPTED)
