"""``mapsi collect``: photos for the classes of a taxonomy, from sources that you name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Never

import click

from mapsi import __version__
from mapsi.cli.review import review
from mapsi.errors import INTERRUPTED, UsageError
from mapsi.imaging import PhotoLimits
from mapsi.settings import Settings, read_settings
from mapsi.taxonomy import Axis, Class, Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from tqdm import tqdm

    from mapsi.collect.harvest.harvest import Order
    from mapsi.collect.harvest.report import ClassReport
    from mapsi.remote import Fetcher


@click.group(invoke_without_command=True)
@click.option(
    "--taxonomy", "taxonomy_name", default="paper17", show_default=True, help="A shipped taxonomy, or a TOML file."
)
@click.option("--axis", "axis_name", help="The axis whose classes are collected, where the taxonomy has several.")
@click.option(
    "--source", "asked", multiple=True, metavar="SOURCE", help="See `mapsi collect sources`; may be repeated."
)
@click.option("--per-class", default=300, show_default=True, type=click.IntRange(1, 100_000), help="Photos per class.")
@click.option(
    "--into", "folder", type=click.Path(path_type=Path), help="Folder to fill; one already begun is continued."
)
@click.option("--class", "slugs", multiple=True, metavar="SLUG", help="Only this class; may be repeated.")
@click.option(
    "--min-side", default=200, show_default=True, type=click.IntRange(16, 10_000), help="Pixels of the shorter side."
)
@click.option(
    "--language", "languages", multiple=True, type=click.Choice(["ko", "en"]), help="Search words; both by default."
)
@click.option("--failed-again", is_flag=True, help="Retry the photos that failed to arrive in an earlier run.")
@click.option(
    "--downloads", default=8, show_default=True, type=click.IntRange(1, 64), help="How many hosts to ask at once."
)
@click.pass_context
def collect(
    context: click.Context,
    taxonomy_name: str,
    axis_name: str | None,
    asked: tuple[str, ...],
    per_class: int,
    folder: Path | None,
    slugs: tuple[str, ...],
    min_side: int,
    languages: tuple[str, ...],
    failed_again: bool,
    downloads: int,
) -> None:
    """Collect photos for each class from the sources named, in turn, into FOLDER/CLASS/*.jpg.

    \b
    mapsi collect --source openverse --source commons --per-class 300 --into photos

    Stopped at any moment, running the same command again continues from there. What became of each photo is in
    ledger.jsonl, the labels in labels.csv. A class that ends with fewer photos than asked says why; one without any is
    an error.
    """
    if context.invoked_subcommand is not None:
        return
    from mapsi.collect.harvest.harvest import Order

    if folder is None or not asked:
        raise UsageError(
            "Nothing says where to collect from, or which folder to fill.",
            "Give --source at least once, and --into FOLDER; `mapsi collect sources` lists the sources.",
        )
    axis = _axis(load_taxonomy([taxonomy_name]), axis_name)
    classes = [axis.find(slug) for slug in slugs] or list(axis.classes)
    order = Order(
        per_class=per_class, languages=languages or ("ko", "en"), failed_again=failed_again, threads=downloads
    )
    _collect(read_settings(), folder, axis, classes, asked, order, min_side)


def _axis(taxonomy: Taxonomy, name: str | None) -> Axis:
    if name is not None:
        return taxonomy.find(name)
    if len(taxonomy.axes) > 1:
        raise UsageError("The taxonomy has several axes.", f"Name one with --axis: {', '.join(taxonomy.axes)}.")
    return next(iter(taxonomy.axes.values()))


def _collect(
    settings: Settings,
    folder: Path,
    axis: Axis,
    classes: Sequence[Class],
    asked: Sequence[str],
    order: Order,
    min_side: int,
) -> None:
    from mapsi.collect.harvest.filing import held
    from mapsi.collect.harvest.harvest import collect as run_collection
    from mapsi.collect.harvest.harvest import open_tools, refuse_nothing
    from mapsi.collect.harvest.screening import Screen
    from mapsi.collect.harvest.visit import Visitor
    from mapsi.collect.pace import SystemClock
    from mapsi.collect.source import Remarking
    from mapsi.collect.sources.parts import SourceParts
    from mapsi.collect.sources.sources import open_source

    clock, fetcher, bars = SystemClock(), _fetcher(settings), _Bars()
    visitor = Visitor(fetcher, clock, Screen(PhotoLimits.of(settings), min_side), settings.fetch_seconds)
    with held(folder) as inner:
        parts = SourceParts(settings, fetcher, clock, inner)
        sources = [open_source(text, parts) for text in dict.fromkeys(asked)]
        for source in sources:
            for sentence in source.remarks(axis) if isinstance(source, Remarking) else ():
                click.echo(f"{source.name}: {sentence}", err=True)
        try:
            with open_tools(folder, axis, sources, visitor, clock, order) as tools:
                reports = run_collection(folder, classes, tools, bars)
        except KeyboardInterrupt:
            click.echo("\nStopped. Run the same command again to continue.", err=True)
            sys.exit(INTERRUPTED)
        finally:
            bars.close()
    _tell(folder, reports)
    refuse_nothing(reports)


def _fetcher(settings: Settings) -> Fetcher:
    """One that says whom to write to, where the operator has told."""
    from mapsi.remote import Fetcher
    from mapsi.remote.fetcher import USER_AGENT

    contact = settings.collect_contact
    user_agent = f"mapsi/{__version__} ({contact})" if contact else USER_AGENT
    return Fetcher(allow_hosts=settings.allow_hosts, user_agent=user_agent)


class _Bars:
    """A bar per class on a terminal; a line per class where there is none."""

    def __init__(self) -> None:
        self._bar: tqdm[Never] | None = None

    def begin(self, cls: Class, has: int, asked: int) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=asked, initial=min(has, asked), desc=cls.slug, disable=None, unit="")

    def kept(self) -> None:
        if self._bar is not None:
            self._bar.update(1)

    def end(self, report: ClassReport) -> None:
        self.close()
        if not sys.stderr.isatty():
            click.echo(f"{report.slug}: {report.has} of {report.asked}", err=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _tell(folder: Path, reports: Sequence[ClassReport]) -> None:
    from mapsi.collect.harvest.report import table

    click.echo(table(reports))
    for report in reports:
        if report.is_short:
            click.echo("\n".join(report.why()), err=True)
    if any(report.has for report in reports):
        click.echo(f"The photos, ledger.jsonl, labels.csv and report.json are in {folder}.")


@collect.command()
def sources() -> None:
    """List the sources, what each needs, and what its terms allow."""
    from mapsi.collect.sources.sources import SOURCES

    for name, kind in SOURCES.items():
        click.echo(f"{name}: {kind.about}.\n  Needs: {kind.needs}.\n  Terms: {kind.terms}")
    click.echo("FILE.py: a source of your own; docs/collect.md shows one.")


@collect.command(name="credits")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    type=click.Choice(["text", "csv", "html"]),
    help="What to print.",
)
def print_credits(folder: Path, form: str) -> None:
    """Print who made the photos in FOLDER and under which licence, a line per photo."""
    from mapsi.collect.harvest.credits import FORMATS, credited

    click.echo(FORMATS[form](credited(folder)), nl=False)


collect.add_command(review)

COMMANDS: tuple[click.Command, ...] = (collect,)
