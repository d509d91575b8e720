"""Garments told apart in a photo: from a map of groups to boxes, masks, and a reading of each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from scipy import ndimage

from mapsi.artifacts import write_json
from mapsi.cli import main
from mapsi.errors import ArtifactError, PhotoError, PhotoTypeError, UsageError
from mapsi.imaging import cut, map_picture
from mapsi.infer import Model
from mapsi.infer.folder import DOCUMENT, read_document
from mapsi.infer.look import MOST, Region, find_regions, group_shares, with_margin
from mapsi.infer.parts import connected_parts
from mapsi.taxonomy import load_taxonomy
from small_house import write_colour_model

GROUPS = ("ground", "upper", "outer", "lower", "one-piece", "shoes", "bag", "accessory", "person")
GROUND, UPPER, OUTER, LOWER, DRESS, SHOES, BAG, ACCESSORY, PERSON = range(9)
SIDE = 40


def drawn(*patches: tuple[int, int, int, int, int]) -> npt.NDArray[np.float32]:
    """Shares (9, 40, 40) of a map with ``patches`` (group, top, left, height, width) on plain ground, nine tenths
    sure."""
    told = np.zeros((SIDE, SIDE), dtype=np.int64)
    for group, top, left, height, width in patches:
        told[top : top + height, left : left + width] = group
    shares = np.full((9, SIDE, SIDE), 0.1 / 8, dtype=np.float32)
    np.put_along_axis(shares, told[None], 0.9, axis=0)
    return shares


def groups_of(regions: list[Region]) -> list[str]:
    return [region.group for region in regions]


def test_an_outfit_is_its_garments_the_largest_first() -> None:
    regions = find_regions(
        drawn((PERSON, 0, 15, 6, 8), (UPPER, 6, 12, 10, 14), (LOWER, 16, 13, 18, 12), (SHOES, 36, 13, 3, 4)), GROUPS
    )
    assert groups_of(regions) == ["lower", "upper", "shoes"]
    lower = regions[0]
    assert lower.box == pytest.approx((13 / 40, 16 / 40, 12 / 40, 18 / 40))
    assert lower.confidence == pytest.approx(0.9, abs=1e-5)
    assert lower.mask.sum() == 18 * 12


def test_two_shoes_and_the_halves_of_an_open_coat_are_one_garment_each() -> None:
    regions = find_regions(
        drawn((PERSON, 0, 15, 6, 8), (OUTER, 8, 10, 20, 5), (OUTER, 8, 25, 20, 5), (SHOES, 36, 12, 3, 4), (SHOES, 36, 24, 3, 4)),
        GROUPS,
    )  # fmt: skip
    assert groups_of(regions) == ["outer", "shoes"]
    assert regions[1].box == pytest.approx((12 / 40, 36 / 40, 16 / 40, 3 / 40))


def test_bags_and_accessories_are_told_one_by_one() -> None:
    regions = find_regions(
        drawn((PERSON, 0, 15, 6, 8), (BAG, 20, 2, 8, 6), (BAG, 20, 30, 6, 6), (ACCESSORY, 1, 16, 3, 6)), GROUPS
    )
    assert groups_of(regions) == ["bag", "bag", "accessory"]


def test_a_speck_stretches_no_box() -> None:
    regions = find_regions(drawn((PERSON, 0, 15, 6, 8), (UPPER, 6, 12, 10, 14), (UPPER, 38, 38, 1, 1)), GROUPS)
    assert regions[0].box == pytest.approx((12 / 40, 6 / 40, 14 / 40, 10 / 40))


@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_parts_are_those_that_scipy_finds(mask: npt.NDArray[np.bool_]) -> None:
    numbers, count = ndimage.label(mask, np.ones((3, 3)))
    parts = connected_parts(mask)
    assert len(parts) == count
    for number, part in enumerate(parts, 1):
        np.testing.assert_array_equal(part, numbers == number)


def test_a_picture_of_one_garment_laid_flat_is_one_garment_though_parts_of_it_look_otherwise() -> None:
    regions = find_regions(drawn((OUTER, 5, 5, 30, 30), (UPPER, 10, 12, 15, 10)), GROUPS)
    assert groups_of(regions) == ["outer"]
    assert regions[0].mask.sum() == 900


def test_things_laid_out_side_by_side_are_several() -> None:
    regions = find_regions(drawn((UPPER, 2, 2, 14, 14), (LOWER, 2, 22, 14, 14)), GROUPS)
    assert sorted(groups_of(regions)) == ["lower", "upper"]


def test_plain_ground_shows_no_garment() -> None:
    assert find_regions(drawn(), GROUPS) == []


@given(hnp.arrays(np.float32, (9, 12, 12), elements=st.floats(-8, 8, width=32)))
def test_whatever_the_map_says_garments_are_few_and_lie_within_the_photo(logits: npt.NDArray[np.float32]) -> None:
    regions = find_regions(group_shares(logits), GROUPS)
    assert len(regions) <= MOST
    sizes = [int(region.mask.sum()) for region in regions]
    assert sizes == sorted(sizes, reverse=True)
    for region in regions:
        x, y, width, height = region.box
        assert 0 <= x < x + width <= 1 + 1e-6
        assert 0 <= y < y + height <= 1 + 1e-6
        assert 0 < region.confidence <= 1
        rows, columns = np.nonzero(region.mask)
        assert (columns.min() / 12, rows.min() / 12) == pytest.approx((x, y))
        assert region.group not in ("ground", "person")


@given(st.tuples(*[st.integers(-50, 150).map(lambda hundredths: hundredths / 100)] * 4))
def test_a_box_is_within_the_photo_or_refused(box: tuple[float, float, float, float]) -> None:
    x, y, width, height = box
    if x >= 0 and y >= 0 and width > 0 and height > 0 and x + width <= 1 and y + height <= 1:
        left, top, across, down = with_margin(box)
        assert (left, top) <= (x, y)
        assert left + across <= 1 + 1e-9
        assert top + down <= 1 + 1e-9
        piece = cut(Image.new("RGB", (30, 50)), (left, top, across, down))
        assert min(piece.size) >= 1
    elif x + width > 1.001 or y + height > 1.001 or min(x, y) < 0 or min(width, height) <= 0:
        with pytest.raises(UsageError, match="not a box"):
            with_margin(box)


def test_a_cut_is_what_stands_in_the_box() -> None:
    pixels = np.zeros((40, 20, 3), dtype=np.uint8)
    pixels[10:20, 5:15] = 255
    piece = np.asarray(cut(Image.fromarray(pixels), (0.25, 0.25, 0.5, 0.25)))
    assert piece.shape == (10, 10, 3)
    assert piece.min() == 255


def test_a_map_is_written_as_the_numbers_of_its_groups() -> None:
    numbers = np.array([[0, 1], [5, 8]], dtype=np.uint8)
    picture = map_picture(numbers, (4, 4))
    assert np.asarray(picture)[::2, ::2].tolist() == numbers.tolist()
    assert len({picture.convert("RGB").getpixel((x, y)) for x in (0, 3) for y in (0, 3)}) == 4


@pytest.fixture
def mapped(tmp_path: Path) -> Path:
    """A model whose map calls red places upper, green ones lower, blue ones shoes, and black ones a person."""
    return write_colour_model(tmp_path / "model", load_taxonomy(["paper17", "garment", "colors"]), groups=GROUPS)


def outfit() -> Image.Image:
    pixels = np.full((80, 80, 3), 255, dtype=np.uint8)
    pixels[0:8, 32:48] = 0
    pixels[8:40, 24:56] = (255, 0, 0)
    pixels[40:72, 24:56] = (0, 255, 0)
    pixels[72:80, 24:56] = (0, 0, 255)
    return Image.fromarray(pixels)


def test_each_garment_is_read_by_itself(mapped: Path) -> None:
    model = Model.open(mapped)
    look = model.garments(outfit())
    assert sorted(garment.group for garment in look.garments) == ["lower", "shoes", "upper"]
    assert look.map.shape == look.garments[0].mask.shape  # type: ignore[union-attr]
    for garment in look.garments:
        again = model.read_box(outfit(), garment.box)
        assert float(again.embedding @ garment.reading.embedding) == pytest.approx(1, abs=1e-4)
    assert float(look.whole.embedding @ model.read(outfit()).embedding) == pytest.approx(1, abs=1e-4)


def test_the_network_runs_once_for_a_photo_with_its_map_and_once_for_all_garments_in_it(
    mapped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Model.open(mapped)
    runs: list[tuple[int, bool]] = []
    run = model._session.run

    def counted(outputs: Sequence[str], inputs: Mapping[str, npt.NDArray[np.float32]]) -> Any:
        runs.append((len(inputs["photos"]), "map" in outputs))
        return run(outputs, inputs)

    monkeypatch.setattr(model, "_session", SimpleNamespace(run=counted))
    look = model.garments(outfit())
    assert runs == [(1, True), (len(look.garments), False)] == [(1, True), (3, False)]
    assert np.array_equal(look.map, model.map_logits(outfit()).argmax(axis=0))


def test_a_garment_that_is_not_worth_reading_has_the_reading_of_the_whole(mapped: Path) -> None:
    model = Model.open(mapped)
    look = model.garments(outfit(), lambda regions: [region.group == "lower" for region in regions])
    all_read = model.garments(outfit())
    assert [garment.box for garment in look.garments] == [garment.box for garment in all_read.garments]
    for ours, theirs in zip(look.garments, all_read.garments, strict=True):
        if ours.group == "lower":
            assert np.allclose(ours.reading.embedding, theirs.reading.embedding, atol=1e-4)
        else:
            assert ours.reading is look.whole


def test_a_map_may_be_read_at_a_size_of_its_own(mapped: Path) -> None:
    document = read_document(mapped)
    rough = Model.open(mapped).garments(outfit())
    write_json(mapped / DOCUMENT, replace(document, map_size=64).to_json())
    fine = Model.open(mapped)
    look = fine.garments(outfit())
    assert (rough.map.shape, look.map.shape) == ((32, 32), (64, 64))
    assert sorted(g.group for g in look.garments) == sorted(g.group for g in rough.garments)
    assert np.array_equal(look.whole.embedding, rough.whole.embedding)
    assert fine.fingerprint != document.fingerprint


@pytest.mark.parametrize("size", [40, -32, 2048, "large"])
def test_a_size_of_the_map_that_the_network_cannot_halve_is_refused(mapped: Path, size: object) -> None:
    write_json(mapped / DOCUMENT, read_document(mapped).to_json() | {"map_size": size})
    with pytest.raises(ArtifactError, match="lacks an entry"):
        Model.open(mapped)


def test_a_network_of_one_size_reads_no_map_at_another(tmp_path: Path) -> None:
    folder = write_colour_model(tmp_path / "plain", load_taxonomy())
    write_json(folder / DOCUMENT, replace(read_document(folder), map_size=64).to_json())
    with pytest.raises(ArtifactError, match="64 were expected"):
        Model.open(folder)


def test_without_a_map_the_whole_photo_is_one_garment(tmp_path: Path) -> None:
    look = Model.open(write_colour_model(tmp_path / "plain", load_taxonomy())).garments(outfit())
    assert [(garment.group, garment.box, garment.mask) for garment in look.garments] == [("", (0, 0, 1, 1), None)]
    assert look.garments[0].reading is look.whole


def test_a_wall_has_no_colour_to_speak_of(mapped: Path) -> None:
    """An attribute is known only where something is known to have it."""
    model = Model.open(mapped)
    assert [labels.axis for labels in model.axes if labels.attribute] == ["colour"]
    rng = np.random.default_rng(0)
    readings = model.read_many([Image.new("RGB", (40, 40), tuple(rng.integers(0, 256, 3))) for _ in range(40)])
    assert any(not reading.known for reading in readings)
    for reading in readings:
        assert not (reading.axes["colour"].known and not reading.known)


def test_the_command_tells_garments_as_json_and_writes_the_map(
    mapped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))
    outfit().save(tmp_path / "photo.png")
    words = ["garments", str(tmp_path / "photo.png"), "--model", str(mapped)]
    done = CliRunner().invoke(main, [*words, "--json", "--mask", str(tmp_path / "map.png")])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)["garments"]
    assert {garment["group"] for garment in told} == {"upper", "lower", "shoes"}
    assert all(len(garment["box"]) == 4 and min(garment["box"]) >= 0 for garment in told)
    assert set(told[0]["axes"]) == {"style", "garment", "colour"}
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.size == (80, 80)
        assert np.asarray(picture)[60, 40] == LOWER
    assert "upper 100%" in CliRunner().invoke(main, words).output


def test_what_cannot_be_told_apart_is_a_sentence(mapped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))
    photo, plain = tmp_path / "photo.png", write_colour_model(tmp_path / "plain", load_taxonomy())
    outfit().save(photo)
    (tmp_path / "bad.jpg").write_text("no photo")
    for words, code, sentence in (
        ([str(photo), "--model", str(plain), "--mask", str(tmp_path / "map.png")], 2, "has no map of garments"),
        ([str(tmp_path / "bad.jpg"), "--model", str(mapped)], PhotoTypeError.exit_code, "not a photo that can be read"),
        ([str(tmp_path / "none.jpg"), "--model", str(mapped)], PhotoError.exit_code, "cannot be read"),
    ):
        done = CliRunner().invoke(main, ["garments", *words])
        assert (done.exit_code, sentence in done.output) == (code, True), done.output


def test_groups_that_make_no_map_are_refused(mapped: Path) -> None:
    document = json.loads((mapped / "model.json").read_text("utf-8"))
    for groups in (["upper", "lower"], [*GROUPS, "hair"]):
        (mapped / "model.json").write_text(json.dumps(document | {"groups": groups}), "utf-8")
        with pytest.raises(ArtifactError, match=r"groups without ground|output map"):
            Model.open(mapped)
