"""Servers side by side: a bystander beside 500 slow connections, twice the load that can be served, and SIGTERM.

    python benchmarks/bench_servers.py [--slow 500] [--seconds 4] [--servers ours waitress gunicorn granian]

The application is a small Flask one: ``/work`` takes some 20 ms of a core with the interpreter let go, as reading a
photo does; ``/light`` nothing. Others than ours have to be installed by hand (pip install waitress gunicorn granian);
each gets one process and eight threads. ``docs/decisions/0011-server.md`` keeps the table.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

THREADS = 8
APPLICATION = """
import zlib, random
from flask import Flask, request
NOISE = random.Random(1).randbytes(600_000)
app = Flask("probe")
app.config["MAX_CONTENT_LENGTH"] = 16_000_000

@app.route("/work", methods=["GET", "POST"])
def work():
    request.get_data()
    return str(len(zlib.compress(NOISE, 6)))

@app.get("/light")
def light():
    return "light"

@app.get("/healthz")
def health():
    return "ok"
"""

HERE = sys.executable
BIN = Path(HERE).parent
SERVERS = {
    "ours": [
        HERE,
        "-c",
        "import probe; from mapsi.web.server.serving import serve; serve(probe.app, '127.0.0.1', {port}, 8)",
    ],
    "waitress": [
        HERE,
        "-c",
        "import probe, waitress; waitress.serve(probe.app, host='127.0.0.1', port={port}, threads=8)",
    ],
    "gunicorn": [str(BIN / "gunicorn"), "-k", "gthread", "-w1", "--threads=8", "-b", "127.0.0.1:{port}", "probe:app"],
    "granian": [
        *(str(BIN / "granian"), "--interface", "wsgi", "--workers", "1", "--blocking-threads", "8"),
        *("--no-ws", "--host", "127.0.0.1", "--port", "{port}", "probe:app"),
    ],
}


@dataclass
class Tally:
    """What a load got: seconds of each answer by status, and how many connections were lost."""

    took: dict[int, list[float]]
    lost: int
    seconds: float

    def rate(self, status: int = 200) -> float:
        return len(self.took.get(status, ())) / self.seconds

    def slowest(self, status: int = 200, share: float = 0.95) -> float:
        kept = sorted(self.took.get(status, ()))
        return kept[min(len(kept) - 1, int(len(kept) * share))] if kept else float("nan")

    def middle(self) -> float:
        kept = self.took.get(200, ())
        return statistics.median(kept) if kept else float("nan")


@contextmanager
def running(name: str, folder: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    (folder / "probe.py").write_text(APPLICATION, "utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [word.format(port=port) for word in SERVERS[name]]
    paths = os.pathsep.join([str(folder), *[path for path in sys.path if path]])
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(words, cwd=folder, stdout=quiet, stderr=quiet, env={**os.environ, "PYTHONPATH": paths})
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        time.sleep(0.5)
        yield port, server
    finally:
        server.kill()
        server.wait()


async def ask(port: int, path: str, seconds: float = 30) -> int:
    """One request on a connection of its own; its status, 0 where none came."""
    writer = None
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read(-1)
        return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") and b"\r\n\r\n" in answer else 0
    except (OSError, TimeoutError):
        return 0
    finally:
        if writer is not None:
            writer.close()


async def load(port: int, path: str, clients: int, seconds: float) -> Tally:
    """``clients`` that each ask again as soon as they are answered; who is refused waits half a second."""
    took: dict[int, list[float]] = {}
    lost = 0
    end = time.monotonic() + seconds

    async def one() -> None:
        nonlocal lost
        while (begun := time.monotonic()) < end:
            status = await ask(port, path)
            if status:
                took.setdefault(status, []).append(time.monotonic() - begun)
            else:
                lost += 1
            if status != 200:
                await asyncio.sleep(0.5)

    await asyncio.gather(*(one() for _ in range(clients)))
    return Tally(took, lost, seconds)


SLOW = {
    "silent": (b"", b""),
    "slow head": (b"GET /light HTTP/1.1\r\nHost: a\r\nX-Long: ", b"a"),
    "slow body": (b"POST /work HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n", b"a"),
}


@asynccontextmanager
async def slow_ones(port: int, kind: str, count: int) -> AsyncIterator[None]:
    """``count`` connections of a kind that are opened again whenever they are dropped."""
    first, drop = SLOW[kind]

    async def one() -> None:
        while True:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(5):
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    writer.write(first)
                    while not reader.at_eof():
                        writer.write(drop)
                        await writer.drain()
                        with suppress(TimeoutError):
                            async with asyncio.timeout(1):
                                await reader.read(1)
                finally:
                    writer.close()
            await asyncio.sleep(0.2)

    tasks = [asyncio.create_task(one()) for _ in range(count)]
    await asyncio.sleep(2)
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def measure(port: int, server: subprocess.Popen[bytes], slow: int, seconds: float) -> dict[str, object]:
    figures: dict[str, object] = {}
    light = await load(port, "/light", 16, seconds)
    figures["light/s"] = round(light.rate())
    alone = await load(port, "/work", 1, seconds)
    figures["alone ms"] = round(alone.middle() * 1000)
    for kind in SLOW:
        async with slow_ones(port, kind, slow):
            beside = await load(port, "/work", 1, seconds)
        figures[f"beside {kind} ms"] = round(beside.middle() * 1000) if beside.took.get(200) else "shut out"
    best = await load(port, "/work", THREADS, seconds)
    over = await load(port, "/work", 250, seconds)
    figures["best/s"] = round(best.rate(), 1)
    figures["250 clients: served/s"] = round(over.rate(), 1)
    figures["served p95 s"] = round(over.slowest(), 2)
    figures["503 p95 ms"] = round(over.slowest(503) * 1000) if 503 in over.took else "none"
    figures["lost"] = over.lost
    figures["SIGTERM: answered of 40"] = await _stopped(port, server)
    return figures


async def _stopped(port: int, server: subprocess.Popen[bytes]) -> int:
    asked = [asyncio.create_task(ask(port, "/work")) for _ in range(40)]
    await asyncio.sleep(0.15)
    server.send_signal(signal.SIGTERM)
    return Counter(await asyncio.gather(*asked))[200]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slow", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--servers", nargs="*", default=list(SERVERS), choices=list(SERVERS))
    parser.add_argument("--folder", type=Path, default=Path("/tmp/mapsi-bench-servers"))
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    for name in asked.servers:
        with running(name, asked.folder) as (port, server):
            figures = asyncio.run(measure(port, server, asked.slow, asked.seconds))
        print(json.dumps({"server": name, **figures}), flush=True)


if __name__ == "__main__":
    main()
