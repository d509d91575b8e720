"""Jobs that wait for a worker: done once, by one worker, whoever is killed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from mapsi.catalog import Catalog
from mapsi.catalog.operations.jobs import LEASE, PAUSES, Job
from refreshing import Clock

INDEX, HARU = Job("index"), Job("refresh", "Haru 하루")


def test_a_job_wanted_twice_waits_once(catalog: Catalog) -> None:
    assert [catalog.jobs.put(INDEX), catalog.jobs.put(INDEX), catalog.jobs.put(HARU)] == [True, False, True]
    assert set(catalog.jobs.due()) == {INDEX, HARU}


def test_a_job_belongs_to_one_worker_and_is_gone_when_it_is_done(catalog: Catalog) -> None:
    catalog.jobs.put(HARU)
    claim = catalog.jobs.claim("one")
    assert claim is not None
    assert claim.job == HARU
    assert catalog.jobs.claim("two") is None
    assert catalog.jobs.claim("two", HARU) is None
    assert [waiting.worker for waiting in catalog.jobs.all()] == ["one"]
    catalog.jobs.finish(claim)
    assert catalog.jobs.all() == []


def test_many_workers_at_once_do_each_job_once(catalog: Catalog) -> None:
    jobs = [Job("refresh", f"shop {number}") for number in range(24)]
    for job in jobs:
        catalog.jobs.put(job)

    def take_all(worker: str) -> list[Job]:
        taken = []
        while any(not waiting.worker for waiting in catalog.jobs.all()):
            claim = catalog.jobs.claim(worker)
            if claim is not None:
                taken.append(claim.job)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [job for one in pool.map(take_all, "abcd") for job in one]
    assert sorted(taken, key=str) == sorted(jobs, key=str)


def test_a_job_that_is_wanted_while_it_is_done_is_done_again(catalog: Catalog) -> None:
    catalog.jobs.put(INDEX)
    claim = catalog.jobs.claim("one")
    assert claim is not None
    assert not catalog.jobs.put(INDEX)
    catalog.jobs.finish(claim)
    assert catalog.jobs.due() == [INDEX]


def test_the_job_of_a_worker_that_says_nothing_more_is_taken_by_another(catalog: Catalog, clock: Clock) -> None:
    catalog.jobs.put(INDEX)
    dead = catalog.jobs.claim("dead")
    assert dead is not None
    clock.advance(LEASE / 2)
    assert catalog.jobs.renew(dead)
    clock.advance(LEASE * 0.9)
    assert catalog.jobs.claim("two") is None
    clock.advance(LEASE)
    living = catalog.jobs.claim("two")
    assert living is not None
    assert not catalog.jobs.renew(dead)
    catalog.jobs.finish(dead)
    assert [waiting.worker for waiting in catalog.jobs.all()] == ["two"], "who lost a job cannot end it"


def test_a_job_that_goes_wrong_waits_longer_each_time_and_is_given_up(catalog: Catalog, clock: Clock) -> None:
    catalog.jobs.put(HARU)
    for pause in PAUSES:
        claim = catalog.jobs.claim("one")
        assert claim is not None
        assert catalog.jobs.fail(claim, "The shop does not answer.")
        assert [waiting.reason for waiting in catalog.jobs.all()] == ["The shop does not answer."]
        clock.advance(pause - timedelta(seconds=1))
        assert catalog.jobs.claim("one") is None
        clock.advance(timedelta(seconds=1))
    last = catalog.jobs.claim("one")
    assert last is not None
    assert not catalog.jobs.fail(last, "The shop does not answer.")
    assert catalog.jobs.all() == []


def test_who_wants_a_job_that_waits_out_a_pause_gets_it_now(catalog: Catalog) -> None:
    catalog.jobs.put(HARU)
    claim = catalog.jobs.claim("one")
    assert claim is not None
    catalog.jobs.fail(claim, "The shop does not answer.")
    assert catalog.jobs.due() == []
    catalog.jobs.put(HARU)
    assert catalog.jobs.due() == [HARU]


def test_a_job_that_was_released_can_be_taken_at_once(catalog: Catalog) -> None:
    catalog.jobs.put(HARU)
    claim = catalog.jobs.claim("one")
    assert claim is not None
    catalog.jobs.release(claim)
    assert catalog.jobs.claim("two") is not None


def test_workers_are_known_while_they_are_seen(catalog: Catalog, clock: Clock) -> None:
    catalog.jobs.note_worker("one")
    clock.advance(LEASE / 2)
    catalog.jobs.note_worker("two")
    assert catalog.jobs.workers() == ["one", "two"]
    clock.advance(LEASE * 0.75)
    assert catalog.jobs.workers() == ["two"]


def test_queries_that_found_nothing_are_counted_and_bounded(catalog: Catalog, clock: Clock) -> None:
    for text in ("노란  우산", "Yellow Umbrella", "yellow umbrella ", "   ", "x" * 400):
        catalog.searches.note(text, 0)
        clock.advance(timedelta(seconds=1))
    found = catalog.searches.unanswered()
    assert [(one.words[:20], one.times) for one in found] == [("yellow umbrella", 2), ("x" * 20, 1), ("노란 우산", 1)]
