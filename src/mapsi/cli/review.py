"""``mapsi collect review``: a person's look at collected photos, and carrying out what they decided."""

from __future__ import annotations

import secrets
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mapsi.artifacts import atomic_file, locked_file
from mapsi.cli.opening import bar, open_model
from mapsi.errors import UsageError
from mapsi.imaging import PhotoLimits
from mapsi.settings import Settings, read_settings

if TYPE_CHECKING:
    from mapsi.collect.review.session import Review

HOST = "127.0.0.1"
THREADS = 8


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--axis", help="Axis that the class folders label; by default the first that has them all.")
@click.option(
    "--model", type=click.Path(path_type=Path), help="Model folder that orders the photos; the shipped one by default."
)
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port on this machine; a free one by default.")
@click.option("--browser/--no-browser", default=True, help="Whether to open the page in a browser.")
@click.option("--apply", "carry_out", is_flag=True, help="Carry the decisions out instead of opening the page.")
def review(folder: Path, axis: str | None, model: Path | None, port: int, browser: bool, carry_out: bool) -> None:
    """Look through the photos of FOLDER/CLASS/*.jpg on a page of this machine: keep, drop, or move them.

    The doubtful come first. Decisions are written to FOLDER/review.csv as they are made. --apply moves the photos to
    their class, the dropped ones to FOLDER/.dropped, and corrects labels.csv; nothing is deleted.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.", "Name the one that holds CLASS/*.jpg.")
    folder = folder.resolve()
    with _alone(folder):
        if carry_out:
            _apply(folder)
        else:
            _look(folder, axis, model, port, browser)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder for one review; raises :class:`UsageError` where another is open."""
    from mapsi.collect.review import INNER

    inner = folder / INNER
    inner.mkdir(exist_ok=True)
    with locked_file(inner / "lock", seconds=0) as is_ours:
        if not is_ours:
            raise UsageError(f"Another review of {folder} is open.", "End it first (Ctrl-C where it runs).")
        yield


def _apply(folder: Path) -> None:
    from mapsi.collect.harvest.filing import held
    from mapsi.collect.review.applying import apply_review
    from mapsi.collect.review.journal import Journal

    with held(folder):
        done = apply_review(folder, Journal.open(folder))
    click.echo(f"{_photos(done.moved)} moved to another class, {_photos(done.dropped)} dropped to {folder}/.dropped.")
    for path in done.missing:
        click.echo(f"{path} was no longer there.", err=True)


def _look(folder: Path, axis: str | None, model: Path | None, port: int, browser: bool) -> None:
    from mapsi.web.review.app import create_review_app
    from mapsi.web.server.serving import serve

    settings = read_settings()
    opened = _open(settings, folder, axis, model)
    token = secrets.token_urlsafe(24)
    app = create_review_app(settings, opened, folder, token)
    with _page_that_leads_there(folder) as page:
        serve(app, HOST, port, THREADS, path=f"/{token}/", ready=page if browser else None)
    click.echo(_summary(opened, folder))


def _open(settings: Settings, folder: Path, axis_name: str | None, model_folder: Path | None) -> Review:
    from mapsi.collect.review import INNER
    from mapsi.collect.review.journal import Journal
    from mapsi.collect.review.readings import read_photos
    from mapsi.collect.review.session import Review, axis_of, list_photos

    photos = list_photos(folder)
    model, taxonomy = open_model(settings, model_folder)
    axis = axis_of(taxonomy, list(photos), axis_name)
    paths = [path for shelf in photos.values() for path in shelf]
    readings = read_photos(
        folder,
        paths,
        model,
        axis.slug,
        folder / INNER / "readings.npz",
        limits=PhotoLimits.of(settings),
        progress=bar("reading the photos", len(paths)),
    )
    classes = next((labels.classes for labels in model.axes if labels.axis == axis.slug), ())
    return Review.make(axis, photos, readings, classes, Journal.open(folder))


@contextmanager
def _page_that_leads_there(folder: Path) -> Iterator[Callable[[str], None]]:
    """Give what opens an address in the person's browser.

    The browser is given a file that only this account can read, and which leads on: the token in the address itself
    would be in the list of processes, for everybody on the machine to see.
    """
    from mapsi.collect.review import INNER

    page = folder / INNER / "open.html"

    def show(address: str) -> None:
        with atomic_file(page, mode=0o600) as beside:
            beside.write_text(f'<!doctype html><meta http-equiv="refresh" content="0; url={address}">\n', "utf-8")
        # Without a browser, or with one that would take over this terminal, the printed address has to do.
        with suppress(webbrowser.Error):
            if type(found := webbrowser.get()) is not webbrowser.GenericBrowser:
                found.open(page.as_uri())

    try:
        yield show
    finally:
        page.unlink(missing_ok=True)


def _summary(opened: Review, folder: Path) -> str:
    tallies = [opened.tally(cls.slug) for cls in opened.classes]
    decided, photos = sum(one.decided for one in tallies), sum(one.photos for one in tallies)
    dropped, moved = sum(one.drop for one in tallies), sum(one.move for one in tallies)
    said = f"{decided} of {_photos(photos)} looked at; {dropped} to drop, {moved} to move."
    return said if not dropped + moved else f"{said} Carry it out with: mapsi collect review {folder} --apply"


def _photos(count: int) -> str:
    return f"{count} photo" if count == 1 else f"{count} photos"


COMMANDS = (review,)
