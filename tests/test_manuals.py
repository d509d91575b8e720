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


def test_the_index_of_the_manual_names_every_page() -> None:
    listed = set(re.findall(r"\]\(([a-z-]+\.md)\)", (DOCS / "README.md").read_text("utf-8")))
    assert listed == {page.name for page in DOCS.glob("*.md")} - {"README.md"}


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("*.md")), ids=lambda page: page.stem)
def test_the_index_of_the_manual_names_every_decision_by_its_title_and_status(page: Path) -> None:
    title, _, status = page.read_text("utf-8").splitlines()[:3]
    said = re.sub(r"\[(\d+)\]\([^)]*\)", r"\1", status.removeprefix("Status: ")).strip().rstrip(".")
    row = f"| [{int(page.name[:4])}](decisions/{page.name}) | {title.split('. ', 1)[1]} | {said} |"
    assert row in (DOCS / "README.md").read_text("utf-8").splitlines()


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("*.md")), ids=lambda page: page.stem)
def test_a_decision_says_whether_it_is_in_force(page: Path) -> None:
    title, blank, status = page.read_text("utf-8").splitlines()[:3]
    assert re.match(rf"# {int(page.name[:4])}\. ", title)
    assert (blank, status.startswith("Status: ")) == ("", True)


FRONT = [
    DOCS.parent / name for name in ("README.md", "README.ko.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")
]


@pytest.mark.parametrize("page", [*FRONT, *DOCS.rglob("*.md")], ids=lambda page: str(page.relative_to(DOCS.parent)))
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    targets = [link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in link]
    assert [link for link in targets if not (page.parent / link).exists()] == []


def test_the_change_map_names_files_that_are_there() -> None:
    map_of_changes = (DOCS.parent / "ARCHITECTURE.md").read_text("utf-8").split("## Where a change goes")[1]
    named = re.findall(r"`([a-z_0-9/*]+\.(?:py|toml|md|html|css|js|conf)|[a-z_/]+/)`", map_of_changes)
    below = [DOCS.parent, DOCS.parent / "src" / "mapsi", DOCS.parent / "tests"]
    assert len(named) > 100
    assert [name for name in named if not any(any(folder.glob(name.rstrip("/"))) for folder in below)] == []
