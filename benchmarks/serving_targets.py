"""What searches by photo are asked of, over one catalogue: mapsi on SQLite and on MariaDB, and the paper's design."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from mapsi.sample.shop import shipped_feed

PAPER_DESIGN = Path(__file__).with_name("paper_design.py")
_BOUNDARY = {"Content-Type": "multipart/form-data; boundary=cut"}


@dataclass
class Target:
    """A server: where it answers photos, and its process."""

    port: int
    path: str
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    @property
    def resident(self) -> int:
        """Megabytes that are in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) // 1024

    @property
    def worked(self) -> float:
        """Seconds of processor time so far."""
        told = Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")

    def post(self, body: bytes) -> int:
        """The status of one search by photo."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", self.path, body, _BOUNDARY)
        return connection.getresponse().status


@dataclass
class Shop:
    """A catalogue of sample products that ``mapsi serve`` answers from; ``database`` is empty for SQLite."""

    folder: Path
    name: str
    database: str = ""
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        # Compiled modules are kept, as they are where it is installed; no limit for one client, as behind a proxy.
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("MAPSI_", "PYTHONDONTWRITE"))}
        free = {"MAPSI_IMAGE_RATE": "100000000 per minute", "MAPSI_TRUSTED_PROXIES": "1"}
        self.environment = {**kept, **free, "MAPSI_HOME": str(self.home)}
        if self.database:
            self.environment["MAPSI_DATABASE_URL"] = self.database

    @property
    def home(self) -> Path:
        return self.folder / self.name

    def stock(self, feed: Path) -> None:
        """Import and index."""
        source = ("catalog", "import", str(feed), "--format", "merchant", "--shop", "Bench")
        for step in (source, ("index", "build")):
            command = [sys.executable, "-m", "mapsi", *step]
            subprocess.run(command, env=self.environment, check=True, capture_output=True)

    @contextmanager
    def served(self) -> Iterator[Target]:
        port = free_port()
        words = [sys.executable, "-m", "mapsi", "serve", "--port", str(port)]
        with process(words, port, self.environment, self.folder / f"{self.name}.log") as server:
            yield Target(port, "/api/v1/search/image", server)

    def first_answer(self, body: bytes) -> float:
        """Seconds from the start of ``mapsi serve`` to the first answer to a photo."""
        begun = time.monotonic()
        with self.served() as target:
            assert target.post(body) == 200
            return time.monotonic() - begun


@contextmanager
def paper(folder: Path, home: Path, database: str) -> Iterator[Target]:
    """The paper's design over the rows and classes of that catalogue."""
    port = free_port()
    words = [sys.executable, str(PAPER_DESIGN), str(port), database, str(home)]
    with process(words, port, dict(os.environ), folder / "paper.log") as server:
        yield Target(port, "/search", server)


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
            for _ in range(6000):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                if server.poll() is not None:
                    raise SystemExit(f"{words} ended:\n{log.read_text(errors='replace')[-2000:]}")
                time.sleep(0.01)
            yield server
        finally:
            server.terminate()
