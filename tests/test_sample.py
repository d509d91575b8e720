"""The sample shop: drawn again it is the same, it covers every class, and its feed reads like any shop's."""

from __future__ import annotations

import importlib.util
import io
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from mapsi.catalog.offer import Offer
from mapsi.errors import ExtraMissingError, UsageError
from mapsi.providers import merchant
from mapsi.sample.cloth.fabrics import PATTERNS, RELIEFS, WEAVES, Fabric
from mapsi.sample.cloth.lighting import Scene
from mapsi.sample.cloth.palette import COLORS
from mapsi.sample.drawing import CUTTERS, Spec, draw
from mapsi.sample.feed import NAMESPACE
from mapsi.sample.nothing import write_nothing
from mapsi.sample.recipes import GARMENTS
from mapsi.sample.shop import load_lines, picture_of, products, shipped_feed
from mapsi.sample.variation import vary, write_drawings
from mapsi.taxonomy import load_taxonomy
from servers import require

FEED = shipped_feed()
STOCK = {product.id: (product, spec) for product, spec in products()}


def _column(name: str) -> list[str]:
    items = ET.parse(FEED).getroot().iter("item")
    return [item.findtext(f"{{{NAMESPACE}}}{name}") or "" for item in items]


def _offers() -> list[Offer]:
    read = list(merchant.PROVIDER.read(FEED))
    assert [row for row in read if not isinstance(row, Offer)] == []
    return [row for row in read if isinstance(row, Offer)]


def _needs_drawing() -> None:
    require(importlib.util.find_spec("resvg_py"), "resvg_py (pip install 'mapsi[draw]')")


def test_the_shipped_feed_is_the_shop_of_the_program() -> None:
    assert [offer.id for offer in _offers()] == list(STOCK)
    for offer in _offers():
        product, _ = STOCK[offer.id]
        assert (offer.title, offer.price, offer.sale_price) == (product.title, product.price, product.sale_price)
        assert (offer.group, offer.category, offer.image) == (product.group, product.product_type, product.image)


def test_the_shop_has_at_least_240_products_with_ids_of_their_own() -> None:
    ids = [offer.id for offer in _offers()]
    assert len(ids) >= 240
    assert len(set(ids)) == len(ids)


STYLES = {cls.slug for cls in load_taxonomy().find("style").classes}


@pytest.mark.parametrize(("slugs", "column"), [(STYLES, "custom_label_0"), (set(GARMENTS), "custom_label_1")])
def test_every_style_and_every_garment_that_is_drawn_is_for_sale(slugs: set[str], column: str) -> None:
    assert set(_column(column)) - {""} == slugs


def test_the_garments_that_are_drawn_are_classes() -> None:
    assert GARMENTS.keys() <= load_taxonomy().find("garment").by_slug.keys()


def test_every_style_has_several_lines_and_every_garment_too() -> None:
    lines = load_lines()
    for slugs, attribute in ((STYLES, "style"), (set(GARMENTS), "garment")):
        for slug in slugs:
            assert sum(getattr(line, attribute) == slug for line in lines) >= 4, slug


def test_a_title_is_korean_and_english_and_holds_a_word_of_its_class() -> None:
    taxonomy = load_taxonomy()
    for product, _ in STOCK.values():
        korean, _, english = product.title.partition(" / ")
        assert any("가" <= letter <= "힣" for letter in korean), product.title
        assert english.isascii(), product.title
        name, slug = ("style", product.style) if product.style else ("garment", product.garment)
        axis = taxonomy.find(name)
        words = [word for kind in axis.kinds(slug) for word in axis.find(kind).all_words if not word.isascii()]
        whole = korean.replace(" ", "")
        assert any(word.replace(" ", "") in whole for word in words), (product.title, words)


def test_prices_are_plausible_won_and_some_are_reduced() -> None:
    offers = _offers()
    assert all(offer.currency == "KRW" and offer.price % 100 == 0 for offer in offers)
    assert all(Decimal(10_000) <= offer.price <= Decimal(500_000) for offer in offers)
    reduced = [offer for offer in offers if offer.sale_price is not None]
    assert 0.05 < len(reduced) / len(offers) < 0.5
    assert all(offer.sale_price < offer.price and offer.sale_price % 100 == 0 for offer in reduced if offer.sale_price)


def test_colours_of_one_line_are_one_group_and_a_group_has_two_or_three() -> None:
    groups = [offer.group for offer in _offers() if offer.group]
    assert {groups.count(group) for group in groups} == {2, 3}


def test_products_are_marked_as_samples_and_lead_to_no_real_shop() -> None:
    for offer in _offers():
        assert offer.brand == "맵시 샘플"
        assert "샘플" in offer.description
        assert "sample" in offer.description
        assert offer.link == f"https://example.com/mapsi-sample/{offer.id}"


def test_men_women_and_all_are_served() -> None:
    assert {offer.audience for offer in _offers()} == {"men", "women", "unisex"}


def test_every_picture_is_there_and_decodes_and_none_is_left_over() -> None:
    images = {offer.image for offer in _offers()}
    assert {f"pictures/{file.name}" for file in (FEED.parent / "pictures").iterdir()} == images
    for image in images:
        with Image.open(FEED.parent / image) as picture:
            picture.load()
            assert (picture.format, picture.size) == ("WEBP", (480, 600))


def test_the_shop_weighs_at_most_five_megabytes() -> None:
    assert sum(file.stat().st_size for file in FEED.parent.rglob("*") if file.is_file()) <= 5_000_000


@pytest.mark.parametrize("at", [0, 40, 110, 190, 230, -1])
def test_a_picture_drawn_again_is_the_shipped_one(at: int) -> None:
    _needs_drawing()
    product, spec = list(STOCK.values())[at]
    again = _pixels(picture_of(spec))
    shipped = _pixels((FEED.parent / product.image).read_bytes())
    # Another processor's rounding may move single grey levels, which lossy coding then spreads a little.
    assert np.abs(again - shipped).mean() < 0.5
    assert np.quantile(np.abs(again - shipped), 0.999) <= 12


def _pixels(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"), dtype=np.float64)


@pytest.mark.parametrize("garment", sorted(GARMENTS))
def test_the_same_seed_draws_the_same_garment_and_another_seed_another(garment: str) -> None:
    _needs_drawing()

    def drawn(seed: int) -> bytes:
        return draw(vary(garment, np.random.default_rng(seed)), width=64, oversample=1.0).tobytes()

    assert drawn(5) == drawn(5)
    assert drawn(5) != drawn(6)


@pytest.mark.parametrize("cut", sorted(CUTTERS))
def test_every_cut_shows_its_colour_on_a_plain_ground(cut: str) -> None:
    _needs_drawing()
    picture = draw(Spec(cut, Fabric("#b5373a"), scene=Scene("#ffffff")), width=96, oversample=1.0)
    pixels = np.asarray(picture, dtype=np.float64)
    red = (pixels[..., 0] > 1.6 * pixels[..., 1]) & (pixels[..., 0] > 60)
    assert 0.08 < red.mean() < 0.8
    assert pixels[:4].min() > 200, "the garment runs over the upper edge"


@pytest.mark.parametrize("pattern", sorted(PATTERNS))
def test_every_pattern_changes_the_cloth(pattern: str) -> None:
    _needs_drawing()
    plain = Spec("tee", Fabric("#27334e", "plain"))
    printed = Spec("tee", Fabric("#27334e", "plain", pattern, ("#f3f1ec", "#c6963a", "#dd8570")))
    first, second = (np.asarray(draw(spec, width=96, oversample=1.0), dtype=np.float64) for spec in (plain, printed))
    assert (np.abs(first - second).max(axis=2) > 25).mean() > 0.01


def test_every_raised_texture_of_a_weave_exists() -> None:
    assert {weave.relief for weave in WEAVES.values()} - {""} <= set(RELIEFS)


def test_every_line_names_cloths_that_exist() -> None:
    for line in load_lines():
        assert line.cut in CUTTERS
        assert line.weave in WEAVES
        assert line.pattern in {"", *PATTERNS}
        assert {name for names in line.colors for name in names.split()} <= set(COLORS)


def test_drawings_are_filed_by_class_and_more_of_them_keep_the_first(tmp_path: Path) -> None:
    _needs_drawing()
    told: list[int] = []
    assert write_drawings(tmp_path / "one", 1, 3, told.append) == 10
    assert told == [1] * 10
    assert {folder.name for folder in (tmp_path / "one").iterdir()} == GARMENTS.keys()
    files = sorted((tmp_path / "one").rglob("*.jpg"))
    assert {_pixels(file.read_bytes()).shape for file in files} == {(320, 256, 3)}
    spec = vary("dress", np.random.default_rng((3, 0, 0)))
    again = draw(spec, width=256, oversample=1.0)
    with Image.open(tmp_path / "one" / "dress" / "drawn-3-0000.jpg") as shipped:
        difference = np.asarray(again, dtype=np.float64) - np.asarray(shipped, dtype=np.float64)
    assert np.abs(difference).mean() < 4


def test_no_drawings_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write_drawings(tmp_path, 0, 1)


def test_drawing_without_its_library_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    with pytest.raises(ExtraMissingError, match=r"mapsi\[draw\]"):
        draw(Spec("tee", Fabric("#27334e")), width=64, oversample=1.0)


def test_pictures_of_nothing_are_the_same_again_for_the_same_seed(tmp_path: Path) -> None:
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_nothing(tmp_path / folder, 12, seed)
    first, same, other = ([p.read_bytes() for p in sorted((tmp_path / f).iterdir())] for f in "abc")
    assert first == same
    assert first != other
    assert len(set(first)) == 12
