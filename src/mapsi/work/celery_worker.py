"""The same work over Celery: jobs are handed out by Redis or RabbitMQ to workers on any number of machines.

The catalogue's own queue stays the record of what is wanted: a message only says that a job waits. So a message lost
with a broker, or delivered twice, costs nothing; a job of a killed worker is taken by the next one as soon as its lease
has run out, whatever the broker's own time for redelivery.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

from celery import Celery
from celery.signals import worker_shutting_down
from kombu.exceptions import OperationalError

from mapsi.catalog import Catalog
from mapsi.catalog.operations.jobs import Job
from mapsi.errors import MapsiError, RemoteError
from mapsi.work.crew import Crew
from mapsi.work.performing import JobActions, Say, worker_name
from mapsi.work.schedule import Schedule

QUEUE = "mapsi"
TASK = "mapsi.job"
TICK = 5.0
RESEND = 30.0
"""Seconds after which a job that still waits is announced again: its message may be lost."""


def make_app(broker: str) -> Celery:
    """A Celery application of one queue; raises nothing until the broker is needed."""
    app = Celery("mapsi", broker=broker)
    app.conf.update(
        task_default_queue=QUEUE,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # as the database: waited for until somebody ends it
        broker_transport_options={"visibility_timeout": 3600},
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    return app


def announce(app: Celery, job: Job) -> None:
    """Tell the workers that a job waits; raises :class:`RemoteError` where the broker cannot be reached."""
    try:
        app.send_task(TASK, args=[job.kind, job.argument], retry=False)
    except OperationalError as error:
        raise RemoteError("The queue's broker cannot be reached.", "Check MAPSI_QUEUE and the broker.") from error


def work(
    app: Celery, catalog: Catalog, actions: JobActions, say: Say, *, ready: Callable[[], object] = lambda: None
) -> None:
    """Work through the queue until a signal ends it; a job in progress is finished, one that waits for a server is
    given back.

    One job at a time works: start more workers for more. A thread beside asks for what is due and announces it.
    """
    name, over, crew = worker_name(), Event(), Crew(catalog, actions, say)

    @app.task(name=TASK)
    def do_job(kind: Any, argument: str) -> None:
        while kind in crew.not_now:
            crew.wait(TICK)
        try:
            claim = catalog.jobs.claim(name, Job(kind, argument))
            if claim is not None:
                crew.do(claim)
        except MapsiError as error:  # the database is gone; once it is back, the job is announced again
            say(str(error))

    def shutting_down(**_: object) -> None:
        over.set()

    worker_shutting_down.connect(shutting_down)
    beside = Thread(target=_announce_due, args=(app, catalog, name, over, say), name="schedule", daemon=True)
    beside.start()
    ready()
    try:
        app.Worker(pool="solo", concurrency=1, loglevel=logging.WARNING, hostname=f"{name}@mapsi").start()
    finally:
        over.set()
        crew.close()
        beside.join(timeout=2 * TICK)
        worker_shutting_down.disconnect(shutting_down)


def _announce_due(app: Celery, catalog: Catalog, name: str, over: Event, say: Say) -> None:
    schedule, announced, told = Schedule(catalog), dict[Job, datetime](), ""
    while not over.is_set():
        now = datetime.now(UTC)
        try:
            catalog.jobs.note_worker(name)
            schedule.ask(now)
            waiting = catalog.jobs.due()
            announced = {job: at for job, at in announced.items() if job in waiting}
            for job in waiting:
                if job not in announced or (now - announced[job]).total_seconds() >= RESEND:
                    announce(app, job)
                    announced[job] = now
            told = ""
        except MapsiError as error:
            if str(error) != told:
                told = str(error)
                say(told)
        over.wait(TICK)
