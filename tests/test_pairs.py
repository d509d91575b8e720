"""Likeness on photos of the same garment: found first, among the first ten, and how far up."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from mapsi.cli import main
from mapsi.errors import ArtifactError
from mapsi.evaluate.pairs import PhotoPair, measure_pairs, rank, read_pairs
from mapsi.taxonomy import load_taxonomy
from small_house import draw_garment, write_colour_model

COLOURS = ("#c0392b", "#2a6fb0", "#1e8449", "#d4ac0d")


def pair(name: str, family: str = "", *, learned: bool = False) -> PhotoPair:
    return PhotoPair(Path(f"{name}-q"), Path(f"{name}-g"), family or name, learned)


@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 10_000))
def test_ranks_and_precision_are_those_of_a_slow_loop(asked: int, shown: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cosines = rng.integers(0, 5, (asked, shown)).astype(np.float32) / 5
    right = rng.random((asked, shown)) < 0.4
    right[np.arange(asked), rng.integers(0, shown, asked)] = True
    found = rank(cosines, right, [pair(str(i)) for i in range(asked)])
    for i in range(asked):
        order = sorted(range(shown), key=lambda j: (-cosines[i, j], right[i, j]))
        places = [place for place, j in enumerate(order) if right[i, j]]
        assert found.ranks[i] == places[0]
        assert found.precisions[i] == pytest.approx(np.mean([(k + 1) / (p + 1) for k, p in enumerate(places)]))


def test_a_picture_of_the_same_family_is_right_and_one_that_was_learned_from_is_only_in_the_way() -> None:
    pairs = [pair("a", "white tee"), pair("b", "white tee"), pair("c", learned=True)]
    places = {"a-q": (1, 0), "b-q": (0, 1), "a-g": (0, 1), "b-g": (1, 0), "c-g": (0.6, 0.8), "shelf": (0, -1)}
    embed = lambda path: np.array(places[path.name], dtype=np.float32)  # noqa: E731
    found = measure_pairs(pairs, [Path("shelf")], embed, embed)
    assert found.ranks.tolist() == [0, 0]
    assert found.gallery == 4
    assert found.precisions.tolist() == pytest.approx([(1 + 2 / 4) / 2, (1 + 2 / 3) / 2])
    figures = found.figures(np.random.default_rng(0))
    assert figures["r_at_1"] == {"value": 1, "low": 1, "high": 1}


def test_families_are_resampled_whole() -> None:
    right = np.eye(40, dtype=bool)
    cosines = np.where(right, 1.0, 0.0).astype(np.float32)
    cosines[:20] = 0.5
    one_family = [pair(str(i), "same" if i < 20 else "") for i in range(40)]
    alone = [pair(str(i)) for i in range(40)]
    wide, narrow = (
        rank(cosines, right, each).figures(np.random.default_rng(0))["r_at_1"] for each in (one_family, alone)
    )
    assert wide["value"] == narrow["value"] == 0.5
    assert wide["high"] - wide["low"] > narrow["high"] - narrow["low"]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    lines = ["query,gallery,family,part"]
    for k, colour in enumerate(COLOURS):
        for kind in ("query", "gallery"):
            draw_garment(colour, 10 * k + (kind == "query")).save(tmp_path / f"{k}-{kind}.png")
        lines.append(f"{k}-query.png,{k}-gallery.png,f{k},{'train' if k == 3 else 'test'}")
    (tmp_path / "pairs.csv").write_text("\n".join(lines))
    return tmp_path


def test_the_command_measures_anyones_pairs(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSI_HOME", str(shop / "home"))
    model = write_colour_model(shop / "model", load_taxonomy())
    (shop / "others").mkdir()
    draw_garment("#7d3c98", 99).save(shop / "others" / "x.png")
    words = ["evaluate", "--pairs", str(shop / "pairs.csv"), "--model", str(model), "--among", str(shop / "others")]
    done = CliRunner().invoke(main, [*words, "--json", str(shop / "found.json"), "--cut"])
    assert done.exit_code == 0, done.output
    assert "3 photos searched for among 5 pictures" in done.output
    assert json.loads((shop / "found.json").read_text())["r_at_1"]["value"] == 1
    assert CliRunner().invoke(main, [*words, "--axis", "style"]).exit_code == 2
    assert CliRunner().invoke(main, ["evaluate"]).exit_code == 2


@pytest.mark.parametrize("encoding", ["cp949", "utf-8-sig", "utf-16"])
def test_pairs_are_read_as_a_spreadsheet_wrote_them_and_a_mac_named_the_files(tmp_path: Path, encoding: str) -> None:
    for name in ("치마", "가게"):
        draw_garment("#c0392b", 1).save(tmp_path / f"{unicodedata.normalize('NFD', name)}.png")
    (tmp_path / "pairs.csv").write_text("sep=;\nquery;gallery\n치마.png;가게.png\n", encoding)
    (found,) = read_pairs(tmp_path / "pairs.csv")
    assert found.query.is_file()
    assert unicodedata.normalize("NFC", found.gallery.name) == "가게.png"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("query,gallery", "photo,picture", "no columns query and gallery"),
        ("1-gallery.png", "lost.png", "is gone"),
        ("test", "train", "All pairs"),
    ],
)
def test_pairs_that_cannot_be_measured_are_a_sentence(shop: Path, old: str, new: str, sentence: str) -> None:
    file = shop / "pairs.csv"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(ArtifactError, match=sentence):
        read_pairs(file)
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_pairs(shop / "none.csv")
