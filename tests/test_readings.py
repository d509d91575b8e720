"""What a model read off pictures, and the classes that come of it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from threading import Thread

import numpy as np
import numpy.typing as npt
import pytest

from mapsi.catalog import Catalog
from mapsi.catalog.filters import Filters
from mapsi.catalog.pictures.fetching import FetchedPicture, PictureTask
from mapsi.catalog.query import Query
from mapsi.catalog.records import Label, PictureCopy
from mapsi.catalog.store.locks import switch_lock
from mapsi.errors import UsageError
from offers import TAXONOMY, take_in, take_in_all
from offers import offer as any_offer

DIGEST = "ab" * 32
IMAGE = "https://img.example.com/x.jpg"
offer = partial(any_offer, image=IMAGE)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def digest(number: int) -> str:
    return f"{number:064x}"


def embedding(number: int, width: int = 8) -> npt.NDArray[np.float32]:
    return np.random.default_rng(number).standard_normal(width).astype(np.float32)


def label(slug: str, *, known: bool = True, confidence: float = 0.9) -> Label:
    return {"slug": slug, "confidence": confidence, "known": known}


def give_picture(catalog: Catalog, *offer_ids: int, of: str = "") -> str:
    stored = of or digest(offer_ids[0])
    task = PictureTask(image=IMAGE, offer_ids=offer_ids)
    catalog.pictures.save(task, FetchedPicture(copy=PictureCopy(stored, 240, 320)), NOW, NOW)
    return stored


def unread(catalog: Catalog, model: str) -> list[str]:
    return [picture.digest for picture in catalog.readings.missing(model)]


def classes(catalog: Catalog, offer_id: int) -> dict[str, str]:
    return dict(catalog.listings.products([offer_id])[0].classes)


# --- readings --------------------------------------------------------------------------------------------------------


def test_pictures_are_read_once_by_each_model(catalog: Catalog) -> None:
    take_in(catalog, offer("1"), offer("2"), offer("3"), offer("4"))
    give_picture(catalog, 1)
    give_picture(catalog, 2)
    give_picture(catalog, 3, of=digest(1))
    give_picture(catalog, 4)
    take_in(catalog, offer("1"), offer("2"), offer("3"))
    assert unread(catalog, "m1") == [digest(1), digest(2)]
    assert catalog.readings.save("m1", [(digest(1), embedding(1), {})]) == 1
    assert unread(catalog, "m1") == [digest(2)]
    assert unread(catalog, "m2") == [digest(1), digest(2)]
    assert (catalog.readings.count("m1"), catalog.readings.count("m2")) == (1, 0)


def test_readings_come_back_with_their_offers(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "원피스", "19.5", currency="USD", group="g", audience="women"), offer("2"), offer("3"))
    take_in(catalog, offer("1", group="g"), shop="other")
    for offer_id in (1, 2, 4):
        give_picture(catalog, offer_id)
    catalog.readings.save("m", ((digest(n), embedding(n), {}) for n in (1, 2, 4)))
    rows = list(catalog.readings.index_rows("m"))
    assert [row.offer_id for row in rows] == [1, 2, 4]
    first, second, third = rows
    assert (first.kind, first.color, first.audience) == ("dress", "", "women")
    assert len({first.group, second.group, third.group}) == 3
    assert first.embedding.dtype == np.float16
    np.testing.assert_array_equal(first.embedding, embedding(1).astype(np.float16))
    assert list(catalog.readings.index_rows("another")) == []


def test_variants_share_their_group_and_nobody_else_does(catalog: Catalog) -> None:
    take_in(catalog, offer("1", group="g"), offer("2", group="g"), offer("g"))
    for offer_id in (1, 2, 3):
        give_picture(catalog, offer_id)
    catalog.readings.save("m", [(digest(n), embedding(n), {}) for n in (1, 2, 3)])
    first, second, third = (row.group for row in catalog.readings.index_rows("m"))
    assert first == second != third


def test_index_rows_leave_out_what_is_not_shown(catalog: Catalog) -> None:
    take_in(catalog, offer("1"), offer("2"), offer("3"))
    for offer_id in (1, 2, 3):
        give_picture(catalog, offer_id)
    catalog.readings.save("m", [(digest(n), embedding(n), {}) for n in (1, 2, 3)])
    take_in(catalog, offer("2", availability="out_of_stock"), offer("3"))
    assert [row.offer_id for row in catalog.readings.index_rows("m")] == [3]


def test_index_rows_are_of_one_moment_in_flat_batches(catalog: Catalog) -> None:
    take_in_all(catalog, (offer(str(n)) for n in range(2500)))
    give_picture(catalog, *range(1, 2501), of=DIGEST)
    catalog.readings.save("m", [(DIGEST, embedding(1), {})])
    rows = catalog.readings.index_rows("m")
    seen = [next(rows).offer_id]
    take_in(catalog, offer("0"))
    assert seen + [row.offer_id for row in rows] == list(range(1, 2501))


def test_a_reading_that_is_there_is_replaced(catalog: Catalog) -> None:
    take_in(catalog, offer("1"))
    give_picture(catalog, 1)
    for n in (1, 2):
        catalog.readings.save("m", [(digest(1), embedding(7), {}), (digest(1), embedding(n), {})])
    (row,) = catalog.readings.index_rows("m")
    np.testing.assert_array_equal(row.embedding, embedding(2).astype(np.float16))


@pytest.mark.parametrize("bad", [np.zeros((2, 2), np.float32), np.array([np.nan], np.float32)])
def test_an_embedding_that_makes_no_sense_is_refused(catalog: Catalog, bad: npt.NDArray[np.float32]) -> None:
    with pytest.raises(UsageError):
        catalog.readings.save("m", [(DIGEST, bad, {})])


# --- classes ---------------------------------------------------------------------------------------------------------


def read(catalog: Catalog, model: str, offer_id: int, **labels: Label) -> None:
    catalog.readings.save(model, [(give_picture(catalog, offer_id), embedding(offer_id), labels)])


def test_the_model_fills_what_the_words_left_open(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "데일리 기본템"), offer("2", "원피스"), offer("3", "데일리"))
    read(catalog, "m", 1, garment=label("dress"), style=label("suit", known=False))
    read(catalog, "m", 2, garment=label("hat"), style=label("knit"))
    read(catalog, "m", 3, garment=label("spaceship"), mood=label("sad"))
    assert catalog.classify_by_model("m", TAXONOMY) == 1
    assert classes(catalog, 1) == {"garment": "dress"}
    assert classes(catalog, 2) == {"garment": "dress", "style": "one-piece"}
    assert classes(catalog, 3) == {}
    assert catalog.classify_by_model("m", TAXONOMY) == 0


def test_classes_of_the_model_are_found_by_words_and_filters(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "데일리 기본템"))
    assert catalog.listings.search(Query(words="드레스", size=10)).total == 0
    read(catalog, "m", 1, garment=label("dress"))
    catalog.classify_by_model("m", TAXONOMY)
    assert catalog.listings.search(Query(words="드레스", size=10)).total == 1
    assert catalog.listings.search(Query(filters=Filters(classes={"garment": ("dress",)}), size=10)).total == 1
    assert catalog.listings.facets().classes == {"garment": (("dress", 1),)}


def test_readings_alone_change_no_answer(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "데일리"))
    before = catalog.generation()
    read(catalog, "m", 1, garment=label("dress"))
    assert catalog.generation() == before, "else every batch of a long build would empty the caches of those who serve"


def test_another_model_takes_back_what_the_first_one_said(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "데일리 기본템"), offer("2", "데일리"))
    read(catalog, "old", 1, garment=label("dress"))
    read(catalog, "old", 2, garment=label("hat"))
    catalog.classify_by_model("old", TAXONOMY)
    read(catalog, "new", 1, garment=label("skirt"))
    assert catalog.classify_by_model("new", TAXONOMY) == 2
    assert (classes(catalog, 1), classes(catalog, 2)) == ({"garment": "skirt"}, {})
    assert catalog.listings.search(Query(words="드레스", size=10)).total == 0


def test_labelling_moves_the_generation_only_where_it_changes_something(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "데일리"))
    read(catalog, "m", 1, garment=label("dress"))
    before = catalog.generation()
    catalog.classify_by_model("m", TAXONOMY)
    after = catalog.generation()
    catalog.classify_by_model("m", TAXONOMY)
    assert before < after == catalog.generation()


def test_labelling_takes_turns_with_the_switches_of_imports(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "데일리"))
    read(catalog, "m", 1, garment=label("dress"))
    labelling = Thread(target=catalog.classify_by_model, args=("m", TAXONOMY))
    database = catalog._database
    with database.session() as connection, switch_lock(database, connection):
        labelling.start()
        labelling.join(0.5)
        assert labelling.is_alive()
        assert classes(catalog, 1) == {}
    labelling.join(30)
    assert classes(catalog, 1) == {"garment": "dress"}


def test_many_offers_are_labelled_in_batches(catalog: Catalog) -> None:
    take_in_all(catalog, (offer(str(n), "데일리") for n in range(2100)))
    give_picture(catalog, *range(1, 2101), of=DIGEST)
    catalog.readings.save("m", [(DIGEST, embedding(1), {"garment": label("dress")})])
    assert catalog.classify_by_model("m", TAXONOMY) == 2100
    assert catalog.listings.facets().classes == {"garment": (("dress", 2100),)}
