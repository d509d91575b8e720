"""The house: imports point down, one room owns each heavy library, and serving stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "mapsi"

FLOORS = [
    {"cli"},
    {"web"},
    {"search", "refresh", "work", "documents"},
    {"backup", "pictures"},
    {"collect", "learn", "providers", "sample"},
    {"dataset", "decoder", "evaluate", "infer", "catalog", "remote", "mailing"},
    {"imaging", "photo_folders", "tables", "taxonomy"},
    {"artifacts", "settings", "colour_profiles", "milvus", "photo_process", "pixel_budget", "thumbprints"},
    {
        "errors",
        "arrays",
        "batches",
        "cores",
        "disjoint_sets",
        "encodings",
        "file_names",
        "http_address",
        "killable",
        "memory",
        "photo_bytes",
        "placeholders",
        "progress",
        "stopping",
    },
]
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

INSIDE = {
    "catalog": [
        {"catalog"},
        {"operations", "people"},
        {"imports"},
        {"listings", "pictures"},
        {"text"},
        {"store"},
        {"query"},
        {"filters", "product", "records"},
        {"offer"},
    ],
    "collect": [
        {"google", "harvest", "review"},
        {"sources"},
        {"browser", "faults", "pace", "selectors", "source"},
    ],
    "evaluate": [
        {"report"},
        {"groups"},
        {"comparison", "confusion", "coverage", "pairs", "reliability"},
        {"resampling"},
        {"answers"},
        {"photos", "scores"},
    ],
    "learn": [
        {"export"},
        {"fitting"},
        {"module"},
        {"optimiser"},
        {"network"},
        {"pooling"},
        {"imagenet", "garment_map", "likeness", "machine", "photos", "run"},
        {"augmentation", "objective", "recipe"},
    ],
    "providers": [
        {"merchant"},
        {"markup", "naver_ep", "own_csv", "shop_json", "shopify", "woocommerce"},
        {"exports", "items", "shop_items", "table"},
        {"arrivals", "provider", "quota", "rows", "shop_faults"},
    ],
    "sample": [
        {"shop", "variation"},
        {"drawing", "recipes", "wardrobe"},
        {"feed", "garments"},
        {"cloth", "nothing", "product"},
    ],
    "web": [
        {"app"},
        {"pages"},
        {"api", "operator", "review", "server"},
        {"accounts"},
        {"saved", "sharing"},
        {"lists"},
        {"request"},
        {"state"},
    ],
}
"""The floors of the rooms and files inside each large room, top to bottom."""

CATALOG_FACE = {
    "",
    "filters",
    "imports.query_answers",
    "imports.run",
    "imports.sources",
    "listings.columns",
    "listings.priced",
    "offer",
    "operations.clicks",
    "operations.jobs",
    "operations.searches",
    "operations.snapshots",
    "operations.status",
    "people.accounts",
    "people.emails",
    "people.saved",
    "people.sessions",
    "people.shares",
    "pictures.fetching",
    "pictures.readings",
    "product",
    "query",
    "records",
    "text.photo_words",
    "text.tokens",
}
"""What other rooms may import of ``catalog/``. Think twice before adding to it: a value of ``records`` may do."""

OWNERS = {
    "torch": {"learn"},
    "torchvision": {"learn"},
    "timm": {"learn"},
    "lightning": {"learn"},
    "onnx": {"learn"},
    "onnxruntime": {"infer", "learn"},
    "sqlalchemy": {"catalog"},
    "alembic": {"catalog"},
    "faiss": {"search"},
    "grpc": {"milvus"},
    "pymilvus": {"milvus"},
    "tantivy": {"catalog"},
    "flask": {"web"},
    "argon2": {"web"},
    "smtplib": {"mailing"},
    "uvicorn": {"web"},
    "sklearn": {"evaluate", "learn", "dataset"},
    "cleanlab": {"dataset"},
    "matplotlib": {"evaluate"},
    "celery": {"work"},
    "redis": {"web"},
    "PIL": {"colour_profiles", "imaging", "sample", "search", "pictures", "evaluate", "infer", "cli", "web", "learn"},
    "pi_heif": {"imaging"},
    "resvg_py": {"sample"},
    "selenium": {"collect"},
    "imagehash": {"dataset", "collect"},
}
"""Which rooms may import a heavy library. Pillow is owned by ``imaging``: the others may name its picture type, and
only ``sample`` draws with it. ``learn`` quantises and checks with onnxruntime what ``infer`` then runs."""


def _modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts not in (("__init__",), ("__main__",)):
            yield parts[0], path


@cache
def _imports(path: Path) -> tuple[str, ...]:
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield from ([f"mapsi.{a.name}" for a in node.names] if node.module == "mapsi" else [node.module])


def _imports_of(room: str) -> Iterator[tuple[Path, str]]:
    for path in MODULES[room]:
        for name in _imports(path):
            yield path, name


MODULES: dict[str, list[Path]] = {}
for _room, _path in _modules():
    MODULES.setdefault(_room, []).append(_path)


def test_every_room_has_its_floor() -> None:
    assert set(MODULES) <= set(FLOOR_OF)


@pytest.mark.parametrize("room", MODULES)
def test_imports_point_down(room: str) -> None:
    for path, name in _imports_of(room):
        parts = name.split(".")
        if parts[0] != "mapsi" or parts == ["mapsi", "__version__"]:
            continue
        assert len(parts) > 1, f"{path} imports the package root"
        other = parts[1]
        assert other == room or FLOOR_OF[other] > FLOOR_OF[room], f"{path} imports {name}"


@pytest.mark.parametrize("room", INSIDE)
def test_imports_point_down_inside_a_large_room(room: str) -> None:
    floor_of = {part: number for number, parts in enumerate(INSIDE[room]) for part in parts}
    for path, name in _imports_of(room):
        parts = name.split(".")
        if parts[:2] != ["mapsi", room] or path == PACKAGE / room / "__init__.py":
            continue
        own = path.relative_to(PACKAGE / room).with_suffix("").parts[0]
        assert len(parts) > 2, f"{path} imports its own front door"
        assert parts[2] == own or floor_of[parts[2]] > floor_of[own], f"{path} imports {name}"


def test_other_rooms_import_no_more_of_the_catalogue_than_its_face() -> None:
    outside = (name for room in MODULES if room != "catalog" for _, name in _imports_of(room))
    names = {name for name in outside if name.split(".")[:2] == ["mapsi", "catalog"]}
    assert {name.removeprefix("mapsi.catalog").removeprefix(".") for name in names} == CATALOG_FACE


@pytest.mark.parametrize("room", MODULES)
def test_one_room_owns_each_heavy_library(room: str) -> None:
    for path, name in _imports_of(room):
        owners = OWNERS.get(name.split(".", maxsplit=1)[0])
        assert owners is None or room in owners, f"{path} imports {name}"


def test_serving_and_evaluating_load_no_torch() -> None:
    script = (
        "import sys, mapsi.cli, mapsi.cli.opening, mapsi.web.app, mapsi.web.server.serving, mapsi.search.building, "
        "mapsi.refresh.refreshing, mapsi.evaluate;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'timm', 'lightning', 'matplotlib', 'onnx')))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_server_starts_without_what_it_does_not_need() -> None:
    script = (
        "import sys, mapsi.cli.serve, mapsi.cli.opening, mapsi.web.app, mapsi.web.server.serving, mapsi.search.building;"
        "found = [name for name in ('scipy', 'sklearn', 'cv2', 'tqdm', 'pymilvus', 'celery') if name in sys.modules];"
        "sys.exit(' '.join(found))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_the_command_line_starts_without_any_heavy_library() -> None:
    script = (
        "import sys, mapsi.cli;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'onnxruntime', 'sqlalchemy', 'flask', 'faiss', "
        "'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
