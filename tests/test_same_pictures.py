"""Copies of a picture are noted as one, on both databases, in whatever order they come."""

from __future__ import annotations

import hashlib
import io
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import delete, insert, select, text, update

from mapsi.catalog import Catalog
from mapsi.catalog.listings.joining import rejoined
from mapsi.catalog.pictures import same_pictures
from mapsi.catalog.pictures.fetching import FetchedPicture, PictureTask
from mapsi.catalog.pictures.same_pictures import note_same_pictures
from mapsi.catalog.product import Evidence
from mapsi.catalog.records import PictureCopy
from mapsi.catalog.store.tables import OfferRow, PictureRow, PictureSourceRow
from mapsi.imaging import PhotoLimits
from mapsi.pictures.store import PictureStore, thumbprint_of
from mapsi.thumbprints import SIZE
from offers import offer, take_in
from test_joins import cards, product
from test_readings import NOW, digest
from test_thumbprints import garment, saved, scaled

BLACK, NAVY = (20, 20, 22), (24, 28, 60)


def give(catalog: Catalog, shop: str, photo: Image.Image) -> str:
    """What a fetch of the only picture of a shop brings."""
    found = product(catalog, shop).id
    name = hashlib.sha256(photo.tobytes()).hexdigest()
    save(catalog, name, thumbprint_of(photo), found)
    return name


def save(catalog: Catalog, name: str, thumbprint: bytes, *offers: int) -> None:
    address = f"https://img.example.com/{offers[0]}.jpg" if offers else f"https://img.example.com/{name}"
    copy = PictureCopy(name, 300, 400, thumbprint=thumbprint)
    task = PictureTask(image=address, offer_ids=offers)
    catalog.pictures.save(task, FetchedPicture(copy=copy), NOW, NOW)


def shops(catalog: Catalog, **brands: str) -> None:
    for number, (shop, brand) in enumerate(brands.items(), 1):
        address = f"https://img.example.com/{number}.jpg"
        take_in(catalog, offer("a", "셔츠", 1000 * number, brand=brand, image=address), shop=shop)


def noted(catalog: Catalog) -> dict[str, str | None]:
    with catalog._database.read() as connection:
        return {row.digest: row.same_as for row in connection.execute(select(PictureRow.digest, PictureRow.same_as))}


def test_shops_that_host_a_picture_again_sell_one_product_under_one_brand(catalog: Catalog) -> None:
    shops(catalog, one="Nike", other="나이키", third="Nike", fourth="Nike")
    photo = garment(1, BLACK)
    names = [give(catalog, "one", photo), give(catalog, "other", saved(scaled(photo, 0.6), "JPEG", 75))]
    give(catalog, "third", garment(1, NAVY))
    give(catalog, "fourth", garment(2, BLACK))
    assert catalog.joins.renew() == 2
    assert cards(catalog) == [("one", 1000, 2), ("third", 3000, 1), ("fourth", 4000, 1)]
    shared = {each.shares for each in catalog.joins.of(product(catalog, "one").id)}
    assert shared == {(Evidence("picture", min(names), "NIKE"),)}
    assert catalog.joins.renew() == 0


def test_a_parting_holds_against_copies_too(catalog: Catalog) -> None:
    shops(catalog, one="Nike", other="Nike")
    photo = garment(1, BLACK)
    give(catalog, "one", photo)
    give(catalog, "other", saved(photo, "WEBP", 80))
    catalog.joins.renew()
    catalog.joins.part(product(catalog, "other").id)
    catalog.joins.renew()
    assert len(cards(catalog)) == 2
    catalog.joins.allow(product(catalog, "other").id)
    assert len(cards(catalog)) == 1


def test_a_stand_in_is_one_at_any_size(catalog: Catalog) -> None:
    shops(catalog, one="Nike", other="Nike", third="Puma")
    photo = garment(7, (200, 120, 40))
    for shop, quality in (("one", 95), ("other", 80), ("third", 65)):
        give(catalog, shop, saved(photo, "JPEG", quality))
    catalog.joins.renew()
    assert len(cards(catalog)) == 3, "copies of one picture, but two brands have it"


def test_a_seller_that_has_copies_for_two_products_says_nothing_by_them(catalog: Catalog) -> None:
    addresses = [f"https://img.example.com/{number}.jpg" for number in (1, 2, 3)]
    take_in(
        catalog,
        offer("a", brand="Nike", image=addresses[0]),
        offer("b", brand="Nike", image=addresses[1]),
        shop="one",
    )
    take_in(catalog, offer("c", brand="Nike", image=addresses[2]), shop="other")
    photo = garment(7, (200, 120, 40))
    for number, quality in enumerate((95, 80, 65), 1):
        copy = saved(photo, "JPEG", quality)
        save(catalog, digest(number), thumbprint_of(copy), number)
    catalog.joins.renew()
    assert len(set(noted(catalog).values())) == 1
    assert len(cards(catalog)) == 3


def test_pictures_of_nothing_are_the_same_by_their_bytes_alone(catalog: Catalog) -> None:
    save(catalog, digest(1), b"")
    save(catalog, digest(2), b"")
    note_same_pictures(catalog._database)
    assert noted(catalog) == {digest(1): digest(1), digest(2): digest(2)}


@pytest.mark.parametrize("at_once", [1, 3, 40])
def test_whatever_the_order_they_come_in_copies_are_noted_alike(
    catalog: Catalog, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(same_pictures, "_READ", 7)
    monkeypatch.setattr(same_pictures, "_PART", 3)
    monkeypatch.setattr(same_pictures, "_PAIRS", 2)
    chance = random.Random(at_once)
    photos = [garment(seed, BLACK) for seed in range(8)]
    copies = [
        (of, saved(scaled(photos[of], by), "JPEG", 80)) for of in range(8) for by in (0.6, 0.9, 1.3)[: 1 + of % 3]
    ]
    chance.shuffle(copies)
    group: dict[str, int] = {}
    for start in range(0, len(copies), at_once):
        for of, copy in copies[start : start + at_once]:
            name = hashlib.sha256(copy.tobytes()).hexdigest()
            save(catalog, name, thumbprint_of(copy))
            group[name] = of
        note_same_pictures(catalog._database)
        firsts = {of: min(name for name, its in group.items() if its == of) for of in group.values()}
        assert noted(catalog) == {name: firsts[of] for name, of in group.items()}


def test_copies_are_known_on_when_the_first_of_them_is_gone(catalog: Catalog) -> None:
    copies = [saved(garment(1, BLACK), "JPEG", quality) for quality in (95, 85, 75, 65)]
    for number in (1, 2, 3):
        save(catalog, digest(number), thumbprint_of(copies[number]))
    note_same_pictures(catalog._database)
    with catalog._database.write() as connection:
        for table in (PictureSourceRow, PictureRow):
            column = PictureRow.digest if table is PictureRow else PictureSourceRow.picture
            connection.execute(delete(table).where(column == digest(1)))
    save(catalog, digest(4), thumbprint_of(copies[0]))
    note_same_pictures(catalog._database)
    assert noted(catalog) == {digest(number): digest(2) for number in (2, 3, 4)}


def test_where_no_copy_may_be_kept_no_thumbprint_is(catalog: Catalog, tmp_path: Path) -> None:
    file = io.BytesIO()
    garment(1, BLACK).save(file, "PNG")
    store = PictureStore(tmp_path, PhotoLimits())
    held, added = store.hold(file.getvalue()), store.add(file.getvalue())
    assert (held.digest, held.thumbprint, len(added.thumbprint)) == (added.digest, b"", SIZE)
    assert store.add(file.getvalue()) == added, "nor is another taken of what is there"
    task = PictureTask(image="https://img.example.com/x")
    catalog.pictures.save(task, FetchedPicture(copy=held, kept=False), NOW, NOW)
    note_same_pictures(catalog._database)
    assert thumbprints(catalog) == [(b"", held.digest)]
    catalog.pictures.save(task, FetchedPicture(copy=added), NOW, NOW)
    assert thumbprints(catalog) == [(added.thumbprint, None)]
    catalog.copies.note_dropped(added.digest)
    assert thumbprints(catalog) == [(b"", None)]


def thumbprints(catalog: Catalog) -> list[tuple[bytes, str | None]]:
    with catalog._database.read() as connection:
        return [
            (row.thumbprint, row.same_as)
            for row in connection.execute(select(PictureRow.thumbprint, PictureRow.same_as))
        ]


def test_joining_four_times_as_many_products_with_pictures_takes_no_more_than_that(catalog: Catalog) -> None:
    work = []
    for count in (80, 320):
        take_in(catalog, *(offer(str(n), brand="Nike", image=f"https://img.example.com/{n}") for n in range(count)))
        with catalog._database.write() as connection:
            known = set(connection.scalars(select(OfferRow.id).where(OfferRow.picture.is_not(None))))
            new = sorted(set(connection.scalars(select(OfferRow.id))) - known)
            own = {"width": 1, "height": 1, "source": "", "fetched_at": NOW, "kept": True, "thumbprint": b""}
            connection.execute(insert(PictureRow), [own | {"digest": digest(n), "same_as": digest(n)} for n in new])
            for n in new:
                connection.execute(update(OfferRow).where(OfferRow.id == n).values(picture=digest(n)))
        work.append(steps_of_joining(catalog))
    assert work[1] < 8 * work[0], "four times as much is in proportion, sixteen times is all with all"


def steps_of_joining(catalog: Catalog) -> int:
    """Rows that MariaDB reads, or hundreds of SQLite's instructions."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with catalog._database.read() as connection:
        driver: Any = connection.connection.driver_connection
        if connection.dialect.name == "sqlite":
            driver.set_progress_handler(count, 100)
            rejoined(connection)
            driver.set_progress_handler(None, 0)
            return steps
        connection.execute(text("FLUSH STATUS"))
        rejoined(connection)
        read = connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'"))
        return sum(int(row[1]) for row in read)
