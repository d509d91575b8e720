"""A backup holds one moment of a shop that is served, refreshed and killed, and fills an empty home again."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from killing import CHILD, feed_is_whole, start_catalog
from mapsi.backup import restoring
from mapsi.backup.contents import LIST, Contents
from mapsi.backup.restoring import check_backup, restore
from mapsi.backup.taking import clear_unfinished, take_backup
from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.store.database import open_database
from mapsi.catalog.store.tables import State, Table
from mapsi.cli import main
from mapsi.errors import ArtifactError, CatalogError, UsageError
from mapsi.taxonomy import load_taxonomy
from small_house import photo_bytes, write_colour_model, write_feed

COUNT = 300
ABOUT = Contents("", "test", "2026-11-27T00:00:00+00:00")
BACKING_UP = """
import sys
from pathlib import Path
from mapsi.backup.contents import Contents
from mapsi.backup.taking import take_backup
from mapsi.catalog import open_catalog

url, target = sys.argv[1], Path(sys.argv[2])
with open_catalog(url) as catalog:
    print("ready", flush=True)
    while True:
        take_backup(catalog, target.parent, target, Contents("", "test", "2026-11-27"))
"""
RESTORING = """
import sys
from pathlib import Path
from mapsi.backup.restoring import check_backup, restore
from mapsi.catalog import open_catalog

url, target = sys.argv[1], Path(sys.argv[2])
with open_catalog(url) as catalog:
    print("ready", flush=True)
    restore(catalog, target.parent / "restored", target, check_backup(target))
"""


@contextmanager
def _running(script: str, *words: object) -> Iterator[subprocess.Popen[bytes]]:
    """A child that has begun, and that is killed at the end."""
    command = [sys.executable, "-c", script, *map(str, words)]
    with subprocess.Popen(command, cwd=Path(__file__).parent, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline().strip() in (b"ready", b"refresh")
        try:
            yield child
        finally:
            child.send_signal(signal.SIGKILL)


def _restored(url: str, home: Path, file: Path) -> None:
    """Restore into a migrated, empty database; the catalogue holds one feed as a whole."""
    with open_catalog(url) as catalog:
        restore(catalog, home, file, check_backup(file))
        feed_is_whole(catalog, COUNT)


def _new(new_database: Callable[[str], str], kind: str) -> str:
    url = new_database(kind)
    with open_catalog(url) as catalog:
        catalog.migrate()
    return url


@pytest.mark.parametrize(("kind", "other"), [("sqlite", "mariadb"), ("mariadb", "sqlite")])
def test_a_backup_of_a_shop_that_is_refreshed_is_whole_on_either_database(
    new_database: Callable[[str], str], tmp_path: Path, kind: str, other: str
) -> None:
    url = new_database(kind)
    start_catalog(url, tmp_path, COUNT)
    with _running(CHILD, url, tmp_path, 5000, COUNT), open_catalog(url) as catalog:
        time.sleep(0.3)
        take_backup(catalog, tmp_path, tmp_path / "shop.tar", ABOUT)
    _restored(_new(new_database, other), tmp_path / "other", tmp_path / "shop.tar")


@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_a_killed_backup_leaves_the_one_before_and_a_killed_restore_is_run_again(
    new_database: Callable[[str], str], tmp_path: Path, kind: str
) -> None:
    chance, url, file = random.Random(20), new_database(kind), tmp_path / "shop.tar"
    start_catalog(url, tmp_path, COUNT)
    with open_catalog(url) as catalog:
        take_backup(catalog, tmp_path, file, ABOUT)
    for _ in range(2):
        with _running(BACKING_UP, url, file):
            time.sleep(chance.uniform(0, 0.6))
        check_backup(file)
    empty = _new(new_database, kind)
    with _running(RESTORING, empty, file):
        time.sleep(chance.uniform(0.1, 0.4))
    with suppress(UsageError):  # it had come to its end
        _restored_when_alone(empty, tmp_path / "restored", file)
    with open_catalog(empty) as catalog:
        feed_is_whole(catalog, COUNT)


def _restored_when_alone(url: str, home: Path, file: Path) -> None:
    """A MariaDB undoes the killed transaction in a moment of its own; until then its rows are locked."""
    for _ in range(20):
        with suppress(CatalogError):
            return _restored(url, home, file)
    pytest.fail("the database stays locked")


def test_a_restored_home_answers_as_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, photo = write_colour_model(tmp_path / "model", load_taxonomy()), tmp_path / "photo.jpg"
    photo.write_bytes(photo_bytes())

    def run(*words: object, home: str = "home", said: str | None = None) -> str:
        monkeypatch.setenv("MAPSI_HOME", str(tmp_path / home))
        done = CliRunner().invoke(main, [str(word) for word in words], input=said)
        assert done.exit_code == 0, done.output
        return done.output

    monkeypatch.setenv("MAPSI_PAGE_SIZE", "7")
    run("catalog", "import", write_feed(tmp_path / "feed", range(9), "https://shop.example.com"), "--format", "csv", "--shop", "Haru", "--no-index")  # fmt: skip
    run("index", "build", "--model", model)
    run("operator", "add", "jin@example.com", "--password-stdin", said="green apples on a blue table\n")
    (tmp_path / "home" / "secret-key").write_text("0123456789abcdef" * 4)
    before = run("search", photo, "--json")
    (tmp_path / "kept").mkdir()
    run("backup", tmp_path / "kept")
    (file,) = (tmp_path / "kept").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600

    monkeypatch.delenv("MAPSI_PAGE_SIZE")
    told = run("restore", file, home="again")
    assert "MAPSI_PAGE_SIZE was 7; here it is not set." in told
    assert "Pictures: 0 copied" in told
    assert "jin@example.com" in run("operator", "list", home="again")
    assert (tmp_path / "again" / "secret-key").read_text() == "0123456789abcdef" * 4
    monkeypatch.setenv("MAPSI_PAGE_SIZE", "7")
    assert json.loads(run("search", photo, "--json", home="again")) == json.loads(before)
    refused = CliRunner().invoke(main, ["restore", str(file)])
    assert (refused.exit_code, "is not empty" in refused.output) == (2, True)


def test_log_ins_do_not_come_back_and_what_was_derived_is_not_taken_for_the_catalogue_s_own(
    catalog: Catalog, catalog_url: str, migrated_sqlite: bytes, tmp_path: Path
) -> None:
    user = catalog.accounts.add_operator("jin@example.com", "hash")
    catalog.sessions.open(user.id)
    take_backup(catalog, tmp_path, tmp_path / "shop.tar", ABOUT)
    fresh = tmp_path / "fresh.sqlite3"
    fresh.write_bytes(migrated_sqlite)
    with open_catalog(fresh) as empty:
        restore(empty, tmp_path / "home", tmp_path / "shop.tar", check_backup(tmp_path / "shop.tar"))
    assert _rows(fresh, "sessions") == 0
    assert _rows(fresh, "users") == 1
    assert _mark(fresh) != _mark(catalog_url)


def _rows(address: str | Path, table: str) -> int:
    database = open_database(address)
    with database.read() as connection:
        count = len(connection.execute(select(Table.metadata.tables[table])).all())
    database.close()
    return count


def _mark(address: str | Path) -> str:
    database = open_database(address)
    with database.read() as connection:
        mark = str(connection.scalar(select(State.mark)))
    database.close()
    return mark


@pytest.fixture
def small_backup(empty_sqlite: str, tmp_path: Path) -> Path:
    with open_catalog(empty_sqlite) as catalog:
        take_backup(catalog, tmp_path, tmp_path / "small.tar", ABOUT)
    return tmp_path / "small.tar"


def test_a_backup_that_is_damaged_anywhere_is_refused_or_says_the_same(small_backup: Path, tmp_path: Path) -> None:
    whole, chance, damaged = small_backup.read_bytes(), random.Random(3), tmp_path / "damaged.tar"
    right = check_backup(small_backup)
    refused = 0
    for _ in range(150):
        place = chance.randrange(len(whole))
        flipped = whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :]
        damaged.write_bytes(chance.choice([flipped, whole[:place]]))
        try:
            found = check_backup(damaged)
        except ArtifactError:
            refused += 1
        else:
            assert found.members == right.members
    assert refused > 75


Member = tuple[str, bytes]


def _users(*lines: str) -> Member:
    return "tables/users.jsonl.gz", gzip.compress("\n".join(lines).encode())


def _packed(file: Path, packed: Sequence[Member], behind: Sequence[Member] = (), **said: object) -> Path:
    """A backup made by hand: its list names what lies before it and says what ``said`` says."""
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in packed}
    document = {**Contents("0001", "test", "now", members=digests).to_json(), **said}
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in [*packed, (LIST, json.dumps(document).encode()), *behind]:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file


ELSEWHERE = ("../outside", "pictures/../../outside", "/etc/cron.d/x", "catalog.db", "", ".", "pictures", "secret-key/x",
             "models/./x", "tables/users", "tables/a/b.jsonl.gz", "pictures/.x")  # fmt: skip


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_file_that_would_lie_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArtifactError, match="not a file of a shop"):
        check_backup(_packed(tmp_path / "strange.tar", [(name, b"")]))


def test_what_the_list_does_not_name_is_refused(tmp_path: Path) -> None:
    one = ("pictures/1", b"1")
    for behind in ([("../outside", b"x")], [("pictures/2", b"2")], [(LIST, b"{}")]):
        with pytest.raises(ArtifactError, match="behind its list"):
            check_backup(_packed(tmp_path / "more.tar", [one], behind))
    with pytest.raises(ArtifactError, match="twice"):
        check_backup(_packed(tmp_path / "twice.tar", [one, one]))
    assert check_backup(_packed(tmp_path / "whole.tar", [one])).version == "test"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE])
def test_a_link_or_a_file_of_holes_is_no_part_of_a_backup(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "linked.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        member = tarfile.TarInfo("pictures/1")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(ArtifactError, match="damaged"):
        check_backup(tmp_path / "linked.tar")


@pytest.mark.parametrize(
    "said",
    [
        {"members": []},
        {"members": {"a": 1}},
        {"settings": None},
        {"settings": {"A": {}}},
        {"made_at": 3},
        {"more": "x"},
    ],
)
def test_a_list_of_contents_of_another_kind_is_damaged(tmp_path: Path, said: dict[str, object]) -> None:
    with pytest.raises(ArtifactError, match="list of contents is not one"):
        check_backup(_packed(tmp_path / "other.tar", [], **said))


COLUMNS = '["id", "email", "password_hash", "language", "created_at", "is_operator", "wants_mail", "keeps_history"]'
ROW = '[1, "a@b.com", null, "ko", "2026-11-28T00:00:00+00:00", false, false, false]'
STATE = ("tables/state.jsonl.gz", gzip.compress(b'["id", "generation", "mark"]\n[1, 3, "a"]\n'))
STRANGE = {
    "no state": _users(COLUMNS, ROW),
    "no table": ("tables/nonsense.jsonl.gz", gzip.compress(b'["a"]')),
    "log-ins": ("tables/sessions.jsonl.gz", gzip.compress(b'["digest"]')),
    "nothing": _users(),
    "no gzip": ("tables/users.jsonl.gz", b"hello"),
    "another column": _users('["nope"]', "[1]"),
    "no columns": _users("5", ROW),
    "too short": _users(COLUMNS, "[1]"),
    "no row": _users(COLUMNS, "null"),
    "no time": _users(COLUMNS, ROW.replace('"2026-11-28T00:00:00+00:00"', "7")),
    "no truth": _users(COLUMNS, ROW.replace("false", '"x"')),
    "the same twice": _users(COLUMNS, ROW, ROW),
    "too deep": _users("[" * 100_000),
    "without end": _users(COLUMNS, '["' + "a" * 3000),
}


@pytest.mark.parametrize("what", STRANGE)
def test_a_table_that_is_none_leaves_the_catalogue_empty(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(restoring, "LONGEST_ROW", 2000)
    with catalog.snapshots.taken() as snapshot:
        file = _packed(tmp_path / "strange.tar", [STRANGE[what]], revision=snapshot.revision)
    with pytest.raises(ArtifactError, match="damaged"):
        restore(catalog, tmp_path / "home", file, check_backup(file))
    assert catalog.snapshots.is_empty()
    right = _packed(tmp_path / "right.tar", [STATE, _users(COLUMNS, ROW)], revision=snapshot.revision)
    assert restore(catalog, tmp_path / "home", right, check_backup(right)) == 2


def test_leavings_and_names_of_other_systems_are_not_kept(catalog: Catalog, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    (pictures / "@eaDir").mkdir(parents=True)
    for name in ("1.webp", "Thumbs.db", "._1.webp", "@eaDir/1.webp"):
        (pictures / name).write_bytes(b"1")
    (pictures / os.fsdecode(b"\xbf\xf8.webp")).write_bytes(b"1")
    taken = take_backup(catalog, tmp_path, tmp_path / "shop.tar", ABOUT)
    assert [name for name in taken.members if name.startswith("pictures/")] == ["pictures/1.webp"]
    check_backup(tmp_path / "shop.tar")


def test_an_empty_shop_is_no_backup_and_a_slash_makes_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))
    into = f"{tmp_path}/new/"
    refused = CliRunner().invoke(main, ["backup", into])
    assert (refused.exit_code, "nothing to back up" in refused.output) == (2, True)
    assert not (tmp_path / "home").exists()
    said = "green apples on a blue table\n"
    assert CliRunner().invoke(main, ["operator", "add", "a@b.com", "--password-stdin"], input=said).exit_code == 0
    assert CliRunner().invoke(main, ["backup", into]).exit_code == 0
    assert [file.suffix for file in (tmp_path / "new").iterdir()] == [".tar"]


def test_what_killed_backups_left_goes_after_a_day(tmp_path: Path) -> None:
    old, fresh, other = (tmp_path / f".{name}" for name in ("mapsi-20260301-031500.tar.a", "mapsi-20260302-031500.tar.b", "x.tar.c"))  # fmt: skip
    for file in (old, fresh, other):
        file.write_bytes(b"1")
    for file in (old, other):
        os.utime(file, (0, 0))
    clear_unfinished(tmp_path)
    assert set(tmp_path.iterdir()) == {fresh, other}


def test_a_backup_of_another_schema_is_told_and_leaves_nothing(
    small_backup: Path, migrated_sqlite: bytes, tmp_path: Path
) -> None:
    contents = check_backup(small_backup)
    other = Contents("0000", contents.version, contents.made_at, members=contents.members)
    fresh = tmp_path / "fresh.sqlite3"
    fresh.write_bytes(migrated_sqlite)
    with open_catalog(fresh) as empty, pytest.raises(CatalogError, match="another version"):
        restore(empty, tmp_path / "home", small_backup, other)
