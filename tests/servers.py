"""Real servers that tests start on loopback, each in a directory of its own, and what to do where one is missing."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest
from pymysql.constants import CLIENT

LOOPBACK = "127.0.0.1"


def require(condition: object, what: str) -> None:
    """Skip the test where a real part is missing, naming it; fail instead under ``MAPSI_TEST_STRICT=1``."""
    if condition:
        return
    if os.environ.get("MAPSI_TEST_STRICT") == "1":
        pytest.fail(f"missing: {what}", pytrace=False)
    pytest.skip(f"missing: {what}")


def free_port() -> int:
    """A port that nobody listens on, below those that Linux gives out by itself (from 32768): until it is taken,
    no connection and no server without a port of its own can come between."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(20_000, 32_000)))
            return int(probe.getsockname()[1])


@dataclass(frozen=True)
class MariaDB:
    """A running MariaDB; ``user`` may do everything there."""

    port: int
    user: str
    password: str
    address: str = LOOPBACK

    def url(self, database: str) -> str:
        return f"mariadb://{self.user}:{self.password}@{self.address}:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """Create an empty database and give its address. Without TLS: a connection reads all certificates of the
        system for it, which takes 20 ms."""
        self.execute(f"CREATE DATABASE {name}")
        return f"{self.url(name)}?ssl_mode=disabled"

    def execute(self, *statements: str, database: str | None = None) -> None:
        """Execute statements, all of them in one round trip."""
        connection = pymysql.connect(
            host=self.address,
            port=self.port,
            user=self.user,
            password=self.password,
            database=database,
            ssl_disabled=True,
            autocommit=True,
            client_flag=CLIENT.MULTI_STATEMENTS,
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute(";".join(statements))
                while cursor.nextset():
                    pass
        finally:
            connection.close()


def mariadb_is_installed() -> bool:
    return shutil.which("mariadbd") is not None and shutil.which("mariadb-install-db") is not None


@contextmanager
def run_mariadb(
    folder: Path, *options: str, buffer_pool: str = "64M", address: str = LOOPBACK, port: int = 0
) -> Iterator[MariaDB]:
    """Start a MariaDB of its own in ``folder``, with further ``options`` of its program, and stop it at the end; about
    two seconds. It has a free port unless one is given."""
    data, port = folder / "data", port or free_port()
    account = ["--user=root"] if os.geteuid() == 0 else []
    setup, host = folder / "setup.sql", LOOPBACK if address == LOOPBACK else "%"
    setup.write_text(
        f"CREATE USER 'mapsi'@'{host}' IDENTIFIED BY 'sesame';\n"
        f"GRANT ALL ON *.* TO 'mapsi'@'{host}' WITH GRANT OPTION;\n"
    )
    # A server of its own has temporary files of its own, when it is installed too: one that starts removes those of all
    # others in the same folder.
    temporary = folder / "tmp"
    temporary.mkdir()
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--tmpdir={temporary}"]
    install += ["--auth-root-authentication-method=normal", *account]
    done = subprocess.run(install, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"MariaDB was not installed in {data}:\n{done.stdout}"
    with (folder / "mariadbd.log").open("wb") as log:
        server = subprocess.Popen(
            [*_command(folder, data, port, setup, buffer_pool, address), *account, *options], stdout=log, stderr=log
        )
        try:
            running = MariaDB(port, "mapsi", "sesame", address)
            _wait_until_up(running, server, folder / "mariadbd.log")
            yield running
        finally:
            server.terminate()
            server.wait(timeout=60)


def _command(folder: Path, data: Path, port: int, setup: Path, buffer_pool: str, address: str) -> list[str]:
    return [
        "mariadbd",
        "--no-defaults",
        f"--datadir={data}",
        f"--tmpdir={folder / 'tmp'}",
        f"--socket={folder / 's.sock'}",
        f"--pid-file={folder / 'pid'}",
        f"--init-file={setup}",
        f"--bind-address={address}",
        f"--port={port}",
        "--skip-networking=0",
        "--skip-name-resolve",
        f"--innodb-buffer-pool-size={buffer_pool}",
        "--innodb-log-file-size=32M",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-flush-method=nosync",
        "--skip-innodb-doublewrite",
        "--key-buffer-size=1M",
        "--performance-schema=0",
        "--skip-log-bin",
    ]


def _wait_until_up(running: MariaDB, server: subprocess.Popen[bytes], log: Path, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return running.execute("SELECT 1")
        except pymysql.err.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"MariaDB did not start:\n{log.read_text(errors='replace')[-3000:]}") from None
            time.sleep(0.05)


@contextmanager
def run_redis(folder: Path, address: str = LOOPBACK) -> Iterator[str]:
    """Start a Redis of its own in ``folder`` and give its address; it ends at the end."""
    require(shutil.which("redis-server"), "redis-server")
    port = free_port()
    words = ["redis-server", "--port", str(port), "--bind", address, "--dir", str(folder), "--save", ""]
    words += [] if address == LOOPBACK else ["--protected-mode", "no"]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        wait_for_port(port, server, address=address)
        yield f"redis://{address}:{port}/0"
    finally:
        server.terminate()
        server.wait(timeout=20)


class Milvus:
    """Milvus Lite as a server in ``folder``; what it was given stays there when it is stopped."""

    def __init__(self, folder: Path, address: str = LOOPBACK) -> None:
        self._folder, self._address, self._port = folder, address, free_port()
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{self._address}:{self._port}"

    def start(self) -> None:
        tool = Path(sys.executable).with_name("milvus-lite")
        words = [
            tool,
            "server",
            "--data-dir",
            self._folder / "data",
            "--host",
            self._address,
            "--port",
            str(self._port),
        ]
        self._server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self._port, self._server, seconds=90, address=self._address)

    def kill(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait(timeout=20)
        self._server = None


@contextmanager
def run_milvus(folder: Path, address: str = LOOPBACK) -> Iterator[Milvus]:
    """Start a Milvus of its own in ``folder``, about two seconds; it ends at the end."""
    milvus = Milvus(folder, address)
    try:
        milvus.start()
        yield milvus
    finally:
        milvus.kill()


def wait_for_port(port: int, server: subprocess.Popen[bytes], seconds: float = 20, address: str = LOOPBACK) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.fail(f"the server ended with {server.returncode}", pytrace=False)
        with socket.socket() as probe:
            if probe.connect_ex((address, port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the server does not answer", pytrace=False)
