"""The commands that the manuals show are commands that exist, with options that they have and all that they need."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from mapsi.cli import main

DOCS = Path(__file__).parent.parent / "docs"
PAGES = ("train.md", "dataset.md", "collect.md", "collect-google.md", "collect-review.md", "evaluate.md")


def _shown(page: str) -> list[str]:
    lines = (DOCS / page).read_text("utf-8").replace("\\\n", " ").splitlines()
    return [found[1] for line in lines if (found := re.match(r"(?: {4})?(?:[A-Z_]+=\S+ )*(mapsi [a-z].*)", line))]


@pytest.mark.parametrize(("page", "line"), [(page, line) for page in PAGES for line in _shown(page)])
def test_a_command_that_a_manual_shows_can_be_given(page: str, line: str) -> None:
    words = shlex.split(line.partition(" > ")[0], comments=True)[1:]
    command: click.Command = main
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    assert not isinstance(command, click.Group) or command.name == "collect", f"{page}: {line} names no command"
    context = command.make_context(command.name, words)
    if command.name == "train":
        assert context.params["weights"] or context.params["imagenet"], f"{page}: {line} starts from nothing"


@pytest.mark.parametrize("page", PAGES)
def test_a_manual_shows_commands(page: str) -> None:
    assert _shown(page)
