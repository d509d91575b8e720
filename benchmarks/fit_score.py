"""Fit the weights of the score that orders answers to photos (``search/weights.toml``) on judged photos, and tell how
right the answers are with them.

    python benchmarks/fit_score.py ../shared/data [--model FOLDER] [--cache FOLDER] [--write]

The judged photos of ``relevance/`` are asked of the 8,561 products of ``products/``, by the very functions that serve.
The weights are fitted on one half of the photos and measured on the other, both ways; then on all of them. What the
model reads is kept in the cache: the first run reads 8,861 pictures (two to four minutes on two cores), the next ones
take a minute.
"""

from __future__ import annotations

import argparse
import csv
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.linear_model import LogisticRegression

from mapsi.arrays import FloatArray
from mapsi.catalog.records import IndexRow
from mapsi.catalog.text.colors import ColorReader
from mapsi.catalog.text.offer_classes import OfferClassifier
from mapsi.infer import Model, Reading
from mapsi.infer.look import Look
from mapsi.search.looks import interleaved, placed, prominence
from mapsi.search.ranking import Ranked, rank
from mapsi.search.score import Weights, load_weights
from mapsi.search.snapshot import Snapshot, gather
from mapsi.search.wish import Wish, wish_of
from mapsi.taxonomy import Taxonomy, load_taxonomy
from mapsi.taxonomy.synonyms import load_colors

FIRST = 8
ROUNDS = 4
FEATURES = ("likeness", "kind", "family", "place", "color", "audience")
Row = dict[str, str]


@dataclass(frozen=True)
class Query:
    """A judged photo: what each of its garments asks for (of a photo of one: the whole photo), how prominent each is,
    and how far each product fits (products,): 1, 0.5 or 0."""

    photo: str
    label: str
    set: str
    wishes: tuple[Wish, ...]
    prominence: tuple[float, ...]
    gain: FloatArray


@dataclass(frozen=True)
class Bench:
    """Products as an index, their embeddings (products, width), and judged photos."""

    snapshot: Snapshot
    embeddings: FloatArray
    queries: tuple[Query, ...]


# --- what is judged --------------------------------------------------------------------------------------------------


def read_rows(file: Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def fits(rule: str, row: Row) -> bool:
    """Whether a product meets a rule of ``relevance/``: ``articleType=Shirts|Tops;name~check``."""
    for part in filter(None, rule.split(";")):
        if "~" in part:
            if not any(word in row["productDisplayName"].lower() for word in part.split("~")[1].split("|")):
                return False
        elif row[part.split("=")[0]] not in part.split("=")[1].split("|"):
            return False
    return bool(rule)


def judged(data: Path) -> list[tuple[str, str, str, str, str]]:
    """(set, photo, label, what fits exactly, what nearly)."""
    kinds = {row["label"]: row for row in read_rows(data / "relevance/kinds.csv")}

    def rule(types: str) -> str:
        return f"articleType={types}" if types else ""

    found: list[tuple[str, str, str, str, str]] = []
    for row in read_rows(data / "relevance/photos.csv"):
        kind = kinds[row["label"]]
        found.append(("photos", row["photo"], row["label"], rule(kind["exact"]), rule(kind["near"])))
    outfits = read_rows(data / "relevance/outfits.csv")
    return [*found, *(("outfits", row["photo"], row["label"], row["exact"], row["near"]) for row in outfits)]


def gains(products: Sequence[Row], exact: str, near: str) -> FloatArray:
    return np.array([1.0 if fits(exact, row) else 0.5 if fits(near, row) else 0.0 for row in products], np.float32)


# --- what is read ----------------------------------------------------------------------------------------------------


Read = TypeVar("Read")


def kept(file: Path, names: Sequence[Path], read: Callable[[list[Image.Image]], list[Read]]) -> list[Read]:
    """What ``read`` says of each picture, 32 at a time, kept in ``file``."""
    if file.is_file():
        return list(pickle.loads(file.read_bytes()))
    found: list[Read] = []
    for at in range(0, len(names), 32):
        found += read([Image.open(name).convert("RGB") for name in names[at : at + 32]])
        print(f"\r{len(found):,} of {len(names):,} pictures read", end="", file=sys.stderr)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(pickle.dumps(found))
    return found


def slim_look(look: Look) -> Look:
    """A look without maps; garments' masks stay, a bit a place."""
    garments = (replace(garment, reading=_slim(garment.reading)) for garment in look.garments)
    return replace(look, whole=_slim(look.whole), garments=tuple(garments), map=np.zeros((0, 0), np.uint8))


def _slim(reading: Reading) -> Reading:
    nowhere = np.zeros((0, 0), np.float32)
    return replace(
        reading,
        embedding=reading.embedding.copy(),
        axes={axis: replace(answer, focus=nowhere) for axis, answer in reading.axes.items()},
    )


def index_rows(products: Sequence[Row], read: Sequence[Reading], taxonomy: Taxonomy) -> list[IndexRow]:
    """The products as an import of the tool's feed and an index build make them."""
    classifier, colors = OfferClassifier(taxonomy), ColorReader(load_colors())
    return [
        _index_row(at, row, reading, classifier, colors)
        for at, (row, reading) in enumerate(zip(products, read, strict=True))
    ]


def _index_row(at: int, row: Row, reading: Reading, classifier: OfferClassifier, colors: ColorReader) -> IndexRow:
    title, category = (
        row["productDisplayName"],
        f"{row['masterCategory']} > {row['subCategory']} > {row['articleType']}",
    )
    told: dict[str, Any] = {
        axis: {"slug": answer.best.slug, "confidence": answer.best.confidence, "known": answer.known}
        for axis, answer in reading.axes.items()
    }
    by_words = classifier.by_words(title, category, "")
    kind = classifier.by_picture(by_words, told, category, "").get("garment", (by_words.get("garment", ""), 1.0))[0]
    known = colors.keys(row["baseColour"], title).split()
    audience: Any = {"Men": "men", "Women": "women", "Unisex": "unisex"}.get(row["gender"], "kids")
    color = known[0] if known else _known(told, "colour")
    return IndexRow(
        offer_id=at,
        group=str(at),
        kind=kind,
        color=color,
        audience=audience,
        embedding=reading.embedding.astype(np.float16),
    )


def _known(told: dict[str, Any], axis: str) -> str:
    return told[axis]["slug"] if axis in told and told[axis]["known"] else ""


def open_bench(data: Path, model: Model, cache: Path) -> Bench:
    taxonomy = load_taxonomy()
    products, queries = read_rows(data / "products/products.csv"), judged(data)
    files = [data / f"products/images/{row['id']}.webp" for row in products]
    read = kept(
        cache / f"{model.fingerprint}-products.pickle", files, lambda photos: [*map(_slim, model.read_many(photos))]
    )
    photos = [data / photo for _, photo, *_ in queries]
    looks = kept(
        cache / f"{model.fingerprint}-looks.pickle",
        photos,
        lambda photos: [slim_look(model.garments(p)) for p in photos],
    )
    snapshot = Snapshot(
        "bench", model.fingerprint, 1, *gather(index_rows(products, read, taxonomy), model.document.width)
    )
    found = [
        _query((photo, label, name), look, taxonomy, gains(products, exact, near))
        for (name, photo, label, exact, near), look in zip(queries, looks, strict=True)
    ]
    return Bench(snapshot, np.stack([reading.embedding for reading in read]), tuple(found))


def _query(named: tuple[str, str, str], read: Look, taxonomy: Taxonomy, gain: FloatArray) -> Query:
    look = placed(read, taxonomy)
    alone = len(look.garments) < 2
    wishes = [look.whole] if alone else [garment.reading for garment in look.garments]
    weights = [1.0] if alone else prominence(look, taxonomy)
    return Query(*named, tuple(wish_of(reading, taxonomy) for reading in wishes), tuple(weights), gain)


# --- fitting ---------------------------------------------------------------------------------------------------------


def features(bench: Bench, wish: Wish, rows: npt.NDArray[np.int64], cosines: FloatArray) -> FloatArray:
    """(rows, features) in the order of :data:`FEATURES`."""
    columns = bench.snapshot.columns
    of_kind = np.array([wish.of_kind(slug) for slug in columns.kind.values], np.float32)[columns.kind.codes[rows]]
    of_color = np.array([wish.of_color(slug) for slug in columns.color.values], np.float32)[columns.color.codes[rows]]
    of_audience = np.array([wish.of_audience(slug) for slug in columns.audience.values], np.float32)
    placed_color = of_color * (of_kind[:, 2] if wish.kinds else 1)
    return np.column_stack([cosines, of_kind, placed_color, of_audience[columns.audience.codes[rows]]])


def fit(bench: Bench, queries: Sequence[Query], start: Weights) -> Weights:
    """Logistic regression of the gains over what may come first: the best by likeness, by kind and by the weights so
    far, which the next round's come of; a last round over what is shown alone makes the score a probability.
    ``sameness`` stays as it is: of these photos nothing is the very product (``bench_pairs.py`` tells of those)."""
    weights = replace(start, least=0.0)
    for _ in range(ROUNDS):
        parts = [_sample(bench, query, wish, weights) for query in queries for wish in query.wishes]
        x, gain = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        model = LogisticRegression(C=10.0, max_iter=2000).fit(*_doubled(x, gain))
        found = dict(zip(FEATURES, map(float, model.coef_[0]), strict=True))
        # A photo that asks for a kind, a colour, an audience is never answered better by another one: where a fit says
        # so, there was too little to learn it from.
        found = {name: max(value, 0.0) for name, value in found.items()}
        weights = replace(weights, bias=float(model.intercept_[0]), **found)
    return weights


def alike(bench: Bench, queries: Sequence[Query], share: float = 0.9) -> float:
    """The cosine above which two pictures may show the very same garment: what the nearest product reaches for
    ``share`` of the garments in the photos, none of which is among the products."""
    nearest = [float((bench.embeddings @ wish.embedding).max()) for query in queries for wish in query.wishes]
    return round(float(np.quantile(nearest, share)), 2)


def _sample(bench: Bench, query: Query, wish: Wish, weights: Weights) -> tuple[FloatArray, FloatArray]:
    cosines = bench.embeddings @ wish.embedding
    picked = np.union1d(np.argsort(-cosines)[:100], rank(bench.snapshot, wish, None, weights, 100).rows)
    return features(bench, wish, picked, cosines[picked]), query.gain[picked]


def answer(bench: Bench, query: Query, weights: Weights, count: int) -> Ranked:
    """The first products for a judged photo, as :meth:`mapsi.search.finder.Finder.by_look` finds them."""
    answers = [rank(bench.snapshot, wish, None, weights, count) for wish in query.wishes]
    return interleaved(answers, query.prominence, bench.snapshot.columns.group, count)


def _doubled(x: FloatArray, gain: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Every row as one that fits, weighing its gain, and as one that does not, weighing the rest."""
    truth = np.concatenate([np.ones(len(gain)), np.zeros(len(gain))]).astype(np.float32)
    weight = np.concatenate([gain, 1 - gain])
    kept = weight > 0
    return np.concatenate([x, x])[kept], truth[kept], weight[kept]


def cut(bench: Bench, queries: Sequence[Query], weights: Weights, share: float = 0.98) -> float:
    """The score below which an answer ends: what keeps ``share`` of the good among the first 24 products."""
    good: list[float] = []
    for query in queries:
        ranked = answer(bench, query, weights, 24)
        good += [float(score) for row, score in zip(ranked.rows, ranked.scores, strict=True) if query.gain[row] > 0]
    return round(float(np.quantile(good, 1 - share)), 3)


# --- measuring -------------------------------------------------------------------------------------------------------


class Measured(NamedTuple):
    """How right the answer to a judged photo is: its precision at 8, as ``../shared/tools/relevance.py`` counts it, and
    what each of the first places counts."""

    query: Query
    precision: float
    gains: tuple[float, ...]

    @property
    def first_right(self) -> bool:
        return self.gains[:1] == (1.0,)


def measure(bench: Bench, queries: Sequence[Query], weights: Weights) -> list[Measured]:
    """The answers to these photos."""
    found = []
    for query in queries:
        gain = query.gain[answer(bench, query, weights, FIRST).rows]
        possible = max(1.0, min(FIRST, float(query.gain.sum())))
        found.append(Measured(query, float(gain.sum()) / possible, tuple(map(float, gain))))
    return found


def told(found: Sequence[Measured]) -> str:
    return f"{np.mean([each.precision for each in found]):.3f} {np.mean([each.first_right for each in found]):.3f}"


def calibration(bench: Bench, queries: Sequence[Query], weights: Weights) -> str:
    """Mean score and mean gain of what is shown, by tenths of the score."""
    pairs = []
    for query in queries:
        ranked = answer(bench, query, weights, 24)
        pairs += list(zip(ranked.scores, query.gain[ranked.rows], strict=True))
    scores, gain = np.array(pairs).T
    bins = np.minimum((scores * 10).astype(int), 9)
    return ", ".join(f"{scores[bins == b].mean():.2f}: {gain[bins == b].mean():.2f}" for b in sorted(set(bins)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, help="Model folder; the shipped one by default.")
    parser.add_argument("--cache", type=Path, default=Path("build/fit-score"))
    parser.add_argument("--write", action="store_true", help="Write src/mapsi/search/weights.toml.")
    options = parser.parse_args()
    bench = open_bench(options.data, Model.open(options.model), options.cache)
    _report(bench, options.write)


def _report(bench: Bench, write: bool) -> None:
    halves = bench.queries[0::2], bench.queries[1::2]
    start = load_weights()
    print("precision at 8 and first right: weights of one half on itself, and on the other half")
    for here, there in (halves, halves[::-1]):
        weights = fit(bench, here, start)
        for name in ("photos", "outfits"):
            own, other = ([q for q in half if q.set == name] for half in (here, there))
            print(f"  {name}: {told(measure(bench, own, weights))} | {told(measure(bench, other, weights))}")
    weights = fit(bench, bench.queries, start)
    weights = replace(weights, alike=alike(bench, bench.queries))
    weights = replace(weights, least=cut(bench, bench.queries, weights))
    print(f"weights of all: {weights}\nscore and gain: {calibration(bench, bench.queries, weights)}")
    for name in ("photos", "outfits"):
        found = measure(bench, [q for q in bench.queries if q.set == name], weights)
        print(f"{name}: {told(found)}")
        labels = sorted({each.query.label for each in found})
        by_label = {label: [each for each in found if each.query.label == label] for label in labels}
        print("  " + ", ".join(f"{label} {told(each)}" for label, each in by_label.items()))
    if write:
        write_weights(Path(__file__).parents[1] / "src/mapsi/search/weights.toml", weights, bench.snapshot.model)


def write_weights(file: Path, weights: Weights, model: str) -> None:
    lines = [f"{name} = {value:.4f}" for name, value in asdict(weights).items()]
    head = (
        "# Of the score that orders answers to photos (score.py), written by benchmarks/fit_score.py for the "
        f"model {model}."
    )
    file.write_text("\n".join([head, "", "[weights]", *lines]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
