"""A disk that is full or may only be read: a server starts on it and answers all that needs no writing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mapsi.catalog import open_catalog
from servers import require
from small_house import open_house

ANSWERS = """
import io, re, sys
from pathlib import Path
from PIL import Image
from mapsi.catalog import open_catalog
from mapsi.imaging import PhotoLimits
from mapsi.infer import Model
from mapsi.pictures.store import PictureStore
from mapsi.search.finder import Finder
from mapsi.search.pair import ServingPair
from small_house import House
from mapsi.taxonomy import load_taxonomy

home = Path(sys.argv[1])
try:
    (home / "probe").write_bytes(bytes(100_000))
    raise SystemExit("the disk takes files")
except OSError:
    pass
catalog = open_catalog(home / "catalog.db", visitors=True, words=home / "words")
catalog.migrate()
model = Model.open(home / "model", threads=1)
pictures = PictureStore(home / "pictures", PhotoLimits())
finder = Finder(catalog, ServingPair(model, home / "index"), pictures, load_taxonomy())
client = House(finder, load_taxonomy(), home).app().test_client()
page = client.get("/")
token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)[1]
photo = io.BytesIO()
Image.new("RGB", (64, 64), "#c0392b").save(photo, "PNG")
photo.seek(0)
answer = client.post("/search/photo", data={"csrf_token": token, "photo": (photo, "a.png")})
there = client.get(answer.headers["Location"])
asked = ("/", "/search?q=coat", "/search?q=nothing-of-the-kind", "/healthz", "/account/login", "/api/v1/search/words?q=셔츠")
print([page.status_code, answer.status_code, there.status_code, *(client.get(path).status_code for path in asked)])
"""

READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"'
FULL = (
    'mount -t tmpfs -o size=8m none "$2" && cp -r "$1"/. "$2" && (dd if=/dev/zero of="$2/filler" bs=4k || '
    "true) 2>/dev/null"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    with open_house(folder), open_catalog(folder / "catalog.db", words=folder / "words") as catalog:
        assert catalog.listings.rebuild() > 0
    return folder


@pytest.fixture(params=["words were indexed", "no words were indexed yet"])
def disk(request: pytest.FixtureRequest, home: Path, tmp_path: Path) -> Path:
    """A copy of the home, with its index of words or without."""
    copy = tmp_path / "disk"
    shutil.copytree(home, copy)
    if request.param.startswith("no"):
        shutil.rmtree(copy / "words")
    return copy


def _answers(home: Path, change: str, folder: Path, place: Path, asked: str = ANSWERS) -> str:
    """What the pages answer where ``change`` was done to the disk, in a namespace of its own."""
    require(shutil.which("unshare"), "unshare")
    script = f'{change} && exec "$3" -c "$4" "$5"'
    words = ["unshare", "-m", *([] if os.geteuid() == 0 else ["-r"]), "sh", "-c", script, "sh", str(home), str(folder)]
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [*words, sys.executable, asked, str(place)],
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or done.stderr


ALL_WELL = "[200, 303, 200, 200, 200, 200, 200, 200, 200]"


def test_a_server_starts_on_a_disk_that_may_only_be_read_and_answers(disk: Path, tmp_path: Path) -> None:
    assert _answers(disk, READ_ONLY, tmp_path, disk) == ALL_WELL


def test_a_server_starts_on_a_full_disk_and_answers(disk: Path, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    assert _answers(disk, FULL, full, full) == ALL_WELL


BEGIN = """
import sys
from pathlib import Path
from mapsi.catalog import open_catalog
from mapsi.errors import CatalogError
try:
    open_catalog(Path(sys.argv[1]) / "new" / "catalog.db").migrate()
except CatalogError as error:
    print(error)
"""


def test_a_catalogue_that_a_full_disk_has_no_room_for_is_told_as_that(tmp_path: Path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.mkdir()
    full.mkdir()
    assert _answers(empty, FULL, full, full, BEGIN) == "The disk is full. Make room and try again."
