"""The review's page: by keys on a desk, by touch on a phone, in both languages; and closed to everybody else."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from chromium import Browser, on_a_port
from mapsi.collect.review import reviewed_labels
from mapsi.collect.review.journal import Journal
from mapsi.collect.review.readings import PhotoReading
from mapsi.collect.review.session import Review, list_photos
from mapsi.settings import Settings
from mapsi.taxonomy import load_taxonomy
from mapsi.web.review.app import create_review_app

PHONE = (390, 844)
DESK = (1280, 900)
TOKEN = "an-address-that-nobody-guesses"
STYLE = load_taxonomy().find("style")
CLASSES = ("knit", "slacks", "suit", "blouse")


def make_photos(folder: Path, knit: int = 12, slacks: int = 3) -> Path:
    for slug, count in (("knit", knit), ("slacks", slacks)):
        (folder / slug).mkdir(parents=True)
        for i in range(count):
            colour = (200, 15 * i % 256, 90) if slug == "knit" else (40, 90, 60 * i % 256)
            Image.new("RGB", (80, 100), colour).save(folder / slug / f"{i:03}.jpg")
    return folder


def make_app(folder: Path) -> Flask:
    """The review as the command opens it, the model's part foreseen: the lower a photo's number, the doubtfuller."""
    photos = list_photos(folder)
    readings = {}
    for slug, paths in photos.items():
        for i, path in enumerate(paths):
            share = (i + 1) / (len(paths) + 1)
            row = np.full(len(CLASSES), (1 - share) / 10, dtype=np.float32)
            row[CLASSES.index("suit")] = (1 - share) * 0.8
            row[CLASSES.index(slug)] = share
            angle = 0.5 * (1 - share) * (-1) ** i
            readings[path] = PhotoReading(np.array([np.cos(angle), np.sin(angle)], dtype=np.float32), row)
    review = Review.make(STYLE, photos, readings, CLASSES, Journal.open(folder))
    return create_review_app(Settings(home=folder), review, folder, TOKEN)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_photos(tmp_path / "photos")


# --- closed to everybody else -----------------------------------------------------------------------------------------


@pytest.fixture
def client(folder: Path) -> FlaskClient:
    return make_app(folder).test_client()


def post(client: FlaskClient, token: str = TOKEN, **headers: str) -> int:
    document = {"path": "knit/000.jpg", "decision": "drop", "class": ""}
    base = {"base_url": headers.pop("at", "http://127.0.0.1:8000")}
    return client.post(f"/{token}/decisions", json=document, headers=headers, **base).status_code


def get(client: FlaskClient, path: str, host: str = "127.0.0.1:8000") -> int:
    with client.get(path, base_url=f"http://{host}") as answer:
        return answer.status_code


@pytest.mark.parametrize(
    "path", ["", "classes/knit", "thumbnails/knit/000.jpg", "photos/knit/000.jpg", "assets/review.js"]
)
def test_nothing_is_shown_without_the_token(client: FlaskClient, path: str) -> None:
    assert get(client, f"/{TOKEN}/{path}") in (200, 302)
    assert get(client, f"/another-token/{path}") == 404
    assert get(client, f"/{path}") == 404


def test_a_decision_without_the_token_or_from_another_site_is_refused(client: FlaskClient, folder: Path) -> None:
    assert post(client, "another-token") == 404
    assert post(client, Origin="https://evil.example.com") == 403
    assert post(client, Origin="null") == 403
    assert post(client, **{"Sec-Fetch-Site": "cross-site"}) == 403
    assert post(client, **{"Sec-Fetch-Site": "same-site"}) == 403
    assert reviewed_labels(folder) == {}
    assert post(client, Origin="http://127.0.0.1:8000", **{"Sec-Fetch-Site": "same-origin"}) == 200
    assert reviewed_labels(folder) == {"knit/000.jpg": None}


def test_a_name_that_was_bent_to_this_machine_is_refused(client: FlaskClient) -> None:
    assert get(client, f"/{TOKEN}/classes/knit", "evil.example.com") == 403
    assert post(client, at="http://evil.example.com") == 403


@pytest.mark.parametrize(
    "path", ["../labels.csv", "knit/../../secret.jpg", "knit/%2e%2e/review.csv", "review.csv", "knit/nobody.jpg"]
)
def test_only_photos_of_the_review_are_served(client: FlaskClient, folder: Path, path: str) -> None:
    (folder.parent / "secret.jpg").write_bytes((folder / "knit/000.jpg").read_bytes())
    (folder / "labels.csv").write_text("path\n")
    assert get(client, f"/{TOKEN}/photos/{path}") == 404


def test_a_photo_is_served_re_encoded_and_without_its_metadata(client: FlaskClient, folder: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    Image.new("RGB", (2000, 2500), "red").save(folder / "knit/000.jpg", exif=exif)
    for name, side in (("thumbnails", 320), ("photos", 1600)):
        answer = client.get(f"/{TOKEN}/{name}/knit/000.jpg", base_url="http://127.0.0.1")
        assert answer.mimetype == "image/jpeg"
        assert b"secret" not in answer.data
        assert max(Image.open(io.BytesIO(answer.data)).size) == side


def test_pages_carry_the_strict_policy_and_no_script_of_their_own(client: FlaskClient) -> None:
    answer = client.get(f"/{TOKEN}/classes/knit", base_url="http://127.0.0.1")
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert not re.search(r"<script(?![^>]*\bsrc=)|\bon\w+=|style=", answer.text)


def test_what_is_no_decision_is_told_as_one_error_in_json(client: FlaskClient) -> None:
    for document in (
        {"path": "knit/000.jpg", "decision": "burn"},
        {"path": "knit/nobody.jpg", "decision": "keep"},
        {"path": ["knit"], "decision": "keep"},
        ["no", "object"],
    ):
        answer = client.post(f"/{TOKEN}/decisions", json=document, base_url="http://127.0.0.1")
        assert answer.status_code in (400, 404)
        assert answer.get_json()["error"]["message"]
    large = client.post(
        f"/{TOKEN}/decisions", data=b"x" * 20_000, content_type="application/json", base_url="http://127.0.0.1"
    )
    assert large.status_code == 413


def test_a_photo_that_is_gone_or_broken_does_not_break_the_page(client: FlaskClient, folder: Path) -> None:
    (folder / "knit/000.jpg").unlink()
    (folder / "knit/001.jpg").write_bytes(b"broken")
    assert get(client, f"/{TOKEN}/classes/knit") == 200
    assert get(client, f"/{TOKEN}/thumbnails/knit/000.jpg") == 422
    assert get(client, f"/{TOKEN}/thumbnails/knit/001.jpg") == 415


def test_a_class_of_hundreds_is_answered_at_once_and_loads_its_pictures_when_they_come_near(tmp_path: Path) -> None:
    client = make_app(make_photos(tmp_path / "many", knit=300)).test_client()
    page = client.get(f"/{TOKEN}/classes/knit", base_url="http://127.0.0.1").text
    assert page.count('class="rv-tile"') == 300
    assert page.count('loading="lazy"') > 270
    assert len(page) < 300_000


# --- in a browser -----------------------------------------------------------------------------------------------------


class Page:
    """The open review, as its person sees and uses it."""

    def __init__(self, browser: Browser, address: str, folder: Path) -> None:
        self.browser = browser
        self.address = address
        self.folder = folder

    def open(self, language: str = "ko", path: str = "") -> None:
        self.browser.open(f"{self.address}/{TOKEN}/{path}?lang={language}")
        self.browser.find(".rv-tile[aria-current]")

    def press(self, *keys: str) -> None:
        for key in keys:
            ActionChains(self.browser.driver).send_keys(key).perform()

    def tap(self, selector: str) -> None:
        self.browser.find(selector).click()

    @property
    def current(self) -> str:
        return str(self.browser.find(".rv-tile[aria-current]").get_attribute("data-path"))

    def state(self, path: str) -> str:
        return str(self.browser.find(f'.rv-tile[data-path="{path}"]').get_attribute("data-state"))

    def saved(self) -> None:
        self.browser.wait(lambda: not self.browser.all("[data-saving]"))

    def decided(self) -> dict[str, str | None]:
        self.saved()
        return dict(reviewed_labels(self.folder))


@pytest.fixture
def page(window: Browser, folder: Path) -> Iterator[Page]:
    """A fresh review on a desk in Korean; at the end nothing may stand in the console."""
    with on_a_port(make_app(folder)) as address:
        window.resize(*DESK)
        window.complaints()
        opened = Page(window, address, folder)
        opened.open()
        yield opened
        window.open("about:blank")
        assert window.complaints() == []


def test_photos_are_kept_dropped_and_moved_by_keys_and_the_next_one_comes_up(page: Page) -> None:
    assert page.current == "knit/000.jpg"
    page.press("k")
    assert page.current == "knit/001.jpg"
    page.press("d", "m")
    page.press("1")
    assert page.current == "knit/003.jpg"
    assert [page.state(f"knit/00{n}.jpg") for n in range(4)] == ["keep", "drop", "move", ""]
    assert page.decided() == {"knit/000.jpg": "knit", "knit/001.jpg": None, "knit/002.jpg": "suit"}


def test_a_decision_shows_before_the_server_has_answered(page: Page) -> None:
    page.browser.run("window.fetch = () => new Promise(() => {})")
    page.press("d")
    assert page.state("knit/000.jpg") == "drop"
    assert page.browser.find("#n-drop").text == "1"
    assert page.current == "knit/001.jpg"
    assert len(page.browser.all("[data-saving]")) == 1
    page.browser.run("removeEventListener('beforeunload', null); waiting.length = 0")


def test_counts_and_progress_follow_each_decision(page: Page) -> None:
    page.press("k", "k", "d")
    counts = [page.browser.find(f"#n-{name}").text for name in ("decided", "keep", "drop", "move")]
    assert counts == ["3", "2", "1", "0"]
    assert page.browser.find(".rv-classes [aria-current] .rv-class-count").text == "3/12"
    assert page.browser.run("return document.getElementById('progress').value") == 3
    assert page.browser.find("#said").get_attribute("aria-live") == "polite"
    page.saved()


def test_a_class_is_found_by_a_part_of_its_name_in_either_language(page: Page) -> None:
    page.press("m")
    page.press("블라")
    page.press(Keys.ENTER)
    page.press("m")
    page.press("rock")
    page.press(Keys.ENTER)
    page.press("m", Keys.ARROW_DOWN, Keys.ENTER)
    assert page.decided() == {"knit/000.jpg": "blouse", "knit/001.jpg": "rock-chic", "knit/002.jpg": "slacks"}


def test_escape_leaves_the_choice_without_a_decision(page: Page) -> None:
    page.press("m", Keys.ESCAPE)
    assert page.current == "knit/000.jpg"
    assert page.decided() == {}
    page.press("k")
    assert page.decided() == {"knit/000.jpg": "knit"}


def test_arrows_go_from_photo_to_photo_and_the_ring_is_seen(page: Page) -> None:
    columns = page.browser.run("return columns()")
    assert columns >= 5
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.ARROW_LEFT)
    assert page.current == f"knit/{columns:03}.jpg"
    page.press(Keys.ARROW_UP, Keys.ARROW_UP)
    assert page.current == "knit/000.jpg"
    page.press(Keys.END)
    assert page.current == "knit/011.jpg"
    ring = page.browser.run(
        "return getComputedStyle(document.querySelector('[aria-current].rv-tile'), '::after').boxShadow"
    )
    assert "inset" in ring
    assert page.browser.run("return document.activeElement.dataset.path") == "knit/011.jpg"
    assert page.decided() == {}


def test_undo_takes_decisions_back_one_by_one_also_after_a_reload(page: Page) -> None:
    page.press("k", "d")
    page.saved()
    page.open()
    assert page.current == "knit/002.jpg"
    page.press("u")
    page.browser.wait(lambda: page.current == "knit/001.jpg")
    assert page.state("knit/001.jpg") == ""
    assert page.decided() == {"knit/000.jpg": "knit"}
    page.press("u")
    page.browser.wait(lambda: page.current == "knit/000.jpg")
    assert page.decided() == {}
    page.press("u")
    page.browser.wait(lambda: "되돌릴 것이 없어요" in page.browser.find("#said").get_attribute("textContent"))
    assert page.browser.find("#n-decided").text == "0"


def test_decisions_are_there_after_the_process_was_killed_and_opened_again(page: Page) -> None:
    page.press("k", "d")
    page.saved()
    journal = page.folder / "review.csv"
    journal.write_bytes(journal.read_bytes() + b"2026-11-22T22:00:00+00:00,knit/002.jp")
    with on_a_port(make_app(page.folder)) as address:
        again = Page(page.browser, address, page.folder)
        again.open()
        assert [again.state(f"knit/00{n}.jpg") for n in range(3)] == ["keep", "drop", ""]
        again.press("k")
        assert again.decided() == {"knit/000.jpg": "knit", "knit/001.jpg": None, "knit/002.jpg": "knit"}
        page.open()


def test_a_server_that_does_not_answer_is_told_and_tried_again(page: Page) -> None:
    page.browser.run("window.really = window.fetch; window.fetch = () => Promise.reject(new TypeError('gone'))")
    page.press("d")
    assert page.browser.wait(lambda: page.browser.find("#lost").is_displayed())
    page.browser.run("window.fetch = window.really")
    page.browser.wait(lambda: not page.browser.find("#lost").is_displayed())
    assert page.decided() == {"knit/000.jpg": None}


def test_a_photo_is_looked_at_large_and_decided_on_there(page: Page) -> None:
    page.press(" ")
    large = page.browser.find("#large[open] img")
    assert "/photos/knit/000.jpg" in str(large.get_attribute("src"))
    page.press("d")
    assert "/photos/knit/001.jpg" in str(page.browser.find("#large-photo").get_attribute("src"))
    page.press(Keys.ARROW_RIGHT, " ")
    page.browser.wait(lambda: not page.browser.all("#large[open]"))
    assert page.current == "knit/002.jpg"
    assert page.decided() == {"knit/000.jpg": None}


def test_keys_work_with_korean_switched_on(page: Page) -> None:
    page.browser.run("dispatchEvent(new KeyboardEvent('keydown', {key: 'ㅏ', code: 'KeyK', bubbles: true}))")
    page.browser.run("dispatchEvent(new KeyboardEvent('keydown', {key: 'ㅇ', code: 'KeyD', bubbles: true}))")
    assert page.decided() == {"knit/000.jpg": "knit", "knit/001.jpg": None}


def test_a_question_mark_shows_the_keys(page: Page) -> None:
    page.press("?")
    assert page.browser.find("#help[open] h2").text == "단축키"
    page.press("d")
    assert page.state("knit/000.jpg") == ""
    page.press(Keys.ESCAPE)
    assert not page.browser.all("#help[open]")


def test_the_last_photo_of_a_class_leads_on_to_the_next_class(page: Page) -> None:
    page.press(*"k" * 12)
    assert page.browser.find("#end").is_displayed()
    assert page.browser.find(".rv-classes [aria-current].rv-done")
    page.saved()
    page.tap("#end a")
    page.browser.wait(lambda: page.browser.find("h1").text == "슬랙스")
    page.press("[")
    page.browser.wait(lambda: page.browser.find("h1").text == "니트")


def test_all_of_it_works_by_touch_on_a_phone(page: Page) -> None:
    page.browser.resize(*PHONE)
    page.open("en")
    assert page.browser.run("return document.documentElement.scrollWidth") <= 390
    page.tap(".rv-bar [data-do=keep]")
    page.tap('.rv-tile[data-path="knit/004.jpg"]')
    assert page.current == "knit/004.jpg"
    page.tap(".rv-bar [data-do=drop]")
    page.tap(".rv-bar [data-do=move]")
    page.tap('#choices [data-slug="blouse"]')
    expected = {"knit/000.jpg": "knit", "knit/004.jpg": None, "knit/005.jpg": "blouse"}
    assert page.decided() == expected
    page.tap(".rv-bar [data-do=undo]")
    page.browser.wait(lambda: page.current == "knit/005.jpg")
    assert page.decided() == {"knit/000.jpg": "knit", "knit/004.jpg": None}
    page.tap('.rv-tile[data-path="knit/005.jpg"]')
    assert page.browser.find("#large[open]")
    page.tap("#large [data-do=keep]")
    page.tap("#large [data-close]")
    assert page.decided()["knit/005.jpg"] == "knit"


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_nothing_jumps_when_a_decision_is_made(page: Page, size: tuple[int, int]) -> None:
    page.browser.resize(*size)
    page.open()
    places = """return [...document.querySelectorAll('.rv-grid li, .rv-act, .rv-head, .rv-about')].map((element) => {
      const {x, y, width, height} = element.getBoundingClientRect(); return [x, y + scrollY, width, height]; })"""
    before = page.browser.run(places)
    page.press("k", "d", "m")
    page.press("1")
    page.press("m")
    page.press("2")
    assert page.browser.run(places) == before
    page.saved()


def test_fingers_find_the_buttons(page: Page) -> None:
    page.browser.resize(*PHONE)
    page.open()
    heights = page.browser.run("return [...document.querySelectorAll('.rv-bar .rv-act')].map((e) => e.offsetHeight)")
    assert min(heights) >= 44
    page.tap(".rv-bar [data-do=move]")
    heights = page.browser.run("return [...document.querySelectorAll('#choices button')].map((e) => e.offsetHeight)")
    assert min(heights) >= 44
    assert page.browser.run("return document.activeElement.id") != "filter", "the keyboard of the phone would come up"


@pytest.mark.parametrize(("language", "title", "keep"), [("ko", "니트", "남기기"), ("en", "Knit", "Keep")])
def test_the_page_speaks_both_languages(page: Page, language: str, title: str, keep: str) -> None:
    page.open(language)
    assert page.browser.find("h1").text == title
    assert keep in page.browser.find(".rv-bar [data-do=keep]").text
    assert ("모델" if language == "ko" else "Model") in page.browser.find("#about").text
