"""Reading many pictures: each once, on all cores, by one builder at a time; a new model takes over together with its
index."""

from __future__ import annotations

import errno
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mapsi.artifacts import file_digest, write_json
from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.query import Query
from mapsi.errors import ArtifactError, BusyError, NotFoundError
from mapsi.infer import Model
from mapsi.infer.folder import DOCUMENT
from mapsi.pictures.embedding import BATCH, embed_pictures
from mapsi.progress import no_progress
from mapsi.remote import Fetcher
from mapsi.search import models
from mapsi.search.building import LOCK, Installation, build, building
from mapsi.search.finder import Finder
from mapsi.search.pair import ServingPair
from mapsi.search.pruning import prune
from mapsi.search.snapshot import current_name, read_snapshot
from mapsi.taxonomy import load_taxonomy
from offers import offer, take_in, take_in_all
from picture_server import PictureServer, run_picture_server
from small_house import EVERYTHING, draw_garment, install, photo_bytes, write_colour_model

TAXONOMY = load_taxonomy()
COLOURS = ("#c0392b", "#2a6fb0", "#1e8449", "#d4ac0d")


def write_model(folder: Path, name: str) -> Model:
    """A colour model; another name makes another model."""
    write_colour_model(folder, TAXONOMY)
    document = Model.open(folder, threads=1).document.to_json() | {"name": name}
    write_json(folder / DOCUMENT, document)
    return Model.open(folder, threads=1)


@cache
def _drawn(number: int) -> bytes:
    out = io.BytesIO()
    draw_garment(COLOURS[number % len(COLOURS)], number).resize((24, 30 + number)).save(out, "PNG")
    return out.getvalue()


def stock(catalog: Catalog, folder: Path, count: int, **more: object) -> None:
    """Offers with a drawn picture each."""
    folder.mkdir(exist_ok=True)
    for n in range(count):
        (folder / f"{n}.png").write_bytes(_drawn(n))
    take_in_all(catalog, (offer(str(n), f"데일리 {n}", image=str(folder / f"{n}.png")) for n in range(count)), **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_model(tmp_path_factory.mktemp("old") / "model", "old")


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_model(tmp_path_factory.mktemp("new") / "model", "new")


@pytest.fixture
def shop(catalog: Catalog, old: Model, tmp_path: Path) -> Installation:
    stock(catalog, tmp_path / "feed", 20)
    return install(catalog, old, tmp_path)


# --- reading ---------------------------------------------------------------------------------------------------------


def test_a_build_reports_what_it_did_and_reads_nothing_twice(shop: Installation, tmp_path: Path) -> None:
    first = build(shop, no_progress)
    assert (first.copies.copied, first.index.reading.read, first.index.reused, first.index.indexed) == (20, 20, 0, 20)
    assert first.index.reading.rate > 0
    stock(shop.catalog, tmp_path / "feed", 23)
    second = build(shop, no_progress)
    assert (second.copies.copied, second.index.reading.read, second.index.reused, second.index.indexed) == (
        3,
        3,
        20,
        23,
    )


def test_many_threads_read_what_one_picture_after_another_gives(shop: Installation) -> None:
    build(shop, no_progress, threads=4)
    snapshot = read_snapshot(shop.index_root, current_name(shop.index_root) or "")
    assert snapshot.index.size == 20
    for row in shop.catalog.readings.index_rows(shop.model.fingerprint):
        (product,) = shop.catalog.listings.products([row.offer_id])
        alone = shop.model.read(shop.pictures.open(product.picture)).embedding
        np.testing.assert_allclose(row.embedding.astype(np.float32), alone, atol=2e-3)


def test_a_damaged_copy_is_lost_for_one_build_and_fetched_by_the_next(shop: Installation) -> None:
    build(shop, no_progress)
    victim = sorted(shop.pictures._root.rglob("*.webp"))[0]
    victim.write_bytes(b"broken")
    with_new = embed_pictures(shop.catalog, shop.model, shop.pictures, no_progress)
    assert with_new.read == 0, "an unchanged picture is never read again"
    shop.catalog.readings.prune([])
    report = build(shop, no_progress)
    assert (report.index.reading.read, report.index.reading.lost, report.index.indexed) == (19, 1, 19)
    again = build(shop, no_progress)
    assert (again.copies.copied, again.index.reading.read, again.index.reading.lost, again.index.indexed) == (
        1,
        1,
        0,
        20,
    )


def test_linked_pictures_are_read_from_memory_and_never_kept(catalog: Catalog, old: Model, tmp_path: Path) -> None:
    with run_picture_server() as server:
        urls = [server.put(f"/{n}.png", photo_bytes(COLOURS[n], "PNG")) for n in range(4)]
        take_in(catalog, *(offer(str(n), image=url) for n, url in enumerate(urls)), copies=False)
        shop = install(catalog, old, tmp_path, Fetcher(allow_hosts=(server.host,)))
        report = build(shop, no_progress)
        assert (report.copies.linked, report.index.reading.read, report.index.indexed) == (4, 4, 4)
        assert server.asked.total() == 4, "fetched once, read from memory"
        assert not list((tmp_path / "pictures").rglob("*.webp"))
        another(shop, server, tmp_path)


def another(shop: Installation, server: PictureServer, tmp_path: Path) -> None:
    """A new model fetches them once more; one that cannot be had is told and stops nothing."""
    server.put("/3.png", b"", status=404)
    fetcher = Fetcher(allow_hosts=(server.host,))
    later = install(shop.catalog, write_model(tmp_path / "later", "later"), tmp_path, fetcher)
    report = build(later, no_progress)
    assert (report.index.reading.read, report.index.indexed) == (3, 3)
    assert [image for image, _ in report.index.reading.failed] == [server.url("/3.png")]
    assert not list((tmp_path / "pictures").rglob("*.webp"))


# --- one builder -----------------------------------------------------------------------------------------------------


def test_two_builders_do_not_collide(shop: Installation) -> None:
    told: list[str] = []
    with building(shop.index_root):
        with pytest.raises(BusyError, match="building the index"):
            build(shop, no_progress)
        with pytest.raises(BusyError):
            prune(shop)
        waiting = threading.Thread(
            target=build, args=(shop, no_progress), kwargs={"patience": 30.0, "waiting": lambda: told.append("waits")}
        )
        waiting.start()
        while not told:
            time.sleep(0.01)
        assert current_name(shop.index_root) is None
    waiting.join()
    assert current_name(shop.index_root) is not None


CHILD = """
import sys
from pathlib import Path
from mapsi.catalog import open_catalog
from mapsi.infer import Model
from mapsi.search.building import build
from small_house import EVERYTHING, install

def progress(step, total):
    print(step, flush=True)
    return lambda count: None

with open_catalog(sys.argv[1]) as catalog:
    build(install(catalog, Model.open(Path(sys.argv[2]), threads=1), Path(sys.argv[3])), progress)
print("done", flush=True)
"""


@pytest.mark.parametrize(("kind", "kills"), [("sqlite", 2), ("mariadb", 1)])
def test_a_killed_build_loses_at_most_a_batch_a_thread(
    new_database: Callable[[str], str], kind: str, kills: int, old: Model, tmp_path: Path
) -> None:
    chance, url = random.Random(7), new_database(kind)
    assert old.folder is not None
    with open_catalog(url) as catalog:
        catalog.migrate()
        stock(catalog, tmp_path / "feed", 100)
        for _ in range(kills):
            before = catalog.readings.count(old.fingerprint)
            told = kill_in_the_middle(url, old.folder, tmp_path, chance.uniform(0, 0.25))
            name = current_name(tmp_path / "index")
            if name is not None:
                assert read_snapshot(tmp_path / "index", name).index.size == 100
            assert catalog.readings.count(old.fingerprint) >= before, told
        report = build(install(catalog, old, tmp_path), no_progress, patience=10)
        assert (report.index.reading.read + report.index.reused, report.index.indexed) == (100, 100)
        assert report.index.reading.lost == report.copies.failed_count == 0


def kill_in_the_middle(url: str, model: Path, root: Path, seconds: float) -> list[bytes]:
    command = [sys.executable, "-c", CHILD, url, str(model), str(root)]
    with subprocess.Popen(command, cwd=Path(__file__).parent, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        told = [child.stdout.readline()]
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        told += child.stdout.readlines()
    return told


def test_a_stopped_build_keeps_what_it_read(shop: Installation, tmp_path: Path) -> None:
    def stop_soon(step: str, total: int) -> Callable[[int], object]:
        def advance(count: int) -> None:
            if step == "reading":
                raise KeyboardInterrupt

        return advance

    with pytest.raises(KeyboardInterrupt):
        build(shop, stop_soon, threads=1)
    assert shop.catalog.readings.count(shop.model.fingerprint) in range(1, BATCH + 1)
    assert build(shop, no_progress).index.indexed == 20


# --- the switch ------------------------------------------------------------------------------------------------------


@pytest.fixture
def finder(shop: Installation) -> Finder:
    build(shop, no_progress)
    return Finder(
        shop.catalog, ServingPair(shop.model, shop.index_root, shop.models.open), shop.pictures, TAXONOMY, EVERYTHING
    )


RED = Image.new("RGB", (40, 40), COLOURS[0])


def test_a_server_goes_over_to_a_new_model_with_its_index(
    shop: Installation, finder: Finder, new: Model, tmp_path: Path
) -> None:
    assert finder.status()["model"] == shop.model.fingerprint
    reading = finder.read(RED)
    found = finder.by_photo(reading, Query(size=5)).products
    build(install(shop.catalog, new, tmp_path), no_progress)
    assert finder.status() == {"model": new.fingerprint, "offers": 20, "indexed": 20, "index": "ok", "words": "ok"}
    assert finder.read(RED).model == new.fingerprint
    assert finder.by_photo(reading, Query(size=5)).products == found, "paging goes on in the index before"


def test_while_the_new_model_reads_the_old_pair_answers(
    shop: Installation, finder: Finder, new: Model, tmp_path: Path
) -> None:
    asked: list[str] = []

    def ask(step: str, total: int) -> Callable[[int], object]:
        def advance(count: int) -> None:
            reading = finder.read(RED)
            assert finder.by_photo(reading, Query(size=5)).total > 0
            asked.append(reading.model)

        return advance

    build(install(shop.catalog, new, tmp_path), ask)
    assert set(asked) == {shop.model.fingerprint}
    assert finder.read(RED).model == new.fingerprint


def test_a_reading_older_than_the_index_before_is_a_sentence(
    shop: Installation, finder: Finder, new: Model, tmp_path: Path
) -> None:
    reading = finder.read(RED)
    for model in (new, write_model(tmp_path / "third", "third")):
        build(install(shop.catalog, model, tmp_path), no_progress)
        finder.status()
    with pytest.raises(NotFoundError, match="no longer in use"):
        finder.by_photo(reading, Query(size=5))


def test_the_index_before_is_let_go_after_its_time(shop: Installation, new: Model, tmp_path: Path) -> None:
    build(shop, no_progress)
    finder = Finder(
        shop.catalog,
        ServingPair(shop.model, shop.index_root, shop.models.open, 0.0),
        shop.pictures,
        TAXONOMY,
        EVERYTHING,
    )
    reading = finder.read(RED)
    build(install(shop.catalog, new, tmp_path), no_progress)
    finder.status()
    time.sleep(0.01)
    with pytest.raises(NotFoundError):
        finder.by_photo(reading, Query(size=5))


def test_readers_never_meet_a_model_with_the_others_index(shop: Installation, new: Model, tmp_path: Path) -> None:
    build(shop, no_progress)
    serving = ServingPair(shop.model, shop.index_root, shop.models.open)
    finder = Finder(shop.catalog, serving, shop.pictures, TAXONOMY, EVERYTHING)
    stopped, faults = threading.Event(), []

    def shopper() -> None:
        while not stopped.is_set():
            try:
                pair, reading = serving.now(), finder.read(RED)
                if pair.snapshot is None or pair.snapshot.model != pair.model.fingerprint:
                    faults.append(str(pair))
                finder.by_photo(reading, Query(size=1))
            except Exception as error:  # noqa: BLE001 - told by the test
                faults.append(repr(error))

    shoppers = [threading.Thread(target=shopper) for _ in range(4)]
    for one in shoppers:
        one.start()
    for model in (new, shop.model, new):
        build(install(shop.catalog, model, tmp_path), no_progress)
        time.sleep(0.05)
    stopped.set()
    for one in shoppers:
        one.join()
    assert faults == []
    assert finder.status()["model"] == new.fingerprint


def test_the_models_of_both_indexes_are_kept_and_no_others(shop: Installation, new: Model, tmp_path: Path) -> None:
    third = write_model(tmp_path / "third", "third")
    for model in (shop.model, new, third):
        build(install(shop.catalog, model, tmp_path), no_progress)
    assert {folder.name for folder in (tmp_path / "models").iterdir()} == {new.fingerprint, third.fingerprint}
    shop.models.choose(new.fingerprint)
    assert shop.models.chosen() == tmp_path / "models" / new.fingerprint
    with pytest.raises(ArtifactError, match="no longer here"):
        shop.models.open(shop.model.fingerprint)


@pytest.mark.parametrize("file", ["model.onnx", "model.json"])
def test_a_damaged_copy_of_a_model_is_mended_by_the_next_build(shop: Installation, tmp_path: Path, file: str) -> None:
    build(shop, no_progress)
    (tmp_path / "models" / shop.model.fingerprint / file).write_bytes(b"")
    with pytest.raises(ArtifactError):
        shop.models.open(shop.model.fingerprint)
    build(shop, no_progress)
    assert shop.models.open(shop.model.fingerprint).fingerprint == shop.model.fingerprint


def test_a_copy_of_a_model_that_may_not_be_read_or_leads_nowhere_is_made_again(
    shop: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(shop, no_progress)
    kept = tmp_path / "models" / shop.model.fingerprint
    refused = kept / "model.json"

    def digest(file: Path) -> str:
        if file == refused:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
        return file_digest(file)

    monkeypatch.setattr(models, "file_digest", digest)
    before = refused.stat().st_ino
    shop.models.keep(shop.model)
    assert refused.stat().st_ino != before
    shutil.rmtree(kept)
    kept.symlink_to(kept.name)
    shop.models.keep(shop.model)
    assert shop.models.open(shop.model.fingerprint).fingerprint == shop.model.fingerprint


def test_a_disk_without_room_for_the_model_is_told_in_words(
    shop: Installation, new: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, copy: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(copy))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left") as caught:
        shop.models.keep(new)
    assert caught.value.strerror == "No space left on device"


@pytest.mark.parametrize(
    ("chosen", "told"),
    [("0123456789abcdef", "is not in"), ("../pictures", "holds no name"), ("", "holds no name")],
)
def test_a_chosen_model_that_is_gone_is_told_until_another_is_chosen(
    shop: Installation, tmp_path: Path, chosen: str, told: str
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "chosen").write_text(chosen)
    with pytest.raises(ArtifactError, match=told) as error:
        shop.models.chosen()
    assert "`mapsi index build --model FOLDER`" in error.value.hint
    finder = Finder(shop.catalog, ServingPair(shop.model, shop.index_root), shop.pictures, TAXONOMY, models=shop.models)
    build(shop, no_progress)
    assert finder.status()["index"] == "modelless"
    assert finder.by_photo(finder.read(Image.open(io.BytesIO(_drawn(1))).convert("RGB")), Query(size=1)).total > 0
    shop.models.choose(shop.model.fingerprint)
    assert finder.status()["index"] == "ok"


# --- pruning ---------------------------------------------------------------------------------------------------------


def age(root: Path, days: float = 60) -> None:
    """Make all files of the store look old."""
    then = time.time() - days * 86_400
    for file in (root / "pictures").rglob("*.*"):
        os.utime(file, (then, then))


def test_pictures_of_offers_long_gone_are_pruned_and_no_others(shop: Installation, tmp_path: Path) -> None:
    build(shop, no_progress)
    stock(shop.catalog, tmp_path / "feed", 10)
    age(tmp_path)
    later = datetime.now(UTC) + timedelta(days=29)
    assert prune(shop, now=later).pictures == 0, "gone for less than thirty days"
    later += timedelta(days=2)
    dry = prune(shop, now=later, dry_run=True)
    assert (dry.pictures, dry.files) == (10, 10)
    assert len(list((tmp_path / "pictures").rglob("*.webp"))) == 20
    report = prune(shop, now=later)
    assert (report.pictures, report.files, report.bytes) == (10, 10, dry.bytes)
    assert len(list((tmp_path / "pictures").rglob("*.webp"))) == 10
    assert build(shop, no_progress).index.indexed == 10
    stock(shop.catalog, tmp_path / "feed", 20)
    assert build(shop, no_progress).index.indexed == 20, "what comes back is fetched again"


def test_what_kills_left_is_swept_and_what_is_being_made_is_not(shop: Installation, tmp_path: Path) -> None:
    build(shop, no_progress)
    age(tmp_path)
    folder = tmp_path / "pictures" / "ab"
    folder.mkdir(exist_ok=True)
    names = (f".{'ab' * 32}.webp.x1y2", f"{'ab' * 32}.webp", f"{'ab' * 32}-240.webp")
    for name in names:
        (folder / name).write_bytes(b"left behind")
    assert prune(shop).files == 0, "made just now, perhaps by a copy under way"
    age(tmp_path)
    assert prune(shop).files == len(names)
    assert len(list((tmp_path / "pictures").rglob("*.webp"))) == 20


def test_a_prune_that_is_killed_half_way_is_finished_by_the_next(
    shop: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(shop, no_progress)
    stock(shop.catalog, tmp_path / "feed", 10)
    age(tmp_path)
    later, real, left = datetime.now(UTC) + timedelta(days=31), Path.unlink, [4]

    def killed(self: Path, missing_ok: bool = False) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        real(self, missing_ok=missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            prune(shop, now=later)
    assert prune(shop, now=later).files == 7
    report = build(shop, no_progress)
    assert (report.index.indexed, report.copies.lost) == (10, 0)


def test_readings_of_models_of_the_past_are_pruned(shop: Installation, new: Model, tmp_path: Path) -> None:
    for model in (shop.model, new, write_model(tmp_path / "third", "third")):
        last = install(shop.catalog, model, tmp_path)
        build(last, no_progress)
    assert prune(last).readings == 20
    assert shop.catalog.readings.count(shop.model.fingerprint) == 0
    assert shop.catalog.readings.count(new.fingerprint) == 20, "the index before still serves readings held"


def test_the_lock_is_a_file_that_stays_and_holds_nobody_up(shop: Installation) -> None:
    with building(shop.index_root):
        pass
    assert (shop.index_root / LOCK).exists()
    with building(shop.index_root):
        pass


def test_sigterm_ends_a_build_with_a_sentence_and_keeps_what_was_read(tmp_path: Path, old: Model) -> None:
    feed = tmp_path / "feed"
    feed.mkdir()
    rows = ["id,title,link,image_link,price,availability"]
    for n in range(160):
        draw_garment(COLOURS[n % 4], n).resize((24, 30 + n)).save(feed / f"{n}.png")
        rows.append(f"{n},Shirt {n},https://shop.example.com/{n},{n}.png,1000 KRW,in_stock")
    (feed / "feed.csv").write_text("\n".join(rows) + "\n", "utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAPSI_")}
    environment = {**kept, "MAPSI_HOME": str(tmp_path / "home"), "MAPSI_MODEL": str(old.folder)}
    words = [sys.executable, "-m", "mapsi", "catalog", "import", str(feed / "feed.csv"), "--format", "csv"]
    command = [*words, "--shop", "Shop"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert "160 new" in child.stdout.readline()
        while not list((tmp_path / "home").glob("pictures/*/*.webp")):
            assert child.poll() is None
            time.sleep(0.01)
        child.send_signal(signal.SIGTERM)
        _, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "Stopped." in errors
    assert "Traceback" not in errors
    again = subprocess.run(
        [sys.executable, "-m", "mapsi", "index", "build"], env=environment, capture_output=True, text=True, check=True
    )
    assert "160 offers can be found by a photo" in again.stdout
