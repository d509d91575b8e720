"""Searches by photo side by side: the paper's design, mapsi on SQLite and on MariaDB, and the bare network as the
limit.

    make bench                                     the short form: 8 clients, JPEG; about four minutes
    make bench ARGS=--full                         1, 8, 32, 128 clients; JPEG, PNG, WebP; about an hour

All targets hold the same catalogue: the sample shop's products, repeated. Each round asks every target in turn, so that
a noisy machine is noisy for all; the table has medians of the rounds and ratios within them. wrk (Debian) posts one
photo, again and again. Writes docs/performance.md and benchmarks/serving.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image, ImageFilter

from mapsi.cores import cores
from mapsi.infer import Model
from mapsi.sample.shop import shipped_feed

ROOT = Path(__file__).parents[1]
PAGE, FIGURES = ROOT / "docs" / "performance.md", ROOT / "benchmarks" / "serving.json"
LONGER = {"0.3": 1, "3": 1.5, "12": 5}
"""How many times the seconds of a round a photo of so many megapixels is asked for: the slowest target answers some."""

SIZES = {"0.3": (640, 480), "3": (2000, 1500), "12": (4000, 3000)}
KINDS = {"jpeg": {"format": "JPEG", "quality": 90}, "png": {"format": "PNG"}, "webp": {"format": "WEBP", "quality": 85}}
PAPER, SQLITE, MARIADB, BARE = "paper", "mapsi, SQLite", "mapsi, MariaDB", "the network alone"

WRK = """
local body = io.open("{body}", "rb"):read("*a")
wrk.method = "POST"
wrk.body = body
wrk.headers["Content-Type"] = "multipart/form-data; boundary=cut"
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "FIGURES {{\\"requests\\": %d, \\"seconds\\": %f, \\"p50\\": %f, \\"p95\\": %f, \\"refused\\": %d, \\"lost\\": %d}}\\n",
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(95) / 1e6,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""  # noqa: E501


@dataclass(frozen=True)
class Case:
    """A photo of ``megapixels`` in a format, asked for by so many ``clients``."""

    megapixels: str
    kind: str
    clients: int

    def __str__(self) -> str:
        return f"{self.megapixels} MP {self.kind.upper()}, {self.clients} clients"


SHORT = [Case(size, "jpeg", 8) for size in SIZES]
FULL = [
    *(Case(size, "jpeg", clients) for clients in (1, 8, 32, 128) for size in SIZES),
    *(Case(size, kind, 8) for kind in ("png", "webp") for size in SIZES),
]


def write_photo(folder: Path, case: Case) -> Path:
    """The body of a form with a sample picture, as large as asked and with a camera's grain."""
    file = folder / f"{case.megapixels}.{case.kind}.body"
    if not file.exists():
        picture = Image.open(sorted((shipped_feed().parent / "pictures").glob("*.webp"))[7]).convert("RGB")
        grown = picture.resize(SIZES[case.megapixels], Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(1))
        grain = np.random.default_rng(1).normal(0, 4, (*grown.size[::-1], 1)).astype(np.float32)
        pixels = np.clip(np.asarray(grown, np.float32) + grain, 0, 255).astype(np.uint8)
        photo = folder / f"{case.megapixels}.{case.kind}"
        Image.fromarray(pixels).save(photo, **KINDS[case.kind])
        head = (
            b'--cut\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\nContent-Type: image/jpeg\r\n\r\n'
        )
        file.write_bytes(head + photo.read_bytes() + b"\r\n--cut--\r\n")
    return file


def ask(address: str, pid: int, body: Path, clients: int, seconds: float, folder: Path) -> dict[str, float]:
    """wrk's figures: answered requests a second, p50 and p95 in seconds; and the milliseconds of processor time that
    each took the server, which a busy machine changes least."""
    script = folder / "post.lua"
    script.write_text(WRK.format(body=body))
    threads = min(2, clients)
    words = [
        "wrk",
        f"-t{threads}",
        f"-c{clients}",
        f"-d{round(seconds)}s",
        "--timeout",
        "60s",
        "-s",
        str(script),
        address,
    ]
    before = worked(pid)
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    found = json.loads(said.partition("FIGURES ")[2])
    answered = max(0, found["requests"] - found["refused"])
    cpu = (worked(pid) - before) * 1000 / answered if answered else 0.0
    return {
        "rate": answered / found["seconds"],
        "cpu_ms": cpu,
        **{name: found[name] for name in ("p50", "p95", "refused", "lost")},
    }


def worked(pid: int) -> float:
    """Seconds of processor time of a process so far."""
    told = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def alone(model: Model, clients: int, seconds: float) -> dict[str, float]:
    """How often the network reads prepared photos a second, asked by so many threads: the limit of any server around
    it."""
    side = model.document.preprocessing.size
    photo = np.random.default_rng(0).normal(size=(1, 2, 3, side, side)).astype(np.float32)
    end, took, before = time.monotonic() + seconds, list[float](), time.process_time()

    def read() -> None:
        while (begun := time.monotonic()) < end:
            model.answer(photo)
            took.append(time.monotonic() - begun)

    threads = [Thread(target=read) for _ in range(min(clients, 2 * cores()))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cpu = (time.process_time() - before) * 1000 / len(took)
    return {
        "rate": len(took) / seconds,
        "cpu_ms": cpu,
        "p50": statistics.median(took),
        "p95": sorted(took)[int(0.95 * len(took))],
    }


def write_feed(folder: Path, products: int) -> Path:
    """The sample shop's feed, its products repeated with other ids until there are so many; the pictures stay its
    own."""
    shipped = shipped_feed()
    shutil.copytree(shipped.parent / "pictures", folder / "pictures", dirs_exist_ok=True)
    tree = ElementTree.parse(shipped)
    channel = tree.getroot().find("channel")
    assert channel is not None
    items = channel.findall("item")
    for number in range(len(items), products):
        copy = ElementTree.fromstring(ElementTree.tostring(items[number % len(items)]))
        for entry in copy:
            if entry.tag.endswith(("}id", "}item_group_id")):
                entry.text = f"{entry.text}-{number // len(items)}"
        channel.append(copy)
    tree.write(folder / "feed.xml", encoding="utf-8", xml_declaration=True)
    return folder / "feed.xml"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(words: list[str], port: int, environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server until the block ends, entered when its port answers."""
    with log.open("wb") as out, subprocess.Popen(words, env=environment, stdout=out, stderr=out) as server:
        try:
            for _ in range(1200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                if server.poll() is not None:
                    raise SystemExit(f"{words} ended:\n{log.read_text(errors='replace')[-2000:]}")
                time.sleep(0.05)
            yield server
        finally:
            server.terminate()


@contextmanager
def mapsi(folder: Path, name: str, feed: Path, database: str = "") -> Iterator[tuple[str, int]]:
    """``mapsi serve`` over the catalogue: where it answers photos, and its process."""
    home, port = folder / name, free_port()
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MAPSI_")}
    environment = {**kept, "MAPSI_HOME": str(home), "MAPSI_IMAGE_RATE": "100000000 per minute"}
    if database:
        environment["MAPSI_DATABASE_URL"] = database
    command = [sys.executable, "-m", "mapsi"]
    for step in (["catalog", "import", str(feed), "--format", "merchant", "--shop", "Bench"], ["index", "build"]):
        subprocess.run([*command, *step], env=environment, check=True, capture_output=True)
    log = folder / f"{name}.log"
    with process([*command, "serve", "--port", str(port)], port, environment, log) as server:
        yield f"http://127.0.0.1:{port}/api/v1/search/image", server.pid


@contextmanager
def paper(folder: Path, home: Path, database: str) -> Iterator[tuple[str, int]]:
    """The paper's design over the rows and classes of that catalogue."""
    port = free_port()
    words = [sys.executable, str(ROOT / "benchmarks" / "paper_design.py"), str(port), database, str(home)]
    with process(words, port, dict(os.environ), folder / "paper.log") as server:
        yield f"http://127.0.0.1:{port}/search", server.pid


def resident(pid: int) -> int:
    """Megabytes of a process that are in memory."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) // 1024


def run(cases: list[Case], rounds: int, seconds: float, products: int) -> dict[str, Any]:
    sys.path.insert(0, str(ROOT / "tests"))
    from servers import run_mariadb

    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="mapsi-bench-")))
        (folder / "mariadb").mkdir()
        server = held.enter_context(run_mariadb(folder / "mariadb", buffer_pool="256M"))
        database = server.create_database("bench")
        feed = write_feed(folder, products)
        targets = {
            SQLITE: held.enter_context(mapsi(folder, "sqlite", feed)),
            MARIADB: held.enter_context(mapsi(folder, "mariadb-home", feed, database)),
            PAPER: held.enter_context(paper(folder, folder / "mariadb-home", database)),
        }
        model = Model.open(threads=cores())
        askers = {name: partial(ask, address, pid, folder=folder) for name, (address, pid) in targets.items()}
        found: dict[str, dict[str, list[dict[str, float]]]] = {}
        for case in cases:
            body = write_photo(folder, case)
            for asker in askers.values():
                asker(body, clients=case.clients, seconds=1)  # warm
            for _ in range(rounds):
                for name, asker in askers.items():
                    figures = asker(body, clients=case.clients, seconds=seconds * LONGER[case.megapixels])
                    found.setdefault(str(case), {}).setdefault(name, []).append(figures)
                found[str(case)].setdefault(BARE, []).append(alone(model, case.clients, seconds))
            print(case, {name: round(_middle(each, "rate"), 1) for name, each in found[str(case)].items()}, flush=True)
        memory = {name: resident(pid) for name, (_, pid) in targets.items()}
    return {
        "load": os.getloadavg()[0],
        "machine": f"{cores()} cores of {_processor()}, {platform.system()}, Python {platform.python_version()}",
        "when": datetime.now(UTC).date().isoformat(),
        "products": products,
        "rounds": rounds,
        "seconds": seconds,
        "resident_mb": memory,
        "cases": found,
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _middle(rounds: list[dict[str, float]], figure: str) -> float:
    return statistics.median(each[figure] for each in rounds)


def _ratio(these: list[dict[str, float]], those: list[dict[str, float]], figure: str) -> float:
    pairs = [(one[figure], other[figure]) for one, other in zip(these, those, strict=True)]
    shares = [one / other for one, other in pairs if one and other]
    return statistics.median(shares) if shares else float("nan")


def page(figures: dict[str, Any]) -> str:
    """docs/performance.md."""
    busy = (
        f" The machine did other things beside it (load average {figures['load']:.0f})."
        if figures["load"] > 2 * cores()
        else ""
    )
    lines = [
        "# How fast it is",
        "",
        f"Searches by photo, {figures['products']:,} products, measured on {figures['when']} by "
        f"`{figures['command']}`: {figures['machine']};",
        f"the load generator on the same machine. Medians of {figures['rounds']} rounds of "
        f"{figures['seconds']:g} s, all targets in turn;",
        "ratios are of processor time, medians of those within a round. The paper's design is written as its "
        "text says: Flask's own threaded server,",
        "PyTorch, ResNet34 at 224 px, the photo decoded in full, the rows of the class from SQL "
        "(`benchmarks/paper_design.py`).",
        "The network alone reads prepared photos, both views, with nothing around it: the limit." + busy,
        "",
        "| photo | paper: requests/s (p95, processor time of one) | mapsi on SQLite | mapsi on MariaDB | network "
        "alone | against the paper | against the network |",
        "|---|---|---|---|---|---|---|",
    ]
    for case, found in figures["cases"].items():
        cells = [
            f"{_middle(found[name], 'rate'):.1f} ({_middle(found[name], 'p95'):.2f} s, "
            f"{_middle(found[name], 'cpu_ms'):.0f} ms)"
            for name in (PAPER, SQLITE, MARIADB, BARE)
        ]
        # Of processor time: what else the machine does takes from the rates of all, but not alike.
        paper_costs, alone_costs = (_ratio(found[name], found[SQLITE], "cpu_ms") for name in (PAPER, BARE))
        against = [f"{paper_costs:.1f}x", f"{alone_costs:.2f}"]
        lines.append(f"| {' | '.join([case, *cells, *against])} |")
    memory = ", ".join(f"{name} {size} MB" for name, size in figures["resident_mb"].items())
    return "\n".join([*lines, "", f"Resident after all of it: {memory}.", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--products", type=int, default=8_500)
    parser.add_argument("--keep", action="store_true", help="write docs/performance.md and benchmarks/serving.json")
    parser.add_argument(
        "--page", action="store_true", help="write docs/performance.md anew from benchmarks/serving.json"
    )
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are ended too
    if asked.page:
        figures = json.loads(FIGURES.read_text("utf-8"))
    else:
        figures = run(FULL if asked.full else SHORT, asked.rounds, asked.seconds, asked.products)
        figures["command"] = "make bench" + (" ARGS=--full" if asked.full else "")
    print(page(figures))
    if asked.keep:
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    if asked.keep or asked.page:
        PAGE.write_text(page(figures), "utf-8")


if __name__ == "__main__":
    main()
