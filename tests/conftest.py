"""Fixtures of the whole suite. What the tests of one noun share stands in that noun's test file."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.store.database import Database, open_database, utc_now
from mapsi.catalog.store.tables import State, Table
from servers import MariaDB, Milvus, mariadb_is_installed, require, run_mariadb, run_milvus, run_redis

if TYPE_CHECKING:
    from argon2 import PasswordHasher

    from chromium import Browser
    from operated import Desk
    from photo_sources import PhotoSources
    from refreshing import Clock
    from small_house import CopiedHouse, House

_numbers = itertools.count(1)
MIGRATED = "migrated"

LONG = frozenset(
    [
        "test_whole_path",
        "test_attack",
        "test_demo",
        "test_import_killed",
        "test_backup",
        "test_accessibility",
        "test_pages_in_chromium",
        "test_operator_in_chromium",
        "test_training",
        "test_infer",
        "test_learn",
        "test_likeness",
        "test_averaging",
        "test_embedding",
        "test_worker",
        "test_collect_google",
        "test_collect_google_browser",
        "test_collect",
        "test_evaluate_report",
        "test_evaluate_comparison",
        "test_cli",
        "test_refresh_by_queries",
        "test_joins",
        "test_readings",
        "test_dataset_check",
        "test_index_keeper",
        "test_full_disk",
    ]
)
"""Files that take long for the number of their tests."""


def pytest_configure() -> None:
    """Bytecode is kept, whatever the environment says (images for containers often turn it off): else each worker
    compiles all tests anew, and each of the hundreds of commands that tests start compiles all of mapsi."""
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, then those of many tests, so that workers that take a file at a time (``make test``) come to
    their end together."""
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path.stem not in LONG, -tests[item.path], str(item.path)))


# The first text of a fresh clone builds hypothesis's tables of letters: over a second on a busy machine, and no fault
# of a test.
settings.register_profile("noisy machines", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("noisy machines")


@pytest.fixture(scope="session", autouse=True)
def users_hasher() -> Iterator[PasswordHasher]:
    """Passwords cost a thousandth of what they cost users, whose hasher is what this gives: each log-in of a test would
    take 20 ms of processor time."""
    from argon2 import PasswordHasher

    from mapsi.web.accounts import passwords

    quick, users = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1), passwords._HASHER
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", quick)
        patch.setattr(passwords, "NOBODY", quick.hash("nobody's password"))
        yield users


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """A real MariaDB of this test session."""
    require(mariadb_is_installed(), "mariadbd and mariadb-install-db (Debian package mariadb-server)")
    with run_mariadb(tmp_path_factory.mktemp("mariadb")) as server:
        yield server


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """The address of a fresh, empty database of a kind, ``sqlite`` or ``mariadb``."""

    def create(kind: str) -> str:
        name = f"test{next(_numbers)}"
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / name}.sqlite3"
        server: MariaDB = request.getfixturevalue("mariadb")
        return server.create_database(name)

    return create


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A migrated, empty SQLite file: writing it takes a tenth of the time of migrating once a test.

    Bytes, not a path: what one test wrote into a shared file would be there in the next.
    """
    file = tmp_path_factory.mktemp("migrated") / "catalog.sqlite3"
    with open_catalog(f"sqlite:///{file}") as catalog:
        catalog.migrate()
    return file.read_bytes()


@pytest.fixture(scope="session")
def sqlite_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sqlite")


@pytest.fixture
def empty_sqlite(migrated_sqlite: bytes, sqlite_folder: Path) -> str:
    """The address of an empty, migrated SQLite catalogue: a file of this test's own, at the place of the one before."""
    file = sqlite_folder / "catalog.sqlite3"
    for name in ("", "-wal", "-shm"):
        file.with_name(file.name + name).unlink(missing_ok=True)
    file.write_bytes(migrated_sqlite)
    return f"sqlite:///{file}"


@pytest.fixture(scope="session")
def migrated_mariadb(mariadb: MariaDB) -> str:
    """The address of a migrated database that is emptied for each test."""
    url = mariadb.create_database(MIGRATED)
    with open_catalog(url) as catalog:
        catalog.migrate()
    return url


@pytest.fixture(params=["sqlite", "mariadb"])
def catalog_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty catalogue on each of the two databases: one scenario on both twins."""
    if request.param == "sqlite":
        own: str = request.getfixturevalue("empty_sqlite")
        return own
    url: str = request.getfixturevalue("migrated_mariadb")
    empty_tables(request.getfixturevalue("mariadb"), MIGRATED)
    return url


@pytest.fixture(scope="session")
def new_catalog(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], AbstractContextManager[Catalog]]:
    """Opens a catalogue of one's own on a kind of database, for fixtures that fill one for many questions."""

    @contextmanager
    def opened(kind: str) -> Iterator[Catalog]:
        name = f"new{next(_numbers)}"
        if kind == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp(name) / 'catalog.sqlite3'}"
        else:
            url = request.getfixturevalue("mariadb").create_database(name)
        with open_catalog(url) as catalog:
            catalog.migrate()
            yield catalog

    return opened


@pytest.fixture(scope="session")
def engines() -> dict[str, Database]:
    """The engines of the databases that tests opened, by address: one that is new writes all its SQL anew, a quarter
    of the time of a small test."""
    return {}


@pytest.fixture
def catalog(request: pytest.FixtureRequest, catalog_url: str, engines: dict[str, Database]) -> Iterator[Catalog]:
    """An empty catalogue, opened; it goes by ``clock`` in a test that asks for one."""
    if catalog_url not in engines:
        engines[catalog_url] = open_database(catalog_url)
    known = engines[catalog_url]
    database = Database(known.engine, known.patient, known.kind, known.guarding)
    database.now = request.getfixturevalue("clock") if "clock" in request.fixturenames else utc_now
    with Catalog(database) as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    """A clock that stands until it is moved."""
    from refreshing import Clock

    return Clock()


@pytest.fixture(scope="session")
def built_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small house, built once and closed: copying it takes a twentieth of the time."""
    from small_house import open_house

    folder = tmp_path_factory.mktemp("built")
    with open_house(folder):
        return folder


@pytest.fixture(scope="session")
def built_at_noon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, built by a clock that stands at noon."""
    from refreshing import Clock
    from small_house import open_house

    folder = tmp_path_factory.mktemp("noon")
    with open_house(folder, now=Clock()):
        return folder


@pytest.fixture(scope="session")
def copied_house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> CopiedHouse:
    """Opens a small house of one's own: two shops of real-looking offers and one of samples. With a clock that stands
    it goes by that one, which has not been moved yet."""
    from small_house import reopen_house

    @contextmanager
    def opened(clock: Clock | None = None) -> Iterator[House]:
        built = request.getfixturevalue("built_at_noon" if clock else "built_house")
        folder = tmp_path_factory.mktemp("house") / "copy"
        shutil.copytree(built, folder)
        with reopen_house(folder, clock or utc_now) as house:
            yield house

    return opened


@pytest.fixture(scope="module")
def house(copied_house: CopiedHouse) -> Iterator[House]:
    """A small house, each test file's own copy."""
    with copied_house() as opened:
        yield opened


@pytest.fixture(scope="module")
def site(house: House) -> Iterator[str]:
    """The address of the house's pages on a port, for a browser."""
    from chromium import on_a_port

    with on_a_port(house.app()) as address:
        yield address


@pytest.fixture(scope="module")
def opened_desk(copied_house: CopiedHouse) -> Iterator[Desk]:
    """A house with an operator, each test file's own."""
    from operated import as_desk
    from refreshing import Clock

    clock = Clock()
    with copied_house(clock) as house:
        yield as_desk(house, clock)


@pytest.fixture(scope="module")
def desk(opened_desk: Desk) -> Desk:
    """The house of :func:`opened_desk` as it is; a file whose tests change it says what they put back."""
    return opened_desk


@pytest.fixture(scope="session")
def _chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    from chromium import chromium_is_installed, open_browser

    require(chromium_is_installed(), "chromium and chromedriver (Debian package chromium-driver)")
    with open_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def window(_chromium: Browser) -> Browser:
    """The one window of all test files, in Korean; to each file it comes empty and without cookies."""
    _chromium.forget()
    return _chromium


@pytest.fixture
def hosts() -> Iterator[list[PhotoSources]]:
    """Three servers of photos and of their APIs, the pictures of the first on all of them; each test's own."""
    from photo_sources import run_photo_sources

    with run_photo_sources(3) as running:
        yield running


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backbone's weights file (resnet10t), as somebody would bring one."""
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("weights") / "backbone.safetensors"
    save_file(timm.create_model("resnet10t", num_classes=0).state_dict(), file)
    return file


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Redis of this test session."""
    with run_redis(tmp_path_factory.mktemp("redis")) as address:
        yield address


@pytest.fixture
def milvus(tmp_path: Path) -> Iterator[Milvus]:
    """A Milvus of the test's own, to be stopped and started."""
    with run_milvus(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def milvus_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Milvus of this test session."""
    with run_milvus(tmp_path_factory.mktemp("milvus")) as running:
        yield running.url


def empty_tables(server: MariaDB, database: str) -> None:
    """As after the migration, in one round trip: a twentieth of the time that thirty take through SQLAlchemy."""
    names = [table.name for table in reversed(Table.metadata.sorted_tables) if table.name != State.__tablename__]
    server.execute(*(f"DELETE FROM {name}" for name in names), "UPDATE state SET generation = 0", database=database)
