"""``mapsi index``: pictures brought home, read by the model, and switched to; what nobody needs any more removed."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mapsi.cli.opening import bar, open_installation, open_stock
from mapsi.errors import INTERRUPTED
from mapsi.settings import Settings, read_settings

if TYPE_CHECKING:
    from mapsi.pictures.copying import CopyReport
    from mapsi.search.building import BuildReport, IndexReport, Installation

PATIENCE = 600.0
"""Seconds that a build waits for another one's end."""

SHOWN_FAILURES = 20


@click.group()
def index() -> None:
    """The index of product pictures that photos are searched in."""


@index.command()
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="Model folder for this and later builds, or `shipped`; by default the one used last.",
)
@click.option("--recheck", is_flag=True, help="Ask about changes to all pictures now, not only to those that are due.")
def build(model: Path | None, recheck: bool) -> None:
    """Fetch missing and changed pictures, read the unread ones with the model, and switch to a fresh index.

    A picture that was read is never read again by the same model. The index before serves meanwhile, with its own
    model; a running `mapsi serve` goes over to the new pair by itself. Stopped at any moment, the next build continues.
    """
    settings = read_settings()
    installation = open_installation(settings, model_folder=model)
    build_and_tell(settings, installation, recheck=recheck)
    if model is not None:
        installation.models.choose(installation.model.fingerprint)


def build_and_tell(settings: Settings, installation: Installation, *, recheck: bool = False) -> None:
    """Build the index and say what was done; Ctrl-C or SIGTERM ends it with a sentence."""
    from mapsi.pictures.copying import RecheckSchedule
    from mapsi.search.building import build as build_now

    try:
        if recheck:
            installation.catalog.pictures.recheck()
        schedule = RecheckSchedule(every=timedelta(days=settings.picture_days))
        threads = settings.model_threads
        report = build_now(
            installation, bar, schedule=schedule, threads=threads, patience=PATIENCE, waiting=tell_waiting
        )
        _tell(report, installation.catalog.pictures.faults(0)[0] - report.copies.failed_count)
    except KeyboardInterrupt:
        click.echo("\nStopped. What was copied and read is kept: `mapsi index build` continues from there.", err=True)
        sys.exit(INTERRUPTED)


def tell_waiting() -> None:
    """Say why nothing seems to happen."""
    click.echo("Another process is building the index; waiting for it.", err=True)


def _tell(report: BuildReport, resting: int) -> None:
    copies, reading = report.copies, report.index.reading
    _tell_failures(copies.failed + reading.failed, copies.failed_count + len(reading.failed))
    click.echo(f"Pictures: {_told_copies(copies)}.")
    click.echo(f"{_told_reading(report.index)}; {report.index.indexed:,} offers can be found by a photo.")
    if resting > 0:
        click.echo(
            f"{resting:,} more could not be fetched last time; they are tried again later, or now with --recheck.",
            err=True,
        )
    if reading.lost:
        click.echo(f"{reading.lost} stored pictures are lost; `mapsi index build` fetches them again.", err=True)


def _tell_failures(failed: tuple[tuple[str, str], ...], count: int) -> None:
    for image, reason in failed[:SHOWN_FAILURES]:
        click.echo(f"  picture {image}: {reason}", err=True)
    if count > SHOWN_FAILURES:
        click.echo(f"  and {count - SHOWN_FAILURES:,} more", err=True)


def _told_copies(copies: CopyReport) -> str:
    said = [f"{copies.copied:,} copied", f"{copies.changed:,} changed", f"{copies.failed_count:,} failed"]
    if copies.unchanged:
        said.append(f"{copies.unchanged:,} looked at again and unchanged")
    if copies.linked:
        said.append(f"{copies.linked:,} of them only linked")
    if copies.waiting:
        said.append(f"{copies.waiting:,} put off because their host asked to wait")
    return ", ".join(said)


def _told_reading(report: IndexReport) -> str:
    reading = report.reading
    rate = f" at {reading.rate:.0f} a second" if reading.read else ""
    return f"{reading.read:,} read by the model{rate}, {report.reused:,} had been read before"


@index.command()
def words() -> None:
    """Rebuild the index of words. It follows the catalogue by itself, and is built by itself where it is missing or
    damaged: this is for whoever restored a database or wants to be sure."""
    with open_stock(read_settings()) as catalog:
        click.echo(f"{catalog.listings.rebuild():,} products can be found by words.")


@index.command()
@click.option(
    "--days",
    default=30.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="How long an offer has to be gone before its picture is removed.",
)
@click.option("--dry-run", is_flag=True, help="Only list what would be removed.")
def prune(days: float, dry_run: bool) -> None:
    """Remove pictures of offers long gone, files that a kill left behind, readings of models no longer in use, and all
    but the latest 200 runs of each shop from the log."""
    from mapsi.search.pruning import prune as prune_now

    report = prune_now(open_installation(read_settings()), days=days, dry_run=dry_run)
    done = "would be removed" if dry_run else "removed"
    click.echo(f"{report.pictures:,} pictures {done}, {report.files:,} files ({report.bytes / 1e6:,.1f} MB).")
    if report.readings:
        click.echo(f"{report.readings:,} readings of earlier models removed.")
    if report.runs:
        click.echo(f"{report.runs:,} old runs removed from the history.")


COMMANDS = (index,)
