"""The JSON API: what it answers, and that its description says the same."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from werkzeug.test import TestResponse

from mapsi.errors import CatalogError
from mapsi.search.pair import ServingPair
from small_house import House, asked_of, draw_garment, grey_bytes, photo_bytes, photo_form

IMAGE = "/api/v1/search/image"
WORDS = "/api/v1/search/words"
PRODUCT = {"id", "name", "keyword", "lowest_price", "currency", "shop", "shops", "link", "image", "similarity"}


@pytest.fixture(scope="module")
def client(house: House) -> FlaskClient:
    return house.app(photo_bytes=1 << 20, photo_megapixels=2).test_client()


def send(client: FlaskClient, data: bytes, query: str = "", name: str = "photo.jpg") -> TestResponse:
    return client.post(IMAGE + query, **photo_form(data, name))


def check_error(answer: TestResponse, status: int, code: str) -> dict[str, str]:
    """One shape for every error, with a sentence in it."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/json"
    assert set(answer.json) == {"error"}
    error: dict[str, str] = answer.json["error"]
    assert set(error) == {"code", "message", "hint"}
    assert error["code"] == code
    assert error["message"].endswith(".")
    return error


def test_a_photo_is_answered_with_its_classes_and_products_like_it(client: FlaskClient) -> None:
    answer = send(client, photo_bytes(), "?size=5").json
    assert answer["sure"] is True
    assert set(answer["axes"]) == {"style", "garment"}
    for axis in answer["axes"].values():
        assert set(axis) == {"known", "top"}
        assert [set(guess) for guess in axis["top"]] == [{"slug", "name_ko", "name_en", "confidence"}] * 3
        assert axis["top"] == sorted(axis["top"], key=lambda guess: -guess["confidence"])
    assert [set(product) for product in answer["products"]] == [PRODUCT] * 5
    assert (answer["total"], answer["page"], answer["pages"], answer["size"]) == (90, 1, 18, 5)


@pytest.mark.parametrize("query", ["", "?box=0.1,0.1,0.8,0.8", "?audience=women&min_price=1"])
def test_a_photo_is_answered_with_two_questions_to_the_database(client: FlaskClient, house: House, query: str) -> None:
    """What is shown at this moment, and the products of the page with their shops, pictures and classes."""
    send(client, photo_bytes(), query)
    with asked_of(house.catalog) as asked:
        assert send(client, photo_bytes(), query).status_code == 200
    assert len(asked) == 2, asked


def test_similarity_is_highest_for_the_picture_of_the_product_itself(client: FlaskClient) -> None:
    out = io.BytesIO()
    draw_garment("#1e8449", 2).save(out, "PNG")
    products = send(client, out.getvalue(), "?size=100").json["products"]
    closest = max(products, key=lambda product: product["similarity"])
    assert closest["link"].endswith("/haru/p/2")
    assert closest["similarity"] == pytest.approx(1, abs=0.01)


def test_a_photo_of_nothing_is_answered_as_unsure_with_the_nearest_products(client: FlaskClient) -> None:
    answer = send(client, grey_bytes()).json
    assert answer["sure"] is False
    assert not any(axis["known"] for axis in answer["axes"].values())
    assert len(answer["products"]) == 24


def test_products_pushed_aside_are_left_out(client: FlaskClient) -> None:
    def asked(address: str) -> list[str]:
        send = client.post if "image" in address else client.get
        answer = send(address, **(photo_form(photo_bytes()) if "image" in address else {}))
        return [product["id"] for product in answer.get_json()["products"]]

    for address in (IMAGE, f"/api/v1/products/{asked(IMAGE)[3]}/similar"):
        first, second, *_rest = asked(address)
        assert first not in asked(f"{address}?less={first}")
        assert not {first, second} & set(asked(f"{address}?less={first}&less={second}"))
        assert asked(f"{address}?less=999999999999999999") == asked(address)


def test_words_are_answered_with_products_that_have_no_similarity(client: FlaskClient) -> None:
    answer = client.get(WORDS, query_string={"q": " 린넨 ", "size": "3"}).json
    assert answer["query"] == "린넨"
    assert [set(product) for product in answer["products"]] == [PRODUCT] * 3
    assert {product["similarity"] for product in answer["products"]} == {None}


def test_pictures_are_absolute_addresses_that_can_be_fetched(client: FlaskClient) -> None:
    image = client.get(WORDS, query_string={"q": "coat"}).json["products"][0]["image"]
    assert image.startswith("http://localhost/pictures/")
    with client.get(image) as picture:
        assert (picture.status_code, picture.mimetype) == (200, "image/webp")
        assert "immutable" in picture.headers["Cache-Control"]


@pytest.mark.parametrize(("language", "keyword"), [("ko", "린넨 셔츠"), ("en", "Linen shirt")])
def test_keywords_are_in_the_language_asked_for(client: FlaskClient, language: str, keyword: str) -> None:
    answer = client.get(WORDS, query_string={"q": "린넨", "lang": language}).json
    assert {product["keyword"] for product in answer["products"]} == {keyword}


def test_filters_and_order_hold_for_photos_and_words_alike(client: FlaskClient) -> None:
    narrow = "?min_price=20000&max_price=40,000&shop=haru&class=garment:shirt&audience=men&sort=price-down&size=100"
    for answer in (send(client, photo_bytes(), narrow).json, client.get(f"{WORDS}{narrow}&q=shirt").json):
        prices = [product["lowest_price"] for product in answer["products"]]
        assert prices
        assert prices == sorted(prices, reverse=True)
        assert all(20_000 <= price <= 40_000 for price in prices)
        assert {product["shop"] for product in answer["products"]} == {"Haru"}


def test_pages_follow_each_other_without_a_gap_or_a_repeat(client: FlaskClient) -> None:
    whole = client.get(f"{WORDS}?q=dress&size=100").json["products"]
    parts = [client.get(f"{WORDS}?q=dress&size=7&page={page}").json["products"] for page in (1, 2, 3)]
    assert [product["id"] for part in parts for product in part] == [product["id"] for product in whole]


@pytest.mark.parametrize(
    "query",
    [
        "page=-1",
        "page=0",
        "page=999999",
        "page=99",
        "page=one",
        "page=1e3",
        "size=0",
        "size=101",
        "sort=nicest",
        "min_price=abc",
        "min_price=-1",
        "min_price=NaN",
        "min_price=Infinity",
        "min_price=1e999999",
        "min_price=9&max_price=8",
        "shop=nowhere",
        "class=style",
        "class=style:nothing",
        "class=nothing:knit",
        "class=:",
        "audience=cats",
        "lang=fr",
    ],
)
def test_a_parameter_that_cannot_be_used_is_refused_with_a_sentence(client: FlaskClient, query: str) -> None:
    check_error(client.get(f"{WORDS}?q=shirt&{query}"), 400, "bad_parameter")
    check_error(send(client, photo_bytes(), f"?{query}"), 400, "bad_parameter")


@pytest.mark.parametrize("query", ["", "?q=", "?q=%20%20", "?q=" + "x" * 201])
def test_words_are_asked_for_and_not_too_many(client: FlaskClient, query: str) -> None:
    check_error(client.get(WORDS + query), 400, "bad_parameter")


@pytest.mark.parametrize("words", ["?", "...", " ".join(f"w{number}" for number in range(25))])
def test_words_of_no_letter_and_too_many_words_are_a_bad_request(client: FlaskClient, words: str) -> None:
    check_error(client.get(WORDS, query_string={"q": words}), 400, "bad_request")


@pytest.mark.parametrize("letter", ["x", " ", "\n", "\u0085", "\U000f0000"])
def test_all_that_was_typed_counts_for_the_length_of_words(client: FlaskClient, letter: str) -> None:
    """As ``maxLength`` of the description counts: what cannot be printed too."""
    product = client.get(f"{WORDS}?q=shirt").json["products"][0]["id"]
    for path, name in ((WORDS, "q"), ("/api/v1/suggest", "q"), (f"/api/v1/products/{product}/similar", "words")):
        longest = {name: "shirt" + letter * 195}
        assert client.get(path, query_string=longest).status_code == 200
        check_error(client.get(path, query_string={name: longest[name] + letter}), 400, "bad_parameter")


def test_parameters_that_are_empty_count_as_absent(client: FlaskClient) -> None:
    """So they are described, and so forms send them."""
    product = client.get(f"{WORDS}?q=shirt").json["products"][0]["id"]
    document = client.get("/api/v1/openapi.json").json
    for path, _, operation in operations(document):
        named = operation.get("parameters", ())
        empty = {one["name"]: "" for one in named if one["in"] == "query" and not one["required"]}
        assert all(one.get("allowEmptyValue") or "items" in one["schema"] for one in named if one["name"] in empty)
        words = {"q": "shirt"} if path == WORDS else {}
        asked = {"query_string": {**empty, **words}}
        if path == IMAGE:
            answer = client.post(IMAGE, **asked, **photo_form(photo_bytes()))
        else:
            answer = client.get(path.replace("{id}", product), **asked)
        assert answer.status_code == 200, (path, answer.text)


SVG = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><script>alert(1)</script></svg>"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "unreadable_photo"),
        (b"hello, I am a photo", 415, "not_a_photo"),
        (SVG, 415, "not_a_photo"),
        (b"%PDF-1.7", 415, "not_a_photo"),
        (photo_bytes()[:1500], 422, "unreadable_photo"),
        (photo_bytes(kind="PNG")[:200], 422, "unreadable_photo"),
        (b"\xff\xd8\xff\xe0", 415, "not_a_photo"),
        (photo_bytes(size=(1500, 1500)), 413, "photo_too_large"),
        (photo_bytes() + b"\0" * (1 << 20), 413, "photo_too_large"),
        (photo_bytes() + b"\0" * (2 << 20), 413, "photo_too_large"),
    ],
)
def test_a_bad_photo_is_refused_with_a_sentence(client: FlaskClient, data: bytes, status: int, code: str) -> None:
    assert check_error(send(client, data), status, code)["hint"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_kind_of_photo_taken_is_answered_whatever_its_name(client: FlaskClient, kind: str) -> None:
    assert send(client, photo_bytes(kind=kind), name="holiday.txt").status_code == 200


def test_a_request_without_exactly_one_photo_is_refused(client: FlaskClient) -> None:
    check_error(client.post(IMAGE, data={"other": (io.BytesIO(b"x"), "x")}), 400, "photo_missing")
    check_error(client.post(IMAGE, data={"photo": "a text"}, content_type="multipart/form-data"), 400, "photo_missing")
    two = [(io.BytesIO(photo_bytes()), "a.jpg"), (io.BytesIO(photo_bytes()), "b.jpg")]
    check_error(client.post(IMAGE, data={"photo": two}), 400, "photo_missing")


def test_a_body_that_is_no_multipart_form_is_refused(client: FlaskClient) -> None:
    check_error(client.post(IMAGE, data=photo_bytes(), content_type="image/jpeg"), 415, "not_multipart")
    check_error(client.post(IMAGE, json={"photo": "x"}), 415, "not_multipart")
    check_error(client.post(IMAGE), 415, "not_multipart")
    check_error(client.post(IMAGE, data=b"--x", content_type="multipart/form-data"), 400, "photo_missing")
    broken = client.post(IMAGE, data=b"--x\r\nContent-Disp", content_type="multipart/form-data; boundary=x")
    check_error(broken, 400, "photo_missing")


def test_errors_of_the_web_have_the_same_shape(client: FlaskClient) -> None:
    check_error(client.get("/api/v1/nothing"), 404, "not_found")
    refused = client.get(IMAGE)
    check_error(refused, 405, "method_not_allowed")
    assert "POST" in refused.headers["Allow"]


def test_too_many_searches_are_told_to_wait_and_pages_share_the_count(house: House) -> None:
    client = house.app(words_rate="3 per minute", image_rate="1 per minute").test_client()
    for address in (f"{WORDS}?q=coat", "/search?q=coat", f"{WORDS}?q=coat"):
        assert client.get(address).status_code == 200
    refused = client.get(f"{WORDS}?q=coat")
    check_error(refused, 429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    assert send(client, photo_bytes()).status_code == 200
    check_error(send(client, photo_bytes()), 429, "too_many_requests")


def test_an_unexpected_error_says_nothing_of_its_inside(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object, **named: object) -> None:
        raise RuntimeError("the password is sesame")

    app = house.app()
    monkeypatch.setattr(house.catalog.listings, "search", fail)
    answer = app.test_client().get(f"{WORDS}?q=coat")
    check_error(answer, 500, "internal")
    assert "sesame" not in answer.text
    assert "sesame" in caplog.text


def test_the_api_needs_no_form_token_and_sets_no_cookie(client: FlaskClient) -> None:
    answer = send(client, photo_bytes())
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_health_is_told_with_its_status(
    house: House, client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy = client.get("/healthz")
    assert healthy.status_code == 200
    assert healthy.json["status"] == "ok"
    assert (healthy.json["offers"], healthy.json["indexed"]) == (90, 90)
    (tmp_path / "current").write_text("gone")
    monkeypatch.setattr(house.finder._pair, "_root", tmp_path)
    half = client.get("/healthz")
    assert (half.status_code, half.json["status"], half.json["index"]) == (200, "incomplete", "damaged")
    monkeypatch.setattr(house.catalog.listings, "facets", _refuse)
    sick = client.get("/healthz")
    assert (sick.status_code, sick.json["error"]["code"]) == (503, "catalog_unavailable")
    for told in (healthy, half, sick):
        check_against(client.get("/api/v1/openapi.json").json, "/healthz", told)


def _refuse(*_arguments: object) -> None:
    raise CatalogError("The database server does not answer.", "Check it.")


def test_trouble_of_the_service_is_told_without_its_folders(
    house: House, client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "current").write_text("gone")
    monkeypatch.setattr(house.finder, "_pair", ServingPair(house.finder.serving().model, tmp_path))
    answer = send(client, photo_bytes())
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "bad_artifact")
    assert str(tmp_path) not in answer.text
    assert str(tmp_path) in caplog.text


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def check_against(document: dict[str, Any], path: str, answer: TestResponse) -> None:
    operation = next(iter(document["paths"][path].values()))
    response = operation["responses"][str(answer.status_code)]
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = {**response["content"]["application/json"]["schema"], "components": document["components"]}
    OAS31Validator(schema).validate(answer.json)


def test_the_description_is_valid_and_true_of_real_answers(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    validate(document)
    answers = [
        (IMAGE, send(client, photo_bytes(), "?size=100")),
        (IMAGE, send(client, grey_bytes())),
        (IMAGE, send(client, b"")),
        (IMAGE, send(client, b"text")),
        (IMAGE, send(client, photo_bytes(size=(1500, 1500)))),
        (IMAGE, send(client, photo_bytes(), "?page=0")),
        (WORDS, client.get(f"{WORDS}?q=shirt&lang=en")),
        (WORDS, client.get(f"{WORDS}?q=qqqq")),
        (WORDS, client.get(WORDS)),
        ("/healthz", client.get("/healthz")),
        ("/api/v1/openapi.json", client.get("/api/v1/openapi.json")),
    ]
    for path, answer in answers:
        check_against(document, path, answer)


def test_the_description_names_every_address_and_every_parameter(house: House, client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    routes = {rule.rule for rule in house.app().url_map.iter_rules() if rule.endpoint.startswith("api.")}
    routes = {re.sub(r"<int:product_id>", "{id}", route) for route in routes}
    assert set(document["paths"]) == routes | {"/healthz"}
    for path in (IMAGE, WORDS):
        operation = next(operation for found, _, operation in operations(document) if found == path)
        names = {parameter["name"] for parameter in operation["parameters"]}
        shared = {"page", "size", "sort", "min_price", "max_price", "shop", "class", "audience", "lang"}
        shared |= {"color", "facets"}
        assert names == shared | ({"q", "exact"} if path == WORDS else {"box", "words", "less"})


def test_the_manual_names_every_address_parameter_and_error_code(client: FlaskClient) -> None:
    manual = (Path(__file__).parents[1] / "docs" / "api.md").read_text("utf-8")
    document = client.get("/api/v1/openapi.json").json
    for path, _, operation in operations(document):
        assert path in manual
        for parameter in operation.get("parameters", ()):
            assert f"`{parameter['name']}`" in manual
    for path in re.findall(r"http://127\.0\.0\.1:8000(/[\w/.]*)", manual):
        assert path in document["paths"]
    for field in PRODUCT:
        assert f"`{field}`" in manual


def test_suggestions_are_told_with_what_they_find(client: FlaskClient) -> None:
    answer = client.get("/api/v1/suggest", query_string={"q": "ㅇㅍ"}).json
    assert answer["query"] == "ㅇㅍ"
    assert {"text": "원피스", "kind": "class", "count": 18} in answer["suggestions"]
    assert client.get("/api/v1/suggest?q=").json["suggestions"] == []
    assert client.get("/api/v1/suggest", query_string={"q": "x" * 201}).status_code == 400


def test_counts_are_told_where_they_are_asked_for(client: FlaskClient) -> None:
    assert client.get(f"{WORDS}?q=dress").json["facets"] is None
    facets = client.get(f"{WORDS}?q=dress&facets=1").json["facets"]
    assert {"slug": "dress", "count": 18} in facets["classes"]["garment"]
    assert [shop["count"] for shop in facets["shops"]] == [6, 6, 6]
    assert facets["most"] is None
    form = photo_form(photo_bytes())
    assert client.post(f"{IMAGE}?facets=1", **form).json["facets"]["most"] == 240
    similar = f"/api/v1/products/{client.get(f'{WORDS}?q=dress').json['products'][0]['id']}/similar"
    assert client.get(similar).json["facets"] is None
    assert client.get(f"{similar}?facets=1").json["facets"]["most"] == 240
    check_error(client.get(f"{similar}?facets=2"), 400, "bad_parameter")


def test_words_that_were_mended_are_reported(client: FlaskClient) -> None:
    answer = client.get(f"{WORDS}?q=wied").json
    assert (answer["query"], answer["searched_for"]) == ("wied", "wide")
    kept = client.get(f"{WORDS}?q=wied&exact=1").json
    assert (kept["searched_for"], kept["total"]) == ("wied", 0)


@pytest.mark.parametrize("number", [2**63, 10**30, 10**4000])
def test_a_number_that_no_database_holds_is_the_address_of_nothing(client: FlaskClient, number: int) -> None:
    paths = (f"/api/v1/products/{number}/{of}" for of in ("similar", "prices", "offers"))
    for path in (*paths, f"/product/{number}", f"/product/{number}/similar", f"/go/{number}"):
        assert client.get(path).status_code == 404
    assert client.get(f"/api/v1/products/{2**63 - 1}/offers").status_code == 404
