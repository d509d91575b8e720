"""Two machines that serve and two that work, over one MariaDB, one Redis and one Milvus, and one of each killed.

    PYTHONPATH=tests python benchmarks/kill_hosts.py [--seconds 20] [--write]

As root: each machine is a network namespace with an address of its own behind one bridge, with nginx, the database,
Redis and Milvus (Lite) on the machine outside; only the folder MAPSI_HOME is shared, as shops share a disk. Visitors
ask through nginx by words and by photo, over pages and the JSON API; meanwhile a feed is refreshed again and again.
After half of the time one machine that serves and one that works are killed (SIGKILL, all of their processes). What
was asked and not answered well is counted by whether it was under way at that moment; in the end the catalogue has to
show the last feed. Once with vectors in files and once in the Milvus; ``--write`` puts the figures into docs/worker.md.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from figures import put_figures

from mapsi.catalog import open_catalog
from mapsi.catalog.operations.jobs import Job
from servers import run_mariadb, run_milvus, run_redis, wait_for_port
from small_house import photo_bytes, write_feed

OUTSIDE, PORT, PROXY = "10.77.0.1", 8000, 8080
WEB, WORK = {"web1": "10.77.0.11", "web2": "10.77.0.12"}, {"work1": "10.77.0.21", "work2": "10.77.0.22"}
VISITORS, OFFERS = 6, 60
DYING = 1.0
"""Seconds that a killed server takes at most to be gone; its visitors are told at once."""
MAPSI = Path(sys.executable).with_name("mapsi")
PAGE = Path(__file__).parents[1] / "docs" / "worker.md"
WORDS = ("셔츠", "니트", "wide pants", "coat")
FILES = "files"
HEAD = (
    "| vectors in | seconds | answered before the kill | after it | failed, under way at the kill "
    "| failed otherwise | last feed taken over after |\n|---|---|---|---|---|---|---|\n"
)
NGINX = """daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{ worker_connections 512; }}
http {{ access_log off; client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/answers;
upstream mapsi {{ {servers} }}
server {{ listen {address}:{port}; client_max_body_size 17m;
location / {{ proxy_pass http://mapsi; proxy_http_version 1.1;
proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Proto $scheme; proxy_request_buffering off; proxy_connect_timeout 2s; }} }} }}"""


@dataclass
class Asked:
    """Requests that were sent: how many were answered, and of the others when they began and ended, and what came."""

    answered: list[float] = field(default_factory=list)
    failed: list[tuple[float, float, str]] = field(default_factory=list)


def run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True)


@contextmanager
def network() -> Iterator[None]:
    """A bridge, and each machine behind it."""
    try:
        run("ip", "link", "add", "mapsi0", "type", "bridge")
        run("ip", "address", "add", f"{OUTSIDE}/24", "dev", "mapsi0")
        run("ip", "link", "set", "mapsi0", "up")
        for name, address in (WEB | WORK).items():
            run("ip", "netns", "add", name)
            run("ip", "link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
            run("ip", "link", "set", f"to-{name}", "master", "mapsi0", "up")
            for words in (("address", "add", f"{address}/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
                run("ip", "-n", name, *words)
        yield
    finally:
        for name in WEB | WORK:
            subprocess.run(["ip", "netns", "delete", name], check=False)
        subprocess.run(["ip", "link", "delete", "mapsi0"], check=False)


@contextmanager
def machine(name: str, environment: dict[str, str], folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """mapsi in the namespace of that name, with all that it starts in a process group of its own."""
    with (folder / f"{name}.log").open("wb") as log:
        command = ["ip", "netns", "exec", name, str(MAPSI), *words]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def proxy(folder: Path) -> Iterator[None]:
    servers = " ".join(f"server {address}:{PORT};" for address in WEB.values())
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(folder=folder, servers=servers, address=OUTSIDE, port=PROXY))
    with subprocess.Popen(["nginx", "-p", str(folder), "-c", str(file)], stderr=subprocess.DEVNULL) as server:
        try:
            wait_for_port(PROXY, server, address=OUTSIDE)
            yield
        finally:
            server.terminate()


class Visitor(threading.Thread):
    """Asks by words, by photo over the API, and by photo over pages, in turn until told to stop."""

    def __init__(self, stop: threading.Event, asked: Asked, photo: bytes) -> None:
        super().__init__()
        self._stopped, self._asked, self._photo, self._cookie = stop, asked, photo, ""

    def run(self) -> None:
        at = 0
        while not self._stopped.is_set():
            at += 1
            self._ask("GET", f"/search?q={quote(WORDS[at % len(WORDS)])}")
            self._ask("POST", "/api/v1/search/image", _form(self._photo))
            token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self._ask("GET", "/")[1])
            there = token and self._ask("POST", "/search/photo", _form(self._photo, csrf_token=token[1]))[0]
            if there:
                self._ask("GET", there)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[str, str]:
        """Where an answer leads, and its text; none where it failed."""
        begun = time.monotonic()
        try:
            connection = http.client.HTTPConnection(OUTSIDE, PROXY, timeout=30)
            sent = {"Cookie": self._cookie, "Content-Type": "multipart/form-data; boundary=cut"}
            connection.request(method, path, body, {**sent, "Sec-Fetch-Site": "same-origin"})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            connection.close()
        except OSError as error:
            self._asked.failed.append((begun, time.monotonic(), f"{method} {path}: {error}"))
            return "", ""
        if answer.status >= 400:
            self._asked.failed.append((begun, time.monotonic(), f"{method} {path}: {answer.status} {text[:200]}"))
            return "", ""
        self._asked.answered.append(time.monotonic())
        self._cookie = (answer.headers.get("Set-Cookie") or self._cookie).partition(";")[0]
        return answer.headers.get("Location", ""), text


def _form(photo: bytes, **fields: str) -> bytes:
    parts = [f'--cut\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{text}\r\n' for key, text in fields.items()]
    parts.append('--cut\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n')
    return "".join(parts).encode() + photo + b"\r\n--cut--\r\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows = [HEAD]
    for vectors in (FILES, "Milvus Lite"):
        with ExitStack() as held:
            folder = Path(held.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
            held.enter_context(network())
            rows.append(shop(held, folder, options.seconds, vectors))
    table = "".join(rows)
    print(table)
    if options.write:
        put_figures(PAGE, "killed", table)


def shop(held: ExitStack, folder: Path, seconds: float, vectors: str) -> str:
    """Set everything up, let it run, and tell what came of it."""
    for name in ("mariadb", "redis", "milvus", "nginx"):
        (folder / name).mkdir()
    url = held.enter_context(run_mariadb(folder / "mariadb", address=OUTSIDE)).create_database("mapsi")
    redis = held.enter_context(run_redis(folder / "redis", OUTSIDE))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MAPSI_")},
        "MAPSI_HOME": str(folder / "home"),
        "MAPSI_DATABASE_URL": url,
        "MAPSI_QUEUE": redis,
        "MAPSI_ANSWERS": redis.removesuffix("0") + "1",
        "MAPSI_SECRET_KEY": "of this benchmark alone " * 3,
        "MAPSI_TRUSTED_PROXIES": "1",
        **{f"MAPSI_{what}_RATE": "100000 per minute" for what in ("IMAGE", "WORDS")},
    }
    if vectors != FILES:
        environment["MAPSI_INDEX_URL"] = held.enter_context(run_milvus(folder / "milvus", OUTSIDE)).url
    feed = write_feed(folder / "haru", range(OFFERS), "https://shop.example.com/haru")
    for words in (("sources", "add", "haru", "--format", "csv", "--at", str(feed)), ("refresh", "haru")):
        subprocess.run([MAPSI, "catalog", *words], env=environment, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([MAPSI, "index", "build"], env=environment, check=True, stdout=subprocess.DEVNULL)
    machines = {
        name: held.enter_context(machine(name, environment, folder, "serve", "--host", address, "--port", str(PORT)))
        for name, address in WEB.items()
    }
    machines |= {name: held.enter_context(machine(name, environment, folder, "worker")) for name in WORK}
    for name, address in WEB.items():
        wait_for_port(PORT, machines[name], seconds=60, address=address)
    held.enter_context(proxy(folder / "nginx"))
    return told(*visited(url, feed, machines, seconds), vectors, seconds)


def visited(
    url: str, feed: Path, machines: dict[str, subprocess.Popen[bytes]], seconds: float
) -> tuple[Asked, float, float]:
    """What visitors were answered, when machines were killed, and how long the last feed took to be taken over."""
    stop, asked, photo, killed = threading.Event(), Asked(), photo_bytes(), 0.0
    visitors = [Visitor(stop, asked, photo) for _ in range(VISITORS)]
    for visitor in visitors:
        visitor.start()
    begun, price, text = time.monotonic(), 0, feed.read_text("utf-8")
    with open_catalog(url) as catalog:
        while time.monotonic() < begun + seconds:
            price += 1
            feed.write_text(re.sub(r"\d+ KRW", f"{70_000 + price} KRW", text), "utf-8")
            catalog.jobs.put(Job("refresh", "haru"))
            time.sleep(0.5)
            if not killed and time.monotonic() > begun + seconds / 2:
                kill(machines["web1"])
                killed = time.monotonic()  # the server is gone: what was begun before may have been under way there
                kill(machines["work1"])
        stop.set()
        for visitor in visitors:
            visitor.join()
        waiting = time.monotonic()
        catalog.jobs.put(Job("refresh", "haru"))
        while any(job.job.kind == "refresh" for job in catalog.jobs.all()) and time.monotonic() < waiting + 180:
            time.sleep(0.2)
        shown = {str(int(product.lowest_price)) for product in catalog.listings.products(list(range(1, OFFERS + 1)))}
    if shown != {str(70_000 + price)}:
        raise SystemExit(f"The catalogue shows {sorted(shown)} and not the last feed, {70_000 + price}.")
    return asked, killed, time.monotonic() - waiting


def told(asked: Asked, killed: float, late: float, vectors: str, seconds: float) -> str:
    under_way = [each for each in asked.failed if each[0] <= killed <= each[1] + DYING]
    others = [each for each in asked.failed if each not in under_way]
    for _, _, what in others:
        print(what, file=sys.stderr)
    after = sum(at > killed for at in asked.answered)
    return (
        f"| {vectors} | {seconds:.0f} | {len(asked.answered) - after} | {after} | {len(under_way)} | {len(others)} "
        f"| {late:.0f} s |\n"
    )


if __name__ == "__main__":
    if os.geteuid() != 0 or not shutil.which("ip"):
        raise SystemExit("Network namespaces need root and ip (Debian package iproute2).")
    main()
