"""Write docs/commands.md from the commands themselves; a test fails when the page is stale."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from mapsi.cli import main

WIDTH = 100


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands below a group with their words, sorted; a group that does something by itself is one too."""
    for name, command in sorted(group.commands.items()):
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def page() -> str:
    """The whole page as Markdown."""
    parts = ["# Commands", "Written from the commands themselves by `python docs/write_commands.py`."]
    for path, command in commands(main):
        words = " ".join(("mapsi", *path))
        settings = {**main.context_settings, "max_content_width": WIDTH, "terminal_width": WIDTH}
        with click.Context(command, info_name=words, **settings) as context:
            parts.append(f"## `{words}`\n\n```\n{command.get_help(context)}\n```")
    parts.append(
        "## Exit codes\n\n| code | what went wrong |\n|---|---|\n"
        "| 2 | the command's words or a setting |\n| 3 | something named is not there |\n| 4 | a photo |\n| 5 | "
        "a feed |\n"
        "| 6 | an address outside |\n| 7 | a model folder, an index, a run or a plan |\n| 8 | the database |\n"
        "| 10 | a library that is not installed |\n| 11 | somebody else is at it just now |\n"
        "| 12 | a feed that is held back until a person has looked |\n| 13 | a class without a single photo |\n"
        "| 130 | ended by Ctrl-C or SIGTERM; what was finished is kept |"
    )
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    (Path(__file__).parent / "commands.md").write_text(page(), "utf-8")
