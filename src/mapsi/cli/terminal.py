"""What a command is started with: streams that are closed or full, a console of one code page, words in another
encoding."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import click

from mapsi.file_names import OnDisk, is_text


class Text(click.types.StringParamType):
    """Words typed on a terminal, or written in a script, of another encoding than this process expects: CP949, or UTF-8
    in the locale C."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(super().convert(value, param, ctx))
        if is_text(text):
            return text
        from mapsi.encodings import decode

        try:
            return decode(os.fsencode(text))
        except UnicodeError:
            self.fail("its letters are in no encoding that is known.", param, ctx)


class DiskPath(click.Path):
    """A path as the disk has it: what is typed has its letters put together, names from a Mac are taken apart."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(os.fspath(OnDisk().find(Path(value))), param, ctx)


def read_any_encoding(command: click.Command) -> None:
    """Let the words of a command, and of those below it, be :class:`Text`, and paths :class:`DiskPath`."""
    for param in command.params:
        if param.type is click.STRING:
            param.type = Text()
        elif type(param.type) is click.Path and param.type.type in (Path, None):
            found = DiskPath()
            vars(found).update(vars(param.type))
            param.type = found
    for below in getattr(command, "commands", {}).values():
        read_any_encoding(below)


def open_what_is_closed() -> None:
    """Standard streams that were closed lead nowhere, before a file is opened under their numbers and gets what is
    meant for them."""
    number = os.open(os.devnull, os.O_RDWR)
    while number < 3:
        number = os.dup(number)
    os.close(number)
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def show_what_can_be_shown() -> None:
    """Consoles of one code page (CP949 on Korean Windows) lack letters that shops use, and names of files may be in
    another one: a question mark stands for those."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def drop_what_cannot_be_written() -> None:
    """Let what is left for a full disk lead nowhere: Python would try once more at its end, with an error of its
    own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
