"""What a shop's category says of a product's kind is believed; its title chooses among what that admits."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsi.catalog.text.kinds import KindReader
from mapsi.catalog.text.offer_classes import OfferClassifier
from mapsi.errors import ArtifactError
from mapsi.taxonomy import load_taxonomy
from mapsi.taxonomy.categories import KIND_AXIS, OTHER, load_categories

TAXONOMY = load_taxonomy()
AXIS = TAXONOMY.axes[KIND_AXIS]
CATEGORIES = load_categories()
READER = KindReader(AXIS, CATEGORIES)
CLASSIFIER = OfferClassifier(TAXONOMY)
SHARED = Path(__file__).parents[2] / "shared"


def test_the_mapping_names_no_kind_that_the_taxonomy_lacks() -> None:
    told = {kind for kinds in (*CATEGORIES.names.values(), *CATEGORIES.google.values()) for kind in kinds}
    for kind in told - {OTHER}:
        assert CATEGORIES.kinds(AXIS, (kind,)), kind


def test_the_mapping_does_not_repeat_what_the_words_of_classes_say() -> None:
    for name in CATEGORIES.names:
        others = {other: told for other, told in CATEGORIES.names.items() if other != name}
        without = KindReader(AXIS, replace(CATEGORIES, names=others))
        assert without.admitted(name) != READER.admitted(name), name


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        ("Apparel > Topwear > Tshirts", "t-shirt"),
        ("Accessories > Watches > Watches", "watch"),
        ("Women > Shoes > Heels", "heels"),
        ("Coats & Jackets", "outwear"),
        ("Apparel & Accessories > Clothing > Dresses", "dress"),
        ("패션의류 > 여성의류 > 니트/스웨터", "sweater"),
        ("패션의류>여성의류>니트/스웨터>카디건", "cardigan"),
        ("패션의류>여성의류>블라우스/셔츠", "shirt"),
        ("패션의류>여성의류>아우터>가죽자켓", "jacket"),
        ("패션의류>여성의류>재킷", "jacket"),
        ("패션의류>남성의류>셔츠/남방", "shirt"),
        ("패션잡화>모자>스냅백", "hat"),
        ("패션잡화>남성가방>브리프케이스", "bag"),
        ("패션잡화>선글라스/안경테", "sunglasses"),
        ("패션잡화>신발용품", OTHER),
        ("의류/액세서리 > 의류 > 아우터 > 코트/재킷", "outwear"),
        ("화장품/미용 > 향수", OTHER),
        ("Home & Garden > Lighting > Lamps", OTHER),
        ("New in > Sale", ""),
        ("", ""),
    ],
)
def test_a_category_names_a_kind(category: str, kind: str) -> None:
    assert READER.kind("", category) == kind


@pytest.mark.parametrize(
    ("google", "kind"),
    [
        ("2271", "dress"),
        ("Apparel & Accessories > Clothing > Dresses", "dress"),
        ("apparel & accessories>clothing>dresses", "dress"),
        ("Apparel & Accessories > Clothing > Dresses > Of a later version", "dress"),
        ("201", "watch"),
        ("5598", "outwear"),
        ("Health & Beauty > Personal Care", OTHER),
        ("99999999", ""),
        ("Nobody > Knows > This", ""),
    ],
)
def test_googles_categories_are_known_by_number_and_by_path(google: str, kind: str) -> None:
    assert READER.kind("", "", google) == kind


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Denim shirt dress", "dress"),
        ("Dress shirt for men", "shirt"),
        ("Sandals with ankle straps", "sandals"),
        ("Leather watch strap", OTHER),
        ("브라운 니트 조끼", "vest"),
        ("여성 셔츠 원피스", "dress"),
        ("타이트 스커트", "skirt"),
        ("쉬폰 블라우스 원피스 니트 가디건 치마", ""),
        ("Gift", ""),
    ],
)
def test_without_a_category_the_last_noun_of_the_title_decides(title: str, kind: str) -> None:
    assert READER.kind(title, "") == kind


def test_a_title_chooses_within_its_category_and_never_leaves_it() -> None:
    assert READER.kind("Silk blouse", "Women > Shirts") == "blouse"
    assert READER.kind("Running sneakers", "Shoes") == "sneakers"
    assert READER.kind("Denim dress", "Women > Jeans") == "jeans"
    assert READER.kind("Dress watch", "Accessories > Watches") == "watch"


def test_the_shops_own_category_counts_before_googles_where_they_contradict_each_other() -> None:
    assert READER.kind("", "Shoes", "2271") == "shoes"
    assert READER.kind("", "Clothing", "2271") == "dress"
    assert READER.kind("", "Gift cards", "2271") == "dress"


def test_what_is_worn_on_no_body_has_no_style() -> None:
    assert CLASSIFIER.by_words("Oversized Sunglasses", "Accessories > Sunglasses", "") == {KIND_AXIS: "sunglasses"}
    assert CLASSIFIER.by_words("Oversized candle", "Home > Candles", "") == {KIND_AXIS: OTHER}
    assert CLASSIFIER.by_words("오버핏 맨투맨", "패션의류>남성의류", "") == {
        KIND_AXIS: "sweatshirt",
        "style": "over-look",
    }


@pytest.mark.parametrize(
    ("category", "read", "kept"),
    [
        ("Shoes", "boots", "boots"),  # a kind of what the shop says
        ("Shoes", "skirt", None),
        ("Watches", "skirt", None),
        ("Home", "skirt", None),
        ("Apparel & Accessories > Clothing > Shirts & Tops", "blouse", "blouse"),
        ("Apparel & Accessories > Clothing > Shirts & Tops", "skirt", None),
        ("", "skirt", "skirt"),
        ("", "no-such-class", None),
    ],
)
def test_a_picture_refines_what_the_shop_says_and_never_contradicts_it(
    category: str, read: str, kept: str | None
) -> None:
    words = CLASSIFIER.by_words("Number 7", category, "")
    told = CLASSIFIER.by_picture(words, {KIND_AXIS: {"slug": read, "confidence": 0.9, "known": True}}, category, "")
    assert told == ({} if kept is None else {KIND_AXIS: (kept, 0.9)})


def test_an_unsure_reading_says_nothing() -> None:
    unsure = {KIND_AXIS: {"slug": "boots", "confidence": 0.3, "known": False}}
    assert CLASSIFIER.by_picture({}, unsure, "", "") == {}  # type: ignore[arg-type]


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_whatever_a_feed_says_gives_a_class_or_none(title: str, category: str, google: str) -> None:
    assert READER.kind(title, category, google) in {*AXIS.by_slug, OTHER, ""}


def test_a_mapping_with_a_slip_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "categories.toml"
    for text in (
        "[names",
        "[names]\n",
        '[names]\nshoes = "shoes"\n[google]\nrows = []\ndepartments_without_clothes = []\n',
    ):
        file.write_text(text)
        with pytest.raises(ArtifactError):
            load_categories(file)
    with pytest.raises(ArtifactError):
        load_categories(tmp_path / "none.toml")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared photos and lists are not beside the repository")
def test_nearly_all_of_googles_categories_and_of_a_real_catalogue_say_a_kind() -> None:
    google = [
        line.split("\t") for line in (SHARED / "references/categories/google-apparel.tsv").read_text().splitlines()
    ]
    said = {number: READER.admitted("", number) for number, _ in google}
    assert all(READER.admitted("", path) == said[number] for number, path in google)
    assert sum(map(bool, said.values())) / len(said) >= 0.99
    with (SHARED / "data/products/products.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    kinds = Counter(
        READER.kind(row["productDisplayName"], f"{row['masterCategory']} > {row['subCategory']} > {row['articleType']}")
        for row in rows
    )
    assert kinds[""] / len(rows) <= 0.005
