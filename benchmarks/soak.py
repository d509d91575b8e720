"""Serve for a long time under mixed load, with refreshes and kills, and say whether memory stays flat.

    python benchmarks/soak.py [--minutes 120] [--seed 20] [--keep]

A sample shop of its own is served on loopback. Four clients ask without a pause for answers to photos, by the API and
on pages (usual ones, damaged ones and bombs), words, pages and products; beside them a feed with other prices is
refreshed again and again, and every other refresh is killed. ``--keep`` writes what came of it to docs/reliability.md.
Ends with 1 where an answer was 5xx (but 503 for a full queue) or 409, none came within the time that the server gives a
request, a refresh failed, there were more than 64 threads, or memory grew by more than a tenth from the second tenth of
the time to the last.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from attack import made_by, write_below

from attacked import Target, attackable
from attacking import hostile_pictures, search_by
from refreshing import feed
from small_house import photo_bytes, photo_form

MARK = "<!-- written by benchmarks/soak.py --keep -->"
CLIENTS = 4
EVERY = 5.0  # seconds between two looks at the memory
ALLOWED = 1.1  # times the memory of the second tenth
MOST_THREADS = 64  # a service keeps about fifteen
PATIENCE = 65.0  # seconds: after 60 the server ends a request
FULL = b"more requests than can be answered"
SHIRT = "%EC%85%94%EC%B8%A0"
PAGES = (
    *("/", "/healthz", "/search?q=knit", f"/search?q={SHIRT}&sort=price-up"),
    *("/product/{}", "/api/v1/products/{}", "/pictures/{}.webp"),
)


@dataclass
class Soak:
    """What came of it so far: answers by status, refreshes by how they ended, memory in bytes, the most threads."""

    target: Target
    home: Path
    until: float
    answers: Counter[str] = field(default_factory=Counter)
    refreshes: Counter[str] = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)
    threads: int = 0
    waits: list[tuple[float, str]] = field(default_factory=list)

    def ask(self, chance: random.Random) -> None:
        """One client."""
        bombs, photo = hostile_pictures(), photo_bytes()
        token, cookie = self.target.visit()
        while time.monotonic() < self.until:
            began = time.monotonic()
            if chance.random() < 0.5:
                data = bytearray(chance.choice(bombs) if chance.random() < 0.1 else photo)
                if data and chance.random() < 0.3:
                    data[chance.randrange(len(data))] ^= 255
                what, form = "a photo", photo_form(bytes(data), csrf_token=token)
                path = chance.choice(("/api/v1/search/image", "/search/photo"))
                status, body, _ = self.target.ask(
                    "POST", path, form["data"], Content_Type=form["content_type"], Cookie=cookie
                )
                if status == 303:
                    what = "a photo's page"
                    status, body, _ = self.target.ask("GET", re.findall(r"/photo/[\w-]+", body.decode())[0])
            else:
                what = chance.choice(PAGES)
                status, body, _ = self.target.ask("GET", what.format(chance.randint(1, 60)))
            full = status == 503 and FULL in body
            told = "none" if status is None else f"{status} for a full queue" if full else str(status)
            self.answers[told] += 1
            self.waits.append((time.monotonic() - began, what))
            if self.is_fault(told):
                print(f"{time.strftime('%H:%M:%S')} {what}: {told}, {body[:2000]!r}", file=sys.stderr, flush=True)

    @staticmethod
    def is_fault(told: str) -> bool:
        return told in ("none", "409") or (told >= "5" and "full" not in told)

    def refresh(self, chance: random.Random) -> None:
        """Refreshes, of which every other one is killed somewhere."""
        source = self.home / "feed.csv"
        environment = {**os.environ, "MAPSI_HOME": str(self.home / "demo")}
        mapsi = [sys.executable, "-m", "mapsi", "catalog"]
        source.write_text(feed(range(300), 1000), "utf-8")
        adding = [*mapsi, "sources", "add", "soaked", "--format", "csv", "--at", str(source)]
        subprocess.run(adding, env=environment, check=True, capture_output=True)
        price = 1000
        while time.monotonic() < self.until:
            price += 10
            source.write_text(feed(range(300), price), "utf-8")
            refreshing = [*mapsi, "refresh", "soaked", "--no-index"]
            with subprocess.Popen(refreshing, env=environment, stdout=subprocess.DEVNULL) as run:
                if price % 20:
                    time.sleep(chance.uniform(0, 8))
                    run.kill()
            self.refreshes["killed" if run.returncode == -9 else f"exit {run.returncode}"] += 1
            time.sleep(2)

    def look(self) -> None:
        while time.monotonic() < self.until:
            self.memory.append(self.target.memory("VmRSS"))
            self.threads = max(self.threads, len(list(Path(f"/proc/{self.target.process.pid}/task").iterdir())))
            time.sleep(EVERY)

    @property
    def tenths(self) -> list[float]:
        """The median memory of each tenth of the time."""
        bounds = [len(self.memory) * tenth // 10 for tenth in range(11)]
        return [statistics.median(self.memory[begin:end] or self.memory) for begin, end in pairwise(bounds)]

    @property
    def faults(self) -> int:
        bad = sum(count for told, count in self.answers.items() if self.is_fault(told))
        failed = sum(count for end, count in self.refreshes.items() if end not in ("exit 0", "killed"))
        return bad + failed + (self.tenths[-1] > ALLOWED * self.tenths[1]) + (self.threads > MOST_THREADS)

    def told(self) -> str:
        waits = sorted(self.waits)
        rows = {
            "requests": f"{self.answers.total():,}",
            "answers": ", ".join(f"{count:,} x {status}" for status, count in sorted(self.answers.items())),
            "refreshes": ", ".join(f"{count} {end}" for end, count in self.refreshes.items()),
            "memory, tenth by tenth": f"{', '.join(f'{each / 1e6:.0f}' for each in self.tenths)} MB; at most "
            f"{max(self.memory) / 1e6:.0f}",
            "threads": f"{self.threads} at most",
            "wait": f"{waits[len(waits) // 2][0]:.2f} s median, {waits[-1 - len(waits) // 100][0]:.1f} s for one in a "
            f"hundred, {waits[-1][0]:.1f} s at most ({waits[-1][1]})",
        }
        return "| | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows.items())


def fill(target: Target) -> None:
    """Have every thread of the server read photos at once, for some seconds: the network's memory grows with as many as
    ever ran at once, 20 MB each, and is not given back (without that, a run takes 45 % more processor time)."""
    with ThreadPoolExecutor(16) as askers:
        list(askers.map(lambda _: search_by(target, photo_bytes()), range(160)))


def soak(home: Path, minutes: float, seed: int) -> Soak:
    with attackable(home, "demo", patience=600) as target:
        fill(target)
        one = Soak(replace(target, patience=PATIENCE), home, time.monotonic() + 60 * minutes)
        clients = [threading.Thread(target=one.ask, args=(random.Random(seed + n),)) for n in range(CLIENTS)]
        threads = [
            *clients,
            threading.Thread(target=one.refresh, args=(random.Random(seed),)),
            threading.Thread(target=one.look),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return one


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as home:
        done = soak(Path(home), arguments.minutes, arguments.seed)
    told = f"{done.told()}\n{made_by(time.monotonic() - began)}"
    print(told)
    if arguments.keep:
        write_below(MARK, told)
    return int(done.faults > 0)


if __name__ == "__main__":
    sys.exit(main())
