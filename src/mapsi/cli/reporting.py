"""Sources, refreshes and runs in the words of the command line."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mapsi.catalog.offer import BrokenRow
    from mapsi.catalog.records import ImportReport, Preview, PriceChange, RunRecord, ShopStatus, SourceRecord
    from mapsi.refresh.refreshing import RefreshReport

SHOWN_ROWS = 20
_UNIT_NAMES = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def tell_refresh(report: RefreshReport) -> None:
    """What a refresh did, and what to do where it held the feed back."""
    name, run = report.source.name, report.run
    match run.state:
        case "unchanged":
            click.echo(f"{name}: unchanged since the last refresh.")
        case "held":
            click.echo(f"{name}: {run.reason}", err=True)
            for line in _told_ways_out(name):
                click.echo(f"  {line}", err=True)
        case _:
            click.echo(f"{name}: {describe_counts(run)}, {describe_skipped(run.broken_count)}.")
            if run.reason:
                click.echo(f"  {run.reason}")
    tell_broken(run.broken, run.broken_count)
    if report.calls_left is not None:
        click.echo(f"  {report.calls_left:,} calls are left today.")


def _told_ways_out(name: str) -> tuple[str, str]:
    """What a person can do about a feed that is held back."""
    return (
        f"Look at it: mapsi catalog refresh {quoted(name)} --dry-run",
        f"Import it:  mapsi catalog refresh {quoted(name)} --accept",
    )


def describe_counts(run: ImportReport) -> str:
    """What became of the offers."""
    return f"{run.new:,} new, {run.changed:,} changed, {run.unchanged:,} unchanged, {run.gone:,} gone"


def describe_skipped(count: int) -> str:
    """How many rows were skipped."""
    return f"{count:,} row{'' if count == 1 else 's'} skipped"


def tell_broken(broken: Iterable[BrokenRow], count: int) -> None:
    """The first rows that were skipped or taken in part, each with its line and why; ``count`` are skipped in all."""
    rows = list(broken)
    shown, count = rows[:SHOWN_ROWS], count + sum(row.taken for row in rows)
    for row in shown:
        click.echo(f"  line {row.line}: {row.reason}" if row.line else f"  {row.reason}", err=True)
    if count > len(shown):
        click.echo(f"  and {count - len(shown):,} more", err=True)


def tell_previews(source: SourceRecord, previews: Iterable[Preview]) -> None:
    """What a refresh would do, with examples."""
    told = False
    for preview in previews:
        told = True
        click.echo(
            f"{source.name}: {preview.new:,} would be new, {preview.repriced:,} would change in price, "
            f"{preview.changed:,} in something else, {preview.gone:,} would be gone; {preview.unchanged:,} would stay "
            f"as they are and {preview.broken_count:,} rows would be skipped. Nothing was changed."
        )
        for label, examples in (
            ("new", preview.new_examples),
            ("price", [_told_price(change) for change in preview.price_examples]),
            ("changed", preview.changed_examples),
            ("gone", preview.gone_examples),
        ):
            for example in examples:
                click.echo(f"  {label:8} {example}")
        if preview.held:
            click.echo(f"  A refresh would hold it back: {preview.held}")
        tell_broken(preview.broken, preview.broken_count)
    if not told:
        click.echo(f"{source.name}: nothing new; a refresh would change nothing.")


def _told_price(change: PriceChange) -> str:
    return f"{change.title}: {change.old:,f} {change.old_currency} -> {change.new:,f} {change.new_currency}"


def tell_shop(shop: ShopStatus, left: int | None) -> None:
    """A source, or a shop that came by imports alone; ``left`` are the calls that its provider allows today."""
    where = f"{shop.source.format}, {shop.source.address}" if shop.source else "imported by hand"
    click.echo(f"\n{shop.title} ({where})")
    click.echo(f"    {shop.shown:,} offers shown, {shop.living:,} living, {shop.gone:,} gone")
    click.echo(f"    {_told_run(shop.last_import) if shop.last_import else 'never refreshed'}")
    if shop.source and shop.last_import and shop.last_import.state == "held":
        for line in _told_ways_out(shop.source.name):
            click.echo(f"    {line}")
    if shop.living and shop.expires is not None:
        click.echo(f"    without another refresh its offers are shown until {_told_time(shop.expires)}")
    if left is not None:
        click.echo(f"    {left:,} calls are left today")


def _told_run(run: RunRecord) -> str:
    if run.state == "running":
        return f"has been refreshing since {_told_time(run.started)}"
    told = f"last run {_told_time(run.started)}: {run.state}"
    if run.state in ("done", "partial"):
        told += f", {run.new:,} new, {run.changed:,} changed, {run.unchanged:,} unchanged, {run.gone:,} gone"
    if run.broken or run.faults:
        first = run.faults[0] if run.faults else None
        told += f", {describe_skipped(run.broken)}" + (f" (line {first.line}: {first.reason})" if first else "")
    return f"{told}\n    {run.reason}" if run.reason else told


def _told_time(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M %Z}"


def describe_schedule(source: SourceRecord) -> str:
    """How often a source is refreshed and how long its offers live, as a sentence."""
    often = f"It is refreshed every {_told_duration(source.every)}" if source.every else "It is refreshed by hand"
    if source.time_to_live is None:
        return f"{often}; its offers do not expire."
    return f"{often}; its offers are shown for {_told_duration(source.time_to_live)} after that."


def _told_duration(duration: timedelta) -> str:
    seconds = round(duration.total_seconds())
    name, unit = next((name, unit) for name, unit in _UNIT_NAMES if seconds % unit == 0)
    count = seconds // unit
    return f"{count} {name}" + ("" if count == 1 else "s")


def quoted(name: str) -> str:
    """A name as it can be typed into a shell."""
    return shlex.quote(name)


def source_document(source: SourceRecord) -> dict[str, object]:
    """A source as JSON; durations in seconds."""
    return {
        "name": source.name,
        "shop": source.shop,
        "shop_name": source.shop_name,
        "format": source.format,
        "at": source.address,
        "every": None if source.every is None else round(source.every.total_seconds()),
        "time_to_live": None if source.time_to_live is None else round(source.time_to_live.total_seconds()),
        "shrink": source.shrink,
    }
