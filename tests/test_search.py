"""From a photo to an order of products: exact against brute force, by one score, each product once, one switch."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from weakref import WeakSet

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mapsi.arrays import BoolArray, FloatArray
from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.filters import Filters
from mapsi.catalog.query import Query
from mapsi.errors import ArtifactError, NotFoundError
from mapsi.imaging import PhotoLimits
from mapsi.infer import Model
from mapsi.pictures.copying import copy_pictures
from mapsi.pictures.store import SIDES, PictureStore
from mapsi.progress import no_progress
from mapsi.refresh.feeds import import_feed
from mapsi.search.aside import Aside, push_aside
from mapsi.search.building import Installation, build, build_index
from mapsi.search.cells import Cells
from mapsi.search.index import Batch, ClusteredIndex, FlatIndex, VectorIndex, read_index
from mapsi.search.milvus import MilvusDatabase
from mapsi.search.pair import ServingPair
from mapsi.search.ranking import SAME_PICTURE, rank
from mapsi.search.score import Weights, load_weights
from mapsi.search.snapshot import Snapshot, current_name, gather, read_snapshot, write_snapshot
from mapsi.search.wish import Wish
from mapsi.taxonomy import load_taxonomy
from small_house import CopiedHouse, House, install, write_colour_model, write_feed

WIDTH = 8
TAXONOMY = load_taxonomy()


def _unit(rng: np.random.Generator, count: int) -> npt.NDArray[np.float32]:
    vectors = rng.normal(size=(count, WIDTH)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _clustered(vectors: npt.NDArray[np.float32]) -> ClusteredIndex:
    return ClusteredIndex.of(FlatIndex.build(vectors))


Engine = Callable[[npt.NDArray[np.float32]], VectorIndex]


@pytest.fixture(params=["flat", "clusters", "milvus"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """What makes an index of vectors, on each engine: one contract for all. In Milvus they lie in five cells."""
    if request.param != "milvus":
        return FlatIndex.build if request.param == "flat" else _clustered
    database = MilvusDatabase(request.getfixturevalue("milvus_url"))

    def build(vectors: npt.NDArray[np.float32]) -> VectorIndex:
        kind, name = np.arange(len(vectors), dtype=np.int16) % 5, f"00000001-{uuid.uuid4().hex[:8]}"
        cells = Cells.of(kind, 0 * kind, 0 * kind)
        database.write(name, WIDTH, [Batch(vectors, cells.numbers[cells.of_row])])
        return database.open(name, WIDTH, cells)

    return build


@pytest.mark.parametrize("seed", range(5))
def test_the_index_finds_what_brute_force_finds(engine: Engine, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = _unit(rng, 300)
    allowed = rng.random(300) < 0.4
    index = engine(vectors)
    for mask in (None, allowed):
        rows, similarities = index.nearest(vectors[7], 20, mask)
        scores = vectors.astype(np.float16).astype(np.float32) @ vectors[7]
        if mask is not None:
            scores = np.where(mask, scores, -np.inf)
        best = np.sort(scores)[::-1][:20]
        assert similarities == pytest.approx(best, abs=2e-3)
        assert mask is None or mask[rows].all()


def test_the_index_gives_as_many_rows_as_there_are_and_no_more(engine: Engine) -> None:
    vectors = _unit(np.random.default_rng(0), 5)
    index = engine(vectors)
    assert sorted(index.nearest(vectors[0], 50)[0]) == [0, 1, 2, 3, 4]
    assert index.nearest(vectors[0], 50, np.arange(5) == 3)[0].tolist() == [3]
    assert len(index.nearest(vectors[0], 50, np.zeros(5, np.bool_))[0]) == 0
    with pytest.raises(ValueError, match="shape"):
        index.nearest(np.zeros(3, np.float32), 1)


def test_an_empty_index_finds_nothing() -> None:
    assert len(FlatIndex.build(np.zeros((0, WIDTH), np.float32)).nearest(np.ones(WIDTH, np.float32), 3)[0]) == 0


def test_an_index_gives_vectors_in_the_order_asked_for(engine: Engine) -> None:
    vectors = _unit(np.random.default_rng(2), 50)
    index = engine(vectors)
    assert index.size == 50
    assert index.fault is None
    assert index.vector(3) == pytest.approx(vectors[3], abs=1e-3)
    assert index.vectors(np.array([31, 1, 4])) == pytest.approx(vectors[[31, 1, 4]], abs=1e-3)
    assert index.vectors(np.zeros(0, np.int64)).shape == (0, WIDTH)


@pytest.mark.parametrize("build", [FlatIndex.build, _clustered], ids=["flat", "clusters"])
def test_an_index_that_was_written_is_read_as_it_was(
    build: Callable[[npt.NDArray[np.float32]], FlatIndex | ClusteredIndex], tmp_path: Path
) -> None:
    vectors = _unit(np.random.default_rng(1), 200)
    index = build(vectors)
    index.write(tmp_path / "vectors")
    again = read_index(tmp_path / "vectors")
    assert type(again) is type(index)
    assert again.size == 200
    assert np.array_equal(again.vector(3), vectors[3].astype(np.float16).astype(np.float32))
    assert np.array_equal(again.vectors(np.array([3, 1])), index.vectors(np.array([3, 1])))
    for one, other in zip(again.nearest(vectors[0], 9), index.nearest(vectors[0], 9), strict=True):
        assert np.array_equal(one, other)
    (tmp_path / "vectors").write_bytes((tmp_path / "vectors").read_bytes()[:-50])
    with pytest.raises(ArtifactError, match="damaged"):
        read_index(tmp_path / "vectors")


@pytest.mark.parametrize("share", [1.0, 0.1, 0.01])
def test_a_few_clusters_hold_nearly_all_that_a_scan_finds_however_few_rows_are_allowed(
    share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows around a hundred kinds of garment, a twentieth of 4,000 looked at."""
    monkeypatch.setattr("mapsi.search.index.LOOKED_AT", 200)
    rng = np.random.default_rng(0)
    near = _unit(rng, 100)[rng.integers(0, 100, 4000)] + 0.2 * _unit(rng, 4000)
    vectors = np.asarray(near / np.linalg.norm(near, axis=1, keepdims=True), np.float32)
    flat, clusters, allowed = FlatIndex.build(vectors), _clustered(vectors), rng.random(4000) < share
    found = 0
    for row in range(0, 4000, 200):
        nearest, cosines = clusters.nearest(vectors[row], 10, allowed)
        expected, _ = flat.nearest(vectors[row], 10, allowed)
        assert len(nearest) == 10
        assert allowed[nearest].all()
        assert cosines == pytest.approx(clusters.vectors(nearest) @ vectors[row], abs=2e-3)
        found += len(set(nearest) & set(expected))
    assert found >= 0.95 * 200


def test_allowed_rows_that_lie_in_few_clusters_are_all_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one kind that is allowed is far from the photo: its clusters are not among the first that are looked into."""
    monkeypatch.setattr("mapsi.search.index.LOOKED_AT", 10)
    rng = np.random.default_rng(0)
    here, there = np.eye(WIDTH, dtype=np.float32)[:2]
    near = np.concatenate([here + 0.1 * _unit(rng, 900), there + 0.1 * _unit(rng, 100)])
    vectors = np.asarray(near / np.linalg.norm(near, axis=1, keepdims=True), np.float32)
    rows, _ = _clustered(vectors).nearest(here, 100, np.arange(1000) >= 900)
    assert sorted(rows) == list(range(900, 1000))


def test_clusters_are_looked_into_until_they_hold_enough_of_what_is_allowed() -> None:
    """A filter for what is unlike the photo leaves the clusters around it empty: they do not count, and more is looked
    at beyond them, where which cluster is nearer says less."""
    vectors = _unit(np.random.default_rng(0), 3000)
    clusters, question = _clustered(vectors), np.eye(WIDTH, dtype=np.float32)[0]
    order = np.argsort(-(clusters._centroids @ question))

    def held(allowed: BoolArray, wanted: int) -> list[int]:
        """Allowed rows in the clusters that are looked into, and in one less of them."""
        probes = clusters._probes(question, wanted, allowed, int(allowed.sum()))
        return [int((allowed & np.isin(clusters._cluster, order[:first])).sum()) for first in (probes - 1, probes)]

    like, unlike = vectors[:, 0] > 0, vectors[:, 0] < 0
    but_one, all_told = held(like, 100)
    assert but_one < 100 <= all_told
    assert held(unlike, 100)[1] > 300
    assert held(unlike, 3000)[1] == unlike.sum()


def test_of_what_is_unlike_the_photo_as_much_is_found_as_of_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsi.search.index.LOOKED_AT", 300)
    vectors = _unit(np.random.default_rng(0), 12_000)
    flat, clusters = FlatIndex.build(vectors), _clustered(vectors)
    found = 0
    for question in vectors[:20]:
        allowed = vectors @ question < np.quantile(vectors @ question, 0.1)
        nearest, expected = (index.nearest(question, 20, allowed)[0] for index in (clusters, flat))
        found += len(set(nearest) & set(expected))
    assert found >= 0.9 * 20 * 20


def test_of_more_allowed_rows_more_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsi.search.index.LOOKED_AT", 10)
    vectors, asked = _unit(np.random.default_rng(0), 3200), list[int]()
    clusters = _clustered(vectors)
    probes = clusters._probes

    def noted(vector: FloatArray, wanted: int, allowed: BoolArray | None, available: int) -> int:
        asked.append(wanted)
        return probes(vector, wanted, allowed, available)

    monkeypatch.setattr(clusters, "_probes", noted)
    for allowed in (None, np.arange(3200) < 1600, np.arange(3200) < 16):
        clusters.nearest(vectors[0], 1, allowed)
    assert asked == [20, 10, 10]


def test_of_many_allowed_rows_some_are_counted_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = _unit(np.random.default_rng(0), 4000)
    clusters, allowed, question = _clustered(vectors), vectors[:, 0] < 0.5, np.eye(WIDTH, dtype=np.float32)[0]
    available = int(allowed.sum())
    exact = clusters._probes(question, 1000, allowed, available)
    monkeypatch.setattr("mapsi.search.index.COUNTED", 500)
    assert clusters._probes(question, 1000, allowed, available) == pytest.approx(exact, rel=0.1)


def test_many_vectors_are_gathered_in_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _rows(np.random.default_rng(0), 60)
    assert isinstance(gather(rows, WIDTH)[0], FlatIndex)
    monkeypatch.setattr("mapsi.search.index.SCANNED_WHOLE", 59)
    index, columns = gather(rows, WIDTH)
    assert isinstance(index, ClusteredIndex)
    assert index.size == len(columns.offer) == 60
    assert np.array_equal(index.vector(7), rows[7].embedding.astype(np.float32))


@dataclass(frozen=True, eq=False)
class Row:
    """An offer as the index sees it."""

    offer_id: int
    group: str
    kind: str
    color: str
    audience: str | None
    embedding: npt.NDArray[np.float16]


def _rows(rng: np.random.Generator, count: int) -> list[Row]:
    vectors = _unit(rng, count).astype(np.float16)
    return [
        Row(
            offer_id=100 + i,
            group=f"g{rng.integers(0, max(1, count // 2))}",
            kind=str(rng.choice(["sneakers", "shoes", "shirt", "other", ""])),
            color=str(rng.choice(["black", "red", ""])),
            audience=str(rng.choice(["women", "men", "unisex", "kids", ""])) or None,
            embedding=vectors[i],
        )
        for i in range(count)
    ]


WEIGHTS = Weights(
    bias=-3, likeness=4, sameness=20, alike=0.8, kind=1.5, family=1, place=0.5, color=0.7, audience=0.3, least=0.1
)


def _wish(rng: np.random.Generator) -> Wish:
    def shares(*slugs: str) -> dict[str, float]:
        return dict(zip(slugs, map(float, rng.dirichlet(np.ones(len(slugs)))), strict=True))

    kinds = shares("sneakers", "heels", "shirt", "blouse", "bag")
    return Wish(
        _unit(rng, 1)[0],
        TAXONOMY.axes["garment"],
        kinds,
        shares("black", "red", "blue"),
        shares("women", "men", "kids"),
    )


def _snapshot(rows: list[Row]) -> Snapshot:
    return Snapshot("x", "model", 1, *gather(rows, WIDTH))  # type: ignore[arg-type]


def _slow_rank(
    rows: list[Row], wish: Wish, allowed: Sequence[bool], pool: int, aside: Sequence[Aside] = ()
) -> list[int]:
    """The rule in words: every row's score, a copy's as if it agreed in all; the best row of each group, the best first,
    down to the least that is shown. A cosine loses the most of what the products pushed aside take from it, a copy's
    nothing."""

    def score(row: Row) -> float:
        cosine = float(row.embedding.astype(np.float32) @ wish.embedding)
        is_copy = cosine >= SAME_PICTURE
        losses = [0.0]
        for one in aside:
            expected = one.start + one.slope * cosine
            losses.append((float(row.embedding.astype(np.float32) @ one.vector) - expected) * one.scale)
        cosine -= 0 if is_copy else max(losses)
        kind, family, place = (1, 1, 1) if is_copy else wish.of_kind(row.kind)
        logit = WEIGHTS.bias + WEIGHTS.likeness * cosine + WEIGHTS.sameness * place * max(cosine - WEIGHTS.alike, 0)
        logit += WEIGHTS.kind * kind + WEIGHTS.family * family + WEIGHTS.place * place
        logit += WEIGHTS.color * place * (1 if is_copy else wish.of_color(row.color))
        logit += WEIGHTS.audience * (1 if is_copy else wish.of_audience(row.audience or ""))
        return 1 / (1 + math.exp(-logit))

    found: dict[str, Row] = {}
    for row in sorted((row for row, let in zip(rows, allowed, strict=True) if let), key=lambda row: -score(row)):
        if score(row) >= WEIGHTS.least:
            found.setdefault(row.group, row)
    return [row.offer_id for row in list(found.values())[:pool]]


@given(st.lists(st.tuples(*3 * [st.integers(0, 5)]), max_size=40))
def test_rows_lie_in_the_cell_of_their_kind_colour_and_audience(rows: list[tuple[int, int, int]]) -> None:
    kind, color, audience = np.array(rows, np.int16).reshape(-1, 3).T
    cells = Cells.of(kind, color, audience)
    codes = list(zip(cells.kind.tolist(), cells.color.tolist(), cells.audience.tolist(), strict=True))
    assert [codes[cell] for cell in cells.of_row] == rows
    assert codes == sorted(set(rows))
    assert cells.numbers.tolist() == [(a << 32) + (b << 16) + c for a, b, c in codes]


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from([1, 5, 12, 200]),
    st.booleans(),
    st.integers(0, 2),
)
def test_ranking_is_that_of_the_rule_in_words(seed: int, share: float, pool: int, copy: bool, pushed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, wish, allowed = _rows(rng, 60), _wish(rng), rng.random(60) < share
    if copy:
        wish = replace(wish, embedding=rows[7].embedding.astype(np.float32))
    aside = [Aside(vector, *rng.random(3)) for vector in _unit(rng, pushed)]
    ranked = rank(_snapshot(rows), wish, allowed, WEIGHTS, pool, aside)
    assert [int(i) for i in _snapshot(rows).columns.offer[ranked.rows]] == _slow_rank(
        rows, wish, allowed.tolist(), pool, aside
    )
    assert (np.diff(ranked.scores) <= 0).all()
    assert ((ranked.scores >= 0) & (ranked.scores <= 1)).all()


def _near(*parts: float) -> npt.NDArray[np.float16]:
    vector = np.zeros(WIDTH, np.float32)
    vector[: len(parts)] = parts
    return np.asarray(vector / np.linalg.norm(vector), np.float16)


def test_what_is_like_a_product_pushed_aside_comes_later_and_what_is_like_the_photo_stays() -> None:
    # Along the first number all are like the photo, along the second they have stripes, along the third checks.
    plain = [Row(i, f"p{i}", "shirt", "", None, _near(5, 0.1 * i, 0, 1)) for i in range(4)]
    striped = [Row(10 + i, f"s{i}", "shirt", "", None, _near(5, 3, 0.1 * i, 1)) for i in range(4)]
    checked = [Row(20 + i, f"c{i}", "shirt", "", None, _near(4, 0.1 * i, 4, 1)) for i in range(4)]
    snapshot = _snapshot([*plain, *striped, *checked])
    wish = Wish(_near(5, 1).astype(np.float32), TAXONOMY.axes["garment"], {"shirt": 1.0})

    def answer(*less: int) -> list[int]:
        aside, left = push_aside(snapshot, wish.embedding, np.ones(12, np.bool_), less)
        return [int(i) for i in snapshot.columns.offer[rank(snapshot, wish, left, WEIGHTS, aside=aside).rows]]

    assert {i // 10 for i in answer()[:8]} == {0, 1}
    assert {i // 10 for i in answer(10)[:4]} == {0}
    assert sorted(answer(10)) == sorted(set(answer()) - {10})
    assert {i // 10 for i in answer(0)[:3]} == {1}
    assert answer(999) == answer()


def test_pushing_aside_needs_no_other_product() -> None:
    snapshot = _snapshot([Row(1, "a", "shirt", "", None, _near(1)), Row(2, "a", "shirt", "", None, _near(1, 1))])
    aside, left = push_aside(snapshot, _near(1).astype(np.float32), np.ones(2, np.bool_), [1])
    assert (aside, left.tolist()) == ([], [False, False])


def test_what_fits_no_kind_stands_in_no_garments_answer_however_alike() -> None:
    wish = Wish(np.eye(WIDTH, dtype=np.float32)[0], TAXONOMY.axes["garment"], {"skirt": 1.0})
    near = np.float32([0.97, 0.24, 0, 0, 0, 0, 0, 0])
    rows = [
        Row(i, str(i), kind, "", None, near.astype(np.float16)) for i, kind in enumerate(["other", "wallet", "skirt"])
    ]
    weights = replace(WEIGHTS, bias=-8.0, kind=4.0, family=2.0, place=2.0)
    assert rank(_snapshot(rows), wish, None, weights).rows.tolist() == [2]


def test_colour_orders_an_answer_and_has_no_part_in_how_a_product_fits() -> None:
    colors = ["blue", "red", ""]
    rows = [Row(i, str(i), "skirt", color, None, _near(5, 0.1, 1)) for i, color in enumerate(colors)]
    copy = Row(3, "3", "skirt", "blue", None, _near(1))
    wish = Wish(_near(1).astype(np.float32), TAXONOMY.axes["garment"], {"skirt": 1.0}, {"red": 0.9, "blue": 0.1})
    ranked = rank(_snapshot([*rows, copy]), wish, None, replace(WEIGHTS, color=2.0))
    assert ranked.rows[:2].tolist() == [3, 1]
    assert len(set(ranked.scores.tolist())) > 2
    assert len(set(ranked.fits[1:].tolist())) == 1
    assert (ranked.fits <= ranked.scores).all()


def test_scores_rise_with_the_logit_up_to_the_very_picture() -> None:
    weights = load_weights()
    most = weights.of_all_that_agrees + weights.of_likeness(np.ones(1, np.float32), np.ones(1, np.float32))[0]
    scores = weights.score(np.linspace(-9, most, 500, dtype=np.float32))
    assert (np.diff(scores) > 0).all()
    assert (scores[0], scores[-1]) == (pytest.approx(0, abs=1e-3), pytest.approx(1))


def test_kinds_agree_by_the_probabilities_parents_included() -> None:
    wish = Wish(np.zeros(0, np.float32), TAXONOMY.axes["garment"], {"heels": 0.6, "shoes": 0.1, "bag": 0.3})
    assert wish.of_kind("heels") == pytest.approx((0.7, 0.7, 0.7))
    assert wish.of_kind("sneakers") == pytest.approx((0.1, 0.7, 0.7))
    assert wish.of_kind("shoes") == pytest.approx((0.7, 0.7, 0.7))
    assert wish.of_kind("clutch") == pytest.approx((0.3, 0.3, 0.3))
    assert wish.of_kind("shirt") == wish.of_kind("other") == (0, 0, 0)
    assert wish.of_kind("") == pytest.approx((0.35, 0.35, 0.35))


def test_unisex_is_for_women_and_men() -> None:
    wish = Wish(np.zeros(0, np.float32), audiences={"women": 0.5, "men": 0.3, "kids": 0.2})
    assert [wish.of_audience(slug) for slug in ("women", "unisex", "kids")] == pytest.approx([0.5, 0.8, 0.2])


def test_weights_that_cannot_be_read_say_how_to_make_them(tmp_path: Path) -> None:
    for text in ("", "[weights]\nbias = 1.0", "[weights", '[weights]\nbias = "x"'):
        (tmp_path / "weights.toml").write_text(text)
        with pytest.raises(ArtifactError, match="weights"):
            load_weights(tmp_path / "weights.toml")


def test_a_snapshot_comes_back_as_it_was_written(tmp_path: Path) -> None:
    rows = _rows(np.random.default_rng(0), 20)
    name = write_snapshot(tmp_path, rows, model="m", width=WIDTH, generation=3).name  # type: ignore[arg-type]
    assert current_name(tmp_path) == name
    snapshot = read_snapshot(tmp_path, name)
    assert (snapshot.model, snapshot.generation, snapshot.index.size) == ("m", 3, 20)
    assert snapshot.columns.offer.tolist() == [row.offer_id for row in rows]
    kind = snapshot.columns.kind
    assert [kind.values[code] for code in kind.codes] == [row.kind for row in rows]


def test_an_empty_catalogue_makes_an_empty_index(tmp_path: Path) -> None:
    name = write_snapshot(tmp_path, [], model="m", width=WIDTH, generation=1).name
    assert read_snapshot(tmp_path, name).index.size == 0


def test_rows_are_let_go_while_an_index_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsi.search.snapshot._BATCH", 10)
    alive, most = WeakSet[Row](), 0

    def stream() -> Iterator[Row]:
        nonlocal most
        rng = np.random.default_rng(0)
        for number in range(10):
            for row in _rows(rng, 10):
                made = replace(row, offer_id=number * 10 + row.offer_id)
                alive.add(made)
                most = max(most, len(alive))
                yield made
                del made

    written = write_snapshot(tmp_path, stream(), model="m", width=WIDTH, generation=1)  # type: ignore[arg-type]
    assert written.rows == read_snapshot(tmp_path, written.name).index.size == 100
    assert most <= 25


def test_the_index_before_stays_until_the_next_switch(tmp_path: Path) -> None:
    rows = _rows(np.random.default_rng(0), 4)
    names = [write_snapshot(tmp_path, rows, model="m", width=WIDTH, generation=g).name for g in (1, 2, 3)]  # type: ignore[arg-type]
    assert {p.name for p in tmp_path.iterdir()} == {"current", "lock", names[1], names[2]}


def test_a_damaged_index_says_how_to_make_it_again(tmp_path: Path) -> None:
    rows = _rows(np.random.default_rng(0), 4)
    for victim in ("vectors.faiss", "columns.npz", "index.json"):
        name = write_snapshot(tmp_path, rows, model="m", width=WIDTH, generation=1).name  # type: ignore[arg-type]
        (tmp_path / name / victim).write_bytes(b"broken")
        with pytest.raises(ArtifactError):
            read_snapshot(tmp_path, name)


def test_a_copy_of_a_picture_is_small_clean_and_kept_once(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "pictures", PhotoLimits())
    source = tmp_path / "big.png"
    Image.new("RGB", (1200, 1600), "teal").save(source)
    copy = store.add(source.read_bytes())
    digest = copy.digest
    assert (copy.width, copy.height) == (540, 720)
    assert store.add(source.read_bytes()) == copy
    assert [store.open(digest, side).size for side in SIDES] == [(180, 240), (360, 480), (540, 720)]
    assert len(list((tmp_path / "pictures").rglob("*.webp"))) == 3
    for odd in ("", "..", "../../etc/passwd", "0" * 63, "G" * 64):
        assert store.path(odd) is None
    with pytest.raises(NotFoundError):
        store.open("0" * 64)


def test_a_products_own_picture_finds_it_first(house: House) -> None:
    page = house.catalog.listings.search(Query(size=10))
    for product in page.products[:5]:
        path = house.finder.pictures.path(product.picture)
        assert path is not None
        reading = house.finder.read(Image.open(path).convert("RGB"))
        found = house.finder.by_photo(reading, Query(size=10))
        assert found.products[0].similarity == pytest.approx(1, abs=5e-3)
        copies = [p.id for p in found.products if p.similarity and p.similarity >= 0.99]
        assert product.id in copies, "whatever the label, a product's own picture is in front"


def test_pages_follow_one_another_without_repeats(house: House) -> None:
    reading = house.finder.read(Image.new("RGB", (64, 64), "#c0392b"))
    first = house.finder.by_photo(reading, Query(size=7))
    pages = [house.finder.by_photo(reading, Query(page=n, size=7)) for n in range(1, first.pages + 1)]
    ids = [p.id for page in pages for p in page.products]
    assert len(ids) == len(set(ids)) == first.total
    assert house.finder.by_photo(reading, Query(page=first.pages + 1, size=7)).products == ()


def test_what_is_gone_since_the_index_was_built_takes_no_place_on_any_page(
    copied_house: CopiedHouse, tmp_path: Path
) -> None:
    with copied_house() as house:
        feed = write_feed(tmp_path / "less", range(10), "https://shop.example.com/haru")
        import_feed(house.catalog, feed, format="csv", shop="Haru", taxonomy=house.taxonomy)
        reading = house.finder.read(Image.new("RGB", (64, 64), "#c0392b"))
        pages = [house.finder.by_photo(reading, Query(page=number, size=20)) for number in range(1, 6)]
    assert [page.total for page in pages] == [70] * 5
    assert [len(page.products) for page in pages] == [20, 20, 20, 10, 0]


def test_what_one_answer_leaves_out_is_there_in_the_next(house: House) -> None:
    offers = np.array([product.id for product in house.catalog.listings.search(Query(size=50)).products] + [10**9])
    shown = house.catalog.listings.shown()
    for filters in (Filters(max_price=Decimal(1)), Filters(), Filters(audiences=("men",)), Filters()):
        passed = house.catalog.listings.search(Query(filters=filters, size=1000)).products
        assert shown.narrow(offers, filters).tolist() == np.isin(offers, [each.id for each in passed]).tolist()


def test_a_product_that_is_gone_is_a_sentence(house: House) -> None:
    with pytest.raises(NotFoundError):
        house.finder.product(10**9)


@dataclass
class Shop:
    """A feed with pictures beside it, a catalogue and the folders around them."""

    root: Path
    installation: Installation

    def write_feed(self, colours: dict[str, str]) -> Path:
        rows = ["id,title,link,image_link,price,availability"]
        for name, colour in colours.items():
            if colour != "missing":
                Image.new("RGB", (40, 40), colour).save(self.root / f"{name}.png")
            rows.append(f"{name},Shirt {name},https://shop.example.com/{name},{name}.png,1000 KRW,in_stock")
        feed = self.root / "feed.csv"
        feed.write_text("\n".join(rows) + "\n", "utf-8")
        return feed

    def refresh(self, colours: dict[str, str]) -> tuple[int, int, int, int]:
        """Import, copy and index: (copied, failed, read, indexed)."""
        import_feed(self.catalog, self.write_feed(colours), format="csv", shop="Shop", taxonomy=TAXONOMY)
        report = build(self.installation, no_progress)
        return report.copies.copied, len(report.copies.failed), report.index.reading.read, report.index.indexed

    @property
    def catalog(self) -> Catalog:
        return self.installation.catalog


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    model = Model.open(write_colour_model(tmp_path / "model", TAXONOMY), threads=1)
    with open_catalog(f"sqlite:///{tmp_path / 'c.db'}") as catalog:
        catalog.migrate()
        yield Shop(tmp_path, install(catalog, model, tmp_path))


def test_a_picture_is_copied_and_read_only_once(shop: Shop) -> None:
    colours = {"a": "red", "b": "blue"}
    assert shop.refresh(colours) == (2, 0, 2, 2)
    assert shop.refresh(colours) == (0, 0, 0, 2)
    assert shop.refresh({**colours, "c": "green"}) == (1, 0, 1, 3)


def test_a_broken_picture_does_not_stop_the_others(shop: Shop) -> None:
    feed = shop.write_feed({"a": "red", "b": "missing", "c": "green"})
    (shop.root / "c.png").write_text("no picture")
    import_feed(shop.catalog, feed, format="csv", shop="Shop", taxonomy=TAXONOMY)
    report = build(shop.installation, no_progress).copies
    assert report.copied == 1
    assert len(report.failed) == 2
    assert all(reason.endswith(".") for _, reason in report.failed)


def test_a_lost_picture_is_fetched_again_and_stops_nothing(shop: Shop) -> None:
    feed = shop.write_feed({"a": "red", "b": "blue"})
    import_feed(shop.catalog, feed, format="csv", shop="Shop", taxonomy=TAXONOMY)
    held = shop.installation
    copy_pictures(held.catalog, held.source, held.pictures, no_progress)
    next((shop.root / "pictures").rglob("*.webp")).unlink()
    report = build_index(held, no_progress)
    assert (report.reading.read, report.indexed, report.reading.lost) == (1, 1, 1)
    assert copy_pictures(held.catalog, held.source, held.pictures, no_progress).copied == 1
    again = build_index(held, no_progress)
    assert (again.reading.read, again.indexed, again.reading.lost) == (1, 2, 0)


def test_an_index_made_with_another_model_is_not_mixed_with_this_one(shop: Shop, tmp_path: Path) -> None:
    from mapsi.search.finder import Finder

    shop.refresh({"a": "red"})
    finder = Finder(
        shop.catalog, ServingPair(Model.open(threads=1), tmp_path / "index"), shop.installation.pictures, TAXONOMY
    )
    with pytest.raises(ArtifactError, match="another model"):
        finder.read(Image.new("RGB", (9, 9), "red"))


def test_offers_without_an_index_are_told_of(shop: Shop, tmp_path: Path) -> None:
    from mapsi.search.finder import Finder

    import_feed(shop.catalog, shop.write_feed({"a": "red"}), format="csv", shop="Shop", taxonomy=TAXONOMY)
    finder = Finder(
        shop.catalog, ServingPair(shop.installation.model, tmp_path / "index"), shop.installation.pictures, TAXONOMY
    )
    with pytest.raises(ArtifactError, match="not indexed"):
        finder.by_photo(finder.read(Image.new("RGB", (9, 9), "red")), Query(size=5))


def test_a_picture_deleted_from_the_store_is_copied_again(shop: Shop) -> None:
    shop.refresh({"a": "red", "b": "blue"})
    for file in (shop.root / "pictures").rglob("*.webp"):
        file.unlink()
    assert shop.refresh({"a": "red", "b": "blue"})[0] == 2
    assert len(list((shop.root / "pictures").rglob("*.webp"))) == 2


def test_a_finder_sees_the_new_index_without_a_restart(shop: Shop, tmp_path: Path) -> None:
    from mapsi.search.finder import Finder

    finder = Finder(
        shop.catalog, ServingPair(shop.installation.model, tmp_path / "index"), shop.installation.pictures, TAXONOMY
    )
    assert finder.by_photo(finder.read(Image.new("RGB", (9, 9), "red")), Query(size=5)).total == 0
    shop.refresh({"a": "red"})
    assert finder.status()["indexed"] == 1
    shop.refresh({"a": "red", "b": "blue"})
    found = finder.by_photo(finder.read(Image.new("RGB", (40, 40), "blue")), Query(size=5))
    assert found.products[0].name == "Shirt b"
    assert finder.status()["indexed"] == 2
