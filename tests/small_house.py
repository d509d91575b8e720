"""A small house for tests of the pages: a real catalogue, pictures, index and finder, and a network of a few weights.

The network is read by ONNX Runtime like any other, but sees colours only, so that it answers in a moment and its
answers can be foreseen: a grey picture makes it unsure, a strong colour makes it sure.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw
from sqlalchemy import event

from mapsi.artifacts import file_digest, write_json
from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.store.database import Clock, utc_now
from mapsi.imaging import PhotoLimits, Preprocessing
from mapsi.infer import Model
from mapsi.infer.folder import DOCUMENT, NETWORK, AxisLabels, ModelDocument
from mapsi.pictures.copying import PictureSource
from mapsi.pictures.store import PictureStore
from mapsi.progress import no_progress
from mapsi.refresh.feeds import import_feed
from mapsi.remote import Fetcher
from mapsi.search.building import Installation, build
from mapsi.search.finder import Finder
from mapsi.search.index import VectorDatabase
from mapsi.search.models import ModelStore
from mapsi.search.pair import ServingPair
from mapsi.search.score import load_weights
from mapsi.settings import Settings
from mapsi.taxonomy import Taxonomy, load_taxonomy
from mapsi.web.app import create_app

EVERYTHING = replace(load_weights(), least=0.0)
"""The colour model is sure of nothing: with it, an answer does not end."""
SIDE = 32
GRID = 4
CHANNELS = 3
WIDTH = CHANNELS * GRID * GRID

KINDS = (
    ("린넨 셔츠", "Linen shirt", "Men > Shirts", "men"),
    ("와이드 팬츠", "Wide pants", "Women > Trousers", "women"),
    ("꽃무늬 원피스", "Floral one-piece dress", "Women > Dresses", "women"),
    ("롱코트", "Long coat", "Women > Coats", "women"),
    ("니트 가디건", "Knit cardigan", "Men > Knitwear", "men"),
)
COLOURS = ("#c0392b", "#2a6fb0", "#1e8449", "#d4ac0d", "#7d3c98", "#d35400")


@dataclass(frozen=True)
class House:
    """What an application is made of; :meth:`app` makes one with settings of its own."""

    finder: Finder
    taxonomy: Taxonomy
    home: Path

    @property
    def catalog(self) -> Catalog:
        return self.finder.catalog

    def app(self, **changes: object) -> Flask:
        settings = {"image_rate": "100000 per minute", "words_rate": "100000 per minute", **changes}
        made = Settings(home=self.home, **settings)  # type: ignore[arg-type]
        app = create_app(made, finder=self.finder, taxonomy=self.taxonomy, secret_key="a key for tests" * 3)
        app.jinja_env.bytecode_cache = _COMPILED
        return app


CopiedHouse = Callable[..., AbstractContextManager[House]]
"""Opens a house of one's own, by the clock it is given if any."""


class _Compiled(BytecodeCache):
    """Templates compiled once for all applications: 100 ms for the first page of each."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


@contextmanager
def asked_of(catalog: Catalog) -> Iterator[list[str]]:
    """The statements that the catalogue's database is asked within the block."""
    asked: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    engine = catalog._database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def open_house(
    folder: Path,
    *,
    shop_url: str = "https://shop.example.com",
    model: Model | None = None,
    now: Clock = utc_now,
) -> Iterator[House]:
    """Two shops of real-looking offers and one of samples, imported and indexed as the command line does it, by the
    colour model or by ``model``; ``now`` is the clock that says what has expired."""
    taxonomy = load_taxonomy()
    model = model or Model.open(write_colour_model(folder / "model", taxonomy), threads=1)
    with open_catalog(f"sqlite:///{folder / 'catalog.db'}", now) as catalog:
        catalog.migrate()
        for shop, first, sample in (("Haru", 0, False), ("Nuri", 30, False), ("Drawn", 60, True)):
            feed = write_feed(folder / shop, range(first, first + 30), f"{shop_url}/{shop.lower()}")
            import_feed(catalog, feed, format="csv", shop=shop, taxonomy=taxonomy, sample=sample)
        build(install(catalog, model, folder), no_progress)
        yield _house(catalog, model, folder)


@contextmanager
def reopen_house(folder: Path, now: Clock = utc_now) -> Iterator[House]:
    """What :func:`open_house` left in ``folder``, or a copy of it; ``now`` as there."""
    with open_catalog(f"sqlite:///{folder / 'catalog.db'}", now) as catalog:
        yield _house(catalog, Model.open(folder / "model", threads=1), folder)


def _house(catalog: Catalog, model: Model, folder: Path) -> House:
    installation = install(catalog, model, folder)
    serving = ServingPair(model, installation.index_root)
    taxonomy = installation.taxonomy
    return House(Finder(catalog, serving, installation.pictures, taxonomy, EVERYTHING), taxonomy, folder)


def install(
    catalog: Catalog,
    model: Model,
    root: Path,
    fetcher: Fetcher | None = None,
    database: VectorDatabase | None = None,
) -> Installation:
    """The catalogue with a model, and stores and an index under ``root``."""
    return Installation(
        catalog=catalog,
        model=model,
        taxonomy=load_taxonomy(),
        pictures=PictureStore(root / "pictures", PhotoLimits()),
        source=PictureSource(fetcher or Fetcher(), 1 << 20, 5),
        index_root=root / "index",
        models=ModelStore(root / "models", threads=1),
        database=database,
    )


def write_feed(folder: Path, numbers: range, shop_url: str) -> Path:
    """A CSV feed with a drawn picture beside it for each offer."""
    folder.mkdir()
    with (folder / "feed.csv").open("w", encoding="utf-8", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(("id", "title", "link", "image_link", "price", "product_type", "gender"))
        for number in numbers:
            korean, english, category, gender = KINDS[number % len(KINDS)]
            draw_garment(COLOURS[number % len(COLOURS)], number).save(folder / f"{number}.png")
            title = f"{korean} {number}" if number % 2 else f"{english} {number}"
            price = f"{9000 + number * 1000} KRW"
            rows.writerow((number, title, f"{shop_url}/p/{number}", f"{number}.png", price, category, gender))
    return folder / "feed.csv"


def draw_garment(colour: str, number: int = 0) -> Image.Image:
    """Something like a shirt on white; ``number`` shifts it a little, so that no two are the same."""
    picture = Image.new("RGB", (240, 300), "white")
    pen = ImageDraw.Draw(picture)
    left, top = 40 + number % 17, 50 + number % 13
    pen.polygon([(left, top), (left + 150, top), (left + 170, top + 90), (left - 20, top + 90)], fill=colour)
    pen.rectangle((left + 15, top, left + 135, top + 200), fill=colour)
    return picture


def photo_bytes(colour: str = "#c0392b", kind: str = "JPEG", size: tuple[int, int] = (240, 300)) -> bytes:
    """A drawn garment, encoded."""
    out = io.BytesIO()
    draw_garment(colour).resize(size).save(out, kind)
    return out.getvalue()


def grey_bytes() -> bytes:
    """A picture of nothing, of which the colour model cannot be sure."""
    out = io.BytesIO()
    Image.new("RGB", (300, 300), (128, 128, 128)).save(out, "PNG")
    return out.getvalue()


def photo_form(data: bytes, name: str = "photo.jpg", **fields: str) -> dict[str, Any]:
    """A multipart form for Flask's test client, which would put a large one into a file and leave that open."""
    parts = [f'--cut\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{text}\r\n' for key, text in fields.items()]
    parts.append(f'--cut\r\nContent-Disposition: form-data; name="photo"; filename="{name}"\r\n\r\n')
    body = "".join(parts).encode() + data + b"\r\n--cut--\r\n"
    return {"data": body, "content_type": "multipart/form-data; boundary=cut"}


def write_colour_model(folder: Path, taxonomy: Taxonomy, groups: tuple[str, ...] = ()) -> Path:
    """A model folder whose network averages colours over a grid and multiplies them with fixed weights. With ``groups``
    it has a map of them too, which it answers at any size, and axes that are not listed as attributes."""
    folder.mkdir()
    known = taxonomy.axes if groups else taxonomy.listed
    axes = tuple(
        AxisLabels(axis.slug, tuple(axis.by_slug), 1.0, 0.3, attribute=not axis.listed) for axis in known.values()
    )
    onnx.save(_colour_network(axes, groups), folder / NETWORK)
    preprocessing = Preprocessing(SIDE, "stretch", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    digest = file_digest(folder / NETWORK)
    document = ModelDocument("colours", "2026-01-01", WIDTH, preprocessing, axes, digest, groups=groups)
    write_json(folder / DOCUMENT, document.to_json())
    return folder


# What each group of the map looks like, as signs of red, green and blue.
MAP_COLOURS = {
    "ground": (1, 1, 1),
    "upper": (1, -1, -1),
    "lower": (-1, 1, -1),
    "shoes": (-1, -1, 1),
    "person": (-1, -1, -1),
}


def _colour_network(axes: tuple[AxisLabels, ...], groups: tuple[str, ...]) -> onnx.ModelProto:
    weights, outputs = [numpy_helper.from_array(np.array([GRID, GRID]), "sides")], [_output("embedding", WIDTH)]
    nodes = [
        helper.make_node("AveragePool", ["photos"], ["squares"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Resize", ["squares", "", "", "sides"], ["grid"], axes=[2, 3]),
        helper.make_node("Flatten", ["grid"], ["flat"]),
        helper.make_node("LpNormalization", ["flat"], ["embedding"], axis=1, p=2),
    ]
    random = np.random.default_rng(17)
    for labels in axes:
        count = len(labels.classes)
        flat = random.normal(0, 0.6, (WIDTH, count)).astype(np.float32)
        point = random.normal(0, 1, (count, CHANNELS, 1, 1)).astype(np.float32)
        weights += [
            numpy_helper.from_array(flat, f"w:{labels.axis}"),
            numpy_helper.from_array(point, f"c:{labels.axis}"),
        ]
        nodes.append(helper.make_node("MatMul", ["flat", f"w:{labels.axis}"], [f"logits:{labels.axis}"]))
        nodes.append(helper.make_node("Conv", ["grid", f"c:{labels.axis}"], [f"focus:{labels.axis}"]))
        outputs += [_output(f"logits:{labels.axis}", count), _output(f"focus:{labels.axis}", count, GRID, GRID)]
    if groups:
        signs = np.array([MAP_COLOURS.get(group, (0, 0, 0)) for group in groups], dtype=np.float32)
        start = np.where(np.abs(signs).any(axis=1), -8, -30).astype(np.float32)
        weights += [numpy_helper.from_array(4 * signs[..., None, None], "m"), numpy_helper.from_array(start, "b")]
        nodes.append(helper.make_node("Conv", ["photos", "m", "b"], ["map"]))
        outputs.append(_output("map", len(groups), "h", "w"))
    sides = ["h", "w"] if groups else [SIDE, SIDE]
    photos = helper.make_tensor_value_info("photos", TensorProto.FLOAT, ["n", CHANNELS, *sides])
    graph = helper.make_graph(nodes, "colours", [photos], outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def _output(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])
