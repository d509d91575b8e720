"""``mapsi worker``: refreshes on a schedule, and the jobs they bring about."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

import click

from mapsi.cli.opening import open_installation, open_stock, refresh_services
from mapsi.cli.waiting import when_there
from mapsi.errors import SettingError
from mapsi.memory import give_freed_memory_back
from mapsi.progress import no_progress
from mapsi.settings import Settings, read_settings
from mapsi.taxonomy import load_taxonomy

if TYPE_CHECKING:
    from mapsi.catalog import Catalog
    from mapsi.work.performing import JobActions

BROKERS = ("redis", "rediss", "amqp", "amqps")


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now and exit, for a cron job or a timer.")
def worker(once: bool) -> None:
    """Refresh the sources by their times (sources add --every), keep pictures and index up to date.

    Works in this process, or off a queue where MAPSI_QUEUE names a broker (redis://... or amqp://...); any number of
    workers, on one machine or several, share the work. A job of a worker that was killed is taken by another one.
    SIGTERM or Ctrl-C ends it after the job at hand; a second one ends it at once, and nothing that was finished is
    lost. A database that does not answer yet is waited for, except with --once.
    """
    give_freed_memory_back()
    settings = read_settings()
    broker = broker_address(settings)
    opening = partial(open_stock, settings)
    with opening() if once else when_there(opening, _say) as catalog:
        actions = job_actions(settings, catalog)
        if broker and not once:
            from mapsi.work.celery_worker import make_app, work

            click.echo(_stamped("working through the queue; Ctrl-C stops it"))
            work(make_app(broker), catalog, actions, _say)
        else:
            _work_here(catalog, actions, once)


def broker_address(settings: Settings) -> str:
    """The broker's address, empty where there is none; raises :class:`SettingError` for one of no kind we know."""
    address = settings.queue.reveal()
    if address and address.partition("://")[0] not in BROKERS:
        raise SettingError(
            "MAPSI_QUEUE is not the address of a broker.",
            "Give redis://HOST:6379/0 or amqp://USER:PASSWORD@HOST, or leave it out.",
        )
    return address


def _work_here(catalog: Catalog, actions: JobActions, once: bool) -> None:
    from mapsi.work.worker import Worker

    made = Worker(catalog, actions, _say)

    def stop(number: int, frame: FrameType | None) -> None:
        if made.stop.is_set():
            raise KeyboardInterrupt
        _say("stopping after the current job; press again to stop at once")
        made.stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if once:
        done = made.run_once()
        _say(f"{done} jobs done")
        return
    _say("working; Ctrl-C stops it")
    made.run()


def job_actions(settings: Settings, catalog: Catalog) -> JobActions:
    """What each job does, by the settings. The model is opened again for every job: another may have been chosen."""
    from mapsi.cli.accounts import email_writer
    from mapsi.mailing import read_mail_server
    from mapsi.pictures.copying import RecheckSchedule
    from mapsi.refresh.refreshing import preview_source, refresh_source
    from mapsi.search.building import build
    from mapsi.search.pruning import prune
    from mapsi.work.emails import send_emails
    from mapsi.work.performing import JobActions
    from mapsi.work.price_drops import ask_for_emails

    services, taxonomy = refresh_services(settings), load_taxonomy(settings.taxonomy)

    def take(name: str, *, accept: bool) -> bool:
        run = refresh_source(catalog, catalog.sources.find(name), services, taxonomy, accept=accept).run
        counts = f"{run.new} new, {run.changed} changed, {run.gone} gone, {run.broken_count} rows skipped"
        _say(f"{name}: {run.state}, {counts}. {run.reason}".rstrip())
        return bool(run.new or run.changed or run.gone)

    def index() -> None:
        every = RecheckSchedule(every=timedelta(days=settings.picture_days))
        built = build(open_installation(settings), no_progress, schedule=every, threads=settings.model_threads)
        _say(
            f"index: {built.copies.copied} pictures copied, {built.copies.failed_count} failed, "
            f"{built.index.reading.read} read, "
            f"{built.index.indexed} offers can be found by a photo"
        )

    def prune_now() -> None:
        pruned = prune(open_installation(settings))
        _say(f"prune: {pruned.pictures} pictures, {pruned.files} files and {pruned.runs} old runs removed")

    def preview(name: str) -> None:
        source = catalog.sources.find(name)
        catalog.previews.keep(source, preview_source(catalog, source, services, taxonomy))

    def mail() -> None:
        if settings.smtp:
            ask_for_emails(catalog)
        else:
            if catalog.emails.waiting(1):
                _say("mail: emails are waiting, but MAPSI_SMTP names no server; `mapsi accounts emails` prints them")
            return
        if not (settings.public_url and settings.mail_from):
            raise SettingError("Emails need MAPSI_PUBLIC_URL and MAPSI_MAIL_FROM.", "Set both beside MAPSI_SMTP.")
        server, writer = read_mail_server(settings.smtp.reveal()), email_writer(settings, catalog)
        _say(f"mail: {send_emails(catalog, server, writer.write, _say)} emails sent")

    return JobActions(
        refresh=partial(take, accept=False),
        accept=partial(take, accept=True),
        index=index,
        prune=prune_now,
        mail=mail,
        preview=preview,
    )


def _say(text: str) -> None:
    click.echo(_stamped(text))


def _stamped(text: str) -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}"


COMMANDS = (worker,)
