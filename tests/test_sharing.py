"""Shared lists: they last, hold the photo only where its owner says so, and go when their owner says so."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mapsi.catalog import Catalog
from mapsi.catalog.people.shares import MOST_PRODUCTS, NotOwnerError, Owner
from mapsi.catalog.query import Query
from mapsi.errors import NotFoundError, UsageError
from mapsi.web.accounts.passwords import hash_password
from offers import offer, take_in
from operated import log_in
from small_house import House, photo_bytes, photo_form

PASSWORD = "a rather long sentence"
PHOTO = b"\xff\xd8 a photo"


# --- in the catalogue, on both databases


def stocked(catalog: Catalog) -> list[int]:
    take_in(catalog, *(offer(name, name) for name in "abc"))
    return [product.id for product in catalog.listings.search(Query(sort="price-up", size=10)).products]


def test_a_list_is_found_by_its_token_alone_in_the_order_it_was_shown(catalog: Catalog) -> None:
    first, second, third = stocked(catalog)
    token = catalog.shares.make(Owner(None, "d" * 64), [third, first, third, 10**9])
    assert catalog.shares.find(token).offers == (third, first)
    assert len(token) >= 22
    for guessed in ("", token[:-1], "x" * 22):
        with pytest.raises(NotFoundError):
            catalog.shares.find(guessed)
    assert second not in catalog.shares.find(token).offers


def test_a_list_without_products_is_not_shared(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="no products"):
        catalog.shares.make(Owner(None, "d" * 64), [10**9])


def test_a_list_that_is_shared_twice_keeps_its_token(catalog: Catalog) -> None:
    ids, owner = stocked(catalog), Owner(None, "d" * 64)
    token, with_photo = catalog.shares.make(owner, ids), catalog.shares.make(owner, ids, PHOTO)
    assert (catalog.shares.make(owner, ids), catalog.shares.make(owner, ids, PHOTO)) == (token, with_photo)
    others = {catalog.shares.make(owner, ids[:2]), catalog.shares.make(Owner(None, "e" * 64), ids)}
    assert len({token, with_photo} | others) == 4
    assert len(catalog.shares.of(owner)) == 3


def test_nobody_shares_without_end(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    ids, owner = stocked(catalog), Owner(None, "d" * 64)
    monkeypatch.setattr("mapsi.catalog.people.shares.MOST", 2)
    for count in (1, 2):
        catalog.shares.make(owner, ids[:count])
    with pytest.raises(UsageError, match="already"):
        catalog.shares.make(owner, ids)
    catalog.shares.make(Owner(None, "e" * 64), ids)
    assert MOST_PRODUCTS == 100


def test_only_its_owner_takes_a_list_away_and_the_operator(catalog: Catalog) -> None:
    ids = stocked(catalog)
    mina, jin = (Owner(catalog.accounts.open(f"{name}@example.com", "a hash", "ko").id) for name in ("mina", "jin"))
    device, nobody = Owner(None, "d" * 64), Owner(None, "")
    for owner, others in ((mina, (jin, device, nobody)), (device, (mina, Owner(None, "e" * 64), nobody))):
        token = catalog.shares.make(owner, ids)
        for other in others:
            with pytest.raises(NotOwnerError):
                catalog.shares.remove(token, other)
        assert [one.token for one in catalog.shares.of(owner)] == [token]
        catalog.shares.remove(token, owner)
        catalog.shares.remove(token, owner)
        with pytest.raises(NotFoundError):
            catalog.shares.find(token)
    token = catalog.shares.make(mina, ids)
    catalog.shares.remove(token, None)
    assert catalog.shares.of(mina) == []


def test_what_a_device_shared_is_its_persons_from_the_log_in_on(catalog: Catalog) -> None:
    ids, device = stocked(catalog), Owner(None, "d" * 64)
    mina = catalog.accounts.open("mina@example.com", "a hash", "ko")
    token = catalog.shares.make(device, ids)
    catalog.shares.adopt("d" * 64, mina.id)
    assert catalog.shares.find(token).owner == Owner(mina.id)
    with pytest.raises(NotOwnerError):
        catalog.shares.remove(token, device)
    catalog.accounts.remove(mina.id)
    with pytest.raises(NotFoundError):
        catalog.shares.find(token)


def test_a_photo_is_kept_where_it_is_given_and_goes_with_its_list(catalog: Catalog) -> None:
    ids, owner = stocked(catalog), Owner(None, "d" * 64)
    without, given = catalog.shares.make(owner, ids), catalog.shares.make(owner, ids, PHOTO)
    assert catalog.shares.photo(given) == PHOTO
    assert [one.has_photo for one in (catalog.shares.find(without), catalog.shares.find(given))] == [False, True]
    catalog.shares.remove(given, owner)
    for token in (without, given):
        with pytest.raises(NotFoundError):
            catalog.shares.photo(token)


# --- on the pages


def browser(house: House) -> FlaskClient:
    client = house.app(login_rate="1000 per minute").test_client()
    client.get("/about?lang=en")
    return client


@pytest.fixture
def client(house: House) -> FlaskClient:
    return browser(house)


def token_of(client: FlaskClient, page: str = "/search") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
    assert found is not None
    return found[1]


def search(client: FlaskClient) -> str:
    """Search by a photo; the address of the answer."""
    form = photo_form(photo_bytes("#c0392b"), csrf_token=token_of(client, "/"))
    return client.post("/search/photo", **form).headers["Location"]


def share(client: FlaskClient, page: str, *, with_photo: bool = False) -> TestResponse:
    """Send the share form of a page as it stands there."""
    form = re.search(r'action="/share".*?</form>', client.get(page).text, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0]))
    if not with_photo:
        fields.pop("photo", None)
    return client.post("/share", data=fields)


def test_a_shared_answer_holds_its_products_and_lasts_longer_than_the_photo(house: House, client: FlaskClient) -> None:
    answer = search(client)
    names = re.findall(r'<li class="card-cell" id="p(\d+)"', client.get(answer).text)
    made = share(client, answer).headers["Location"]
    client.post(f"{answer}/forget", data={"csrf_token": token_of(client)})
    assert client.get(answer).status_code == 404
    friend = browser(house)
    page = friend.get(made)
    assert page.status_code == 200
    assert re.findall(r'<li class="card-cell" id="p(\d+)"', page.text) == names
    assert "photo.jpg" not in page.text
    assert friend.get(f"{made}/photo.jpg").status_code == 404
    assert page.headers["X-Robots-Tag"] == "noindex"


def test_the_photo_is_shared_where_its_owner_ticks_it(house: House, client: FlaskClient) -> None:
    made = share(client, search(client), with_photo=True).headers["Location"]
    friend = browser(house)
    assert f"{made}/photo.jpg" in friend.get(made).text
    picture = friend.get(f"{made}/photo.jpg")
    assert (picture.status_code, picture.mimetype) == (200, "image/jpeg")


def test_who_has_the_address_of_an_answer_can_neither_forget_nor_share_its_photo(
    client: FlaskClient,
) -> None:
    answer = search(client)
    friend = client.application.test_client()
    friend.get("/about?lang=en")
    page = friend.get(answer)
    assert page.status_code == 200
    assert "/forget" not in page.text
    assert 'name="photo" value=' not in page.text
    photo = answer.rpartition("/")[2]
    products = re.search(r'name="products" value="([^"]+)"', page.text)
    assert products is not None
    fields = {"csrf_token": token_of(friend), "products": products[1], "photo": photo}
    assert friend.post("/share", data=fields).status_code == 403
    assert friend.post(f"{answer}/forget", data={"csrf_token": token_of(friend)}).status_code == 403
    assert client.get(answer).status_code == 200


def test_only_who_shared_sees_the_way_to_take_it_away_and_can(house: House, client: FlaskClient) -> None:
    made = share(client, "/search").headers["Location"]
    friend = browser(house)
    assert "Remove the list" not in friend.get(made).text
    refused = friend.post(f"{made}/remove", data={"csrf_token": token_of(friend)})
    assert (refused.status_code, "belongs to someone else" in refused.text) == (403, True)
    assert "Remove the list" in client.get(made).text
    assert made in client.get("/shared").text
    assert made not in friend.get("/shared").text
    for _ in range(2):
        assert client.post(f"{made}/remove", data={"csrf_token": token_of(client)}).status_code == 303
    assert friend.get(made).status_code == 404


def test_a_list_shared_before_the_log_in_is_the_accounts_afterwards(house: House, client: FlaskClient) -> None:
    house.catalog.accounts.open("mina@example.com", hash_password(PASSWORD), "en")
    made = share(client, "/search").headers["Location"]
    log_in(client, "mina@example.com", PASSWORD)
    elsewhere = browser(house)
    log_in(elsewhere, "mina@example.com", PASSWORD)
    assert made in elsewhere.get("/shared").text
    exported = elsewhere.get("/account/export.json").json
    assert exported is not None
    assert [one["token"] for one in exported["shared"]] == [made.rpartition("/")[2]]


def test_an_operator_may_take_any_list_away(house: House, client: FlaskClient) -> None:
    made = share(client, "/search").headers["Location"]
    house.catalog.accounts.add_operator("jin@example.com", hash_password(PASSWORD))
    operator = browser(house)
    log_in(operator, "jin@example.com", PASSWORD)
    assert operator.post(f"{made}/remove", data={"csrf_token": token_of(operator)}).status_code == 303
    assert client.get(made).status_code == 404


def test_a_form_that_is_sent_twice_shares_once_and_takes_away_once(client: FlaskClient) -> None:
    answer = search(client)
    made = {share(client, answer).headers["Location"] for _ in range(2)}
    (address,) = made
    fields = {"csrf_token": token_of(client)}
    assert [client.post(f"{address}/remove", data=fields).status_code for _ in range(2)] == [303, 303]
    forgets = [client.post(f"{answer}/forget", data=fields) for _ in range(2)]
    assert forgets[0].status_code == 303
    assert forgets[1].status_code < 500
    assert "<h1" in client.get(answer).text


def test_a_form_that_is_sent_twice_at_once_by_a_new_device_shares_once(house: House, client: FlaskClient) -> None:
    answer = search(client)
    first = share(client, answer, with_photo=True).headers["Location"]
    client.delete_cookie("device")
    assert share(client, answer, with_photo=True).headers["Location"] == first
    other = browser(house)
    assert share(other, "/search").status_code == 303
    devices = {one.get_cookie("device").value for one in (client, other)}  # type: ignore[union-attr]
    assert len(devices) == 2, "each device has a secret of its own"


@pytest.mark.parametrize("token", ["guessed", "x" * 22, "%00", "..%2F..%2Fabout", "가" * 22])
def test_a_guessed_address_of_a_list_is_a_sentence(client: FlaskClient, token: str) -> None:
    for path in (f"/share/{token}", f"/share/{token}/photo.jpg"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "<h1" in answer.text
    assert client.post(f"/share/{token}/remove", data={"csrf_token": token_of(client)}).status_code in (303, 404)


def test_what_cannot_be_shared_is_a_sentence(client: FlaskClient) -> None:
    for products in ("", "x.y", "99999999", "1" * 40):
        answer = client.post("/share", data={"csrf_token": token_of(client), "products": products})
        assert answer.status_code == 400
    assert client.post("/share", data={"products": "1"}).status_code == 400
    assert client.get("/share/guessed").status_code == 404
