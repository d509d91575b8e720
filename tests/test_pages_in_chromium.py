"""The pages in a real browser: from a photo to a shop, on a phone and on a desk, with and without scripts."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from flask import Flask, g
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from chromium import Browser, on_a_port
from mapsi.catalog.query import Query
from mapsi.imaging import decode_photo
from mapsi.infer import Guess, Model
from mapsi.infer.look import Garment, Look
from mapsi.infer.model import shipped_model
from mapsi.taxonomy import load_taxonomy
from mapsi.taxonomy.names import class_name
from mapsi.web.lists.cards import view_card
from mapsi.web.pages import photos
from offers import product
from servers import require
from small_house import House, draw_garment, grey_bytes, open_house

PHONE = (390, 844)
DESK = (1280, 900)
PHOTOS = Path(__file__).parents[2] / "shared" / "data" / "clothing" / "validation"


def _shop() -> Flask:
    shop = Flask("shop")

    @shop.get("/<name>/p/<number>")
    def product(name: str, number: str) -> str:
        return f"<link rel=icon href=data:,><title>{name} {number}</title><h1>the shop's own page</h1>"

    return shop


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with on_a_port(_shop()) as shop, open_house(tmp_path_factory.mktemp("house"), shop_url=shop) as opened:
        yield opened


@pytest.fixture
def browser(window: Browser, site: str) -> Iterator[Browser]:
    """A fresh start in Korean on a phone; at the end nothing may stand in the console."""
    window.resize(*PHONE)
    window.open(f"{site}/about?lang=ko")
    window.complaints()
    yield window
    assert window.complaints() == []


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("photos") / "shirt.jpg"
    draw_garment("#2a6fb0", 5).resize((480, 600)).save(file, "JPEG")
    return file


@pytest.fixture(scope="module")
def answer(window: Browser, site: str, photo: Path) -> str:
    """The address of the answer to the photo, for tests of its page."""
    window.resize(*PHONE)
    window.open(f"{site}/about?lang=ko")
    choose(window, site, photo)
    return str(window.driver.current_url).partition("?")[0]


def choose(browser: Browser, site: str, photo: Path) -> None:
    browser.open(f"{site}/")
    browser.find("#photo-home").send_keys(str(photo))
    browser.wait(lambda: "/photo/" in browser.driver.current_url)
    browser.find("#look-photo")


def test_a_heart_is_pressed_in_place_and_pressed_again_takes_the_product_off(browser: Browser, site: str) -> None:
    browser.open(f"{site}/search?sort=price-up&lang=ko")
    address = browser.driver.current_url
    heart = str(browser.all(".heart")[1].get_attribute("id"))
    for pressed, count in (("true", "1"), ("false", "")):
        browser.find(f"#{heart}").click()
        browser.wait(lambda: browser.find(f"#{heart}").get_attribute("aria-pressed") == pressed)  # noqa: B023
        assert [number.text for number in browser.all(".own-count")] == ([count] if count else [])
        assert [one.get_attribute("id") for one in browser.all('.heart[aria-pressed="true"]')] == [heart][: len(count)]
        assert browser.driver.current_url == address


def test_a_photo_chosen_on_a_phone_leads_to_its_style_and_on_to_the_shop(
    browser: Browser, site: str, photo: Path
) -> None:
    choose(browser, site, photo)
    assert browser.find(".seen-word").text
    browser.find(".seen-sure").click()
    browser.wait(lambda: "%" in browser.find(".axis .percent").text)
    browser.find("#sure .sheet-close").click()
    card = browser.find("a.product[target=_blank]")
    assert card.find_element(By.CSS_SELECTOR, ".product-price").text.endswith("원")
    first = browser.driver.current_window_handle
    card.click()
    browser.wait(lambda: len(browser.driver.window_handles) == 2)
    browser.driver.switch_to.window(next(h for h in browser.driver.window_handles if h != first))
    try:
        browser.wait(lambda: "/p/" in browser.driver.current_url)
        assert browser.find("h1").text == "the shop's own page"
        assert browser.run("return document.referrer") == ""
        assert browser.run("return window.opener") is None
    finally:
        browser.driver.close()
        browser.driver.switch_to.window(first)


def test_a_large_photo_is_made_small_before_it_is_sent(browser: Browser, site: str, tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    draw_garment("#2a6fb0", 5).resize((2400, 3000)).save(large, "JPEG")
    browser.open(f"{site}/")
    browser.run(
        """window.sent = []; window.fetch = (address, options) => {
             window.sent.push(options.body.get('photo')); return new Promise(() => {}); }"""
    )
    browser.find("#photo-home").send_keys(str(large))
    browser.wait(lambda: browser.run("return window.sent.length"))
    width, height, kind = browser.run(
        """return (async () => { const map = await createImageBitmap(window.sent[0]);
             return [map.width, map.height, window.sent[0].type]; })()"""
    )
    assert (width, height, kind) == (1280, 1600, "image/jpeg")


def test_the_search_shows_the_photo_and_its_progress_and_can_be_left(browser: Browser, site: str, photo: Path) -> None:
    browser.open(f"{site}/")
    browser.run("window.fetch = (address, options) => new Promise(() => {})")
    browser.find("#photo-home").send_keys(str(photo))
    status = browser.find(".choose-status")
    browser.wait(lambda: "살펴보고 있어요" in status.text)
    assert status.get_attribute("aria-live") == "polite"
    assert browser.find(".choose-preview").is_displayed()
    browser.find(".choose-cancel").click()
    assert browser.find(".choose-label").is_displayed()
    assert not browser.find(".choose-preview").is_displayed()


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """What has to be set before the address of a picture answers."""
    event = threading.Event()
    monkeypatch.setattr(photos, "fetch_picture", lambda *_: event.wait(60) and grey_bytes())
    return event


def test_an_address_that_takes_its_time_is_waited_for_in_sight_and_can_be_left(
    browser: Browser, site: str, answered: threading.Event
) -> None:
    browser.open(f"{site}/")
    browser.find(".choose-address summary").click()
    browser.find("#address-home").send_keys("shop.example.com/p/1")
    browser.run(WAITED)
    told, preview = browser.wait(lambda: browser.run("return window.waited"))
    answered.set()
    assert ("가져오고 있어요" in told, preview) == (True, False)
    assert browser.find("#address-home").is_displayed()
    assert browser.find("#address-home").get_attribute("value") == "shop.example.com/p/1"
    assert browser.driver.current_url == f"{site}/"


def test_an_address_that_is_pasted_on_any_page_is_waited_for_in_the_sheet(
    browser: Browser, site: str, answered: threading.Event
) -> None:
    browser.open(f"{site}/about")
    browser.run(PASTED)
    is_open, told = browser.wait(lambda: browser.run("return window.waited"))
    answered.set()
    assert (is_open, "가져오고 있어요" in told) == (True, True)


PASTED = """
setTimeout(() => {
  const carried = new DataTransfer();
  carried.setData('text/plain', 'https://shop.example.com/p/1');
  document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: carried, bubbles: true, cancelable: true }));
  setTimeout(() => {
    const waited = [document.querySelector('#ask').matches(':popover-open'), document.querySelector('.choose-status').textContent];
    document.querySelector('.choose-cancel').click();
    window.waited = waited;
  }, 300);
});
"""


WAITED = """
setTimeout(() => {
  document.querySelector('.choose-address-form').requestSubmit();
  setTimeout(() => {
    const [status, preview] = ['.choose-status', '.choose-preview'].map((name) => document.querySelector(name));
    const waited = [status.textContent, preview.checkVisibility()];
    document.querySelector('.choose-cancel').click();
    window.waited = waited;
  }, 300);
});
"""
"""A page that is being left answers no driver until it is stopped: so the page itself looks, and presses."""


def test_a_file_that_is_no_photo_is_told_on_the_spot(browser: Browser, site: str, tmp_path: Path) -> None:
    text = tmp_path / "photo.jpg"
    text.write_text("hello, I am a photo")
    browser.open(f"{site}/")
    browser.find("#photo-home").send_keys(str(text))
    browser.wait(lambda: "읽을 수 있는 사진이 아니에요" in browser.find(".choose-error").text)
    assert browser.driver.current_url == f"{site}/"
    assert browser.find(".choose-label").is_displayed()
    assert "415" in " ".join(browser.complaints())


def bring(browser: Browser, way: str, data: bytes, kind: str, *, times: int = 1) -> None:
    """Drop or paste a file of ``data``, as many times one after another, that says it is of ``kind``."""
    browser.run(
        """const [way, data, kind, times] = arguments;
           const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
           const transfer = new DataTransfer();
           transfer.items.add(new File(Array(times).fill(bytes), 'shirt', {type: kind}));
           document.querySelector('main').dispatchEvent(way === 'drop'
             ? new DragEvent('drop', {dataTransfer: transfer, cancelable: true, bubbles: true})
             : new ClipboardEvent('paste', {clipboardData: transfer, cancelable: true, bubbles: true}));""",
        way,
        base64.b64encode(data).decode(),
        kind,
        times,
    )


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_photo_can_be_dropped_or_pasted(browser: Browser, site: str, photo: Path, way: str) -> None:
    browser.open(f"{site}/")
    bring(browser, way, photo.read_bytes(), "image/jpeg")
    browser.wait(lambda: "/photo/" in browser.driver.current_url)


@pytest.mark.parametrize("way", ["drop", "paste"])
@pytest.mark.parametrize("page", ["/", "/search"])
def test_what_is_dropped_or_pasted_and_no_photo_or_too_large_is_told_where_one_is(
    browser: Browser, site: str, way: str, page: str
) -> None:
    browser.open(f"{site}{page}?lang=en")
    for data, kind, times, told in (
        (b"hello", "text/plain", 1, "That is not a photo."),
        (bytes(2**20), "image/heic", 40, "This photo is too large to send."),
    ):
        bring(browser, way, data, kind, times=times)
        browser.wait(lambda: any(told in error.text for error in browser.all(".choose-error")))  # noqa: B023
    assert browser.driver.current_url == f"{site}{page}?lang=en"


def test_where_the_model_looked_appears_on_demand(browser: Browser, answer: str) -> None:
    browser.open(answer)
    overlay = browser.find(".axis-focus")
    assert not overlay.is_displayed()
    browser.find(".seen-sure").click()
    browser.wait(lambda: browser.run("return arguments[0].complete && arguments[0].naturalWidth", overlay))
    assert overlay.is_displayed()


def test_two_rows_of_products_are_on_the_first_screen_of_a_phone_and_the_photo_keeps_its_place(
    browser: Browser, answer: str
) -> None:
    browser.open(answer)
    prices = browser.all(".product-price")[:6]
    assert max(price.rect["y"] + price.rect["height"] for price in prices) <= PHONE[1]
    assert browser.find("#look-photo").rect["height"] >= 220
    browser.resize(*DESK)
    browser.open(browser.driver.current_url)
    first, stage = browser.find(".product-picture"), browser.find(".stage")
    assert first.rect["y"] < stage.rect["y"] + 150
    assert first.rect["x"] > stage.rect["x"] + stage.rect["width"]


@pytest.mark.parametrize("price", [Decimal(39200), Decimal(1352000)])
def test_a_sale_takes_no_more_room_on_a_phone_than_any_price(
    house: House, browser: Browser, answer: str, price: Decimal
) -> None:
    """Where both prices fit they are seen; else the old one is read out only."""
    browser.open(answer)
    row = browser.run("return [...document.querySelectorAll('.card-cell')].slice(0, 3).map((one) => one.offsetHeight)")
    app = house.app()
    reduced = product(shop="haru", shop_name="Haru", link="", lowest_price=price, regular_price=price * 5 / 4)
    with app.test_request_context():
        card = view_card(reduced, load_taxonomy(), "ko")
        tag = app.jinja_env.get_template("_products.html").module.price_tag(card)  # type: ignore[attr-defined]
    browser.run("document.querySelector('.product-price').outerHTML = arguments[0]", str(tag))
    assert browser.run(SALE) == [True, price < 100000, True]
    now = browser.run("return [...document.querySelectorAll('.card-cell')].slice(0, 3).map((one) => one.offsetHeight)")
    assert now == row


SALE = """
const [picture, price, share, old] = ['.product-picture', '.product-price', '.product-saving', 's'].map(
  (name) => document.querySelector(`.card-cell ${name}`).getBoundingClientRect());
return [share.top > picture.top && share.bottom < picture.bottom && share.left >= picture.left,
  old.right <= price.right && old.bottom <= price.bottom, price.right <= picture.right];
"""
"""Whether the share lies on the picture, the old price is seen beside the new one, and the line ends with the card."""


@pytest.mark.parametrize(("size", "paid"), [(PHONE, 39200), (PHONE, 49000), (DESK, 39200)])
def test_the_way_to_a_products_other_shops_is_seen_and_pressed_within_its_card(
    house: House, browser: Browser, site: str, photo: Path, size: tuple[int, int], paid: int
) -> None:
    """On a phone it takes no room of its own, or the second row of products would leave the first screen."""
    browser.resize(*size)
    choose(browser, site, photo)
    heights = "return [...document.querySelectorAll('.card-cell')].slice(0, 3).map((one) => one.offsetHeight)"
    row = browser.run(heights)
    app = house.app()
    joined = replace(
        house.catalog.listings.search(Query(size=1)).products[0],
        lowest_price=Decimal(paid),
        regular_price=Decimal(49000),
        shops=2,
    )
    with app.test_request_context():
        card = view_card(joined, load_taxonomy(), "ko")
        template = app.jinja_env.get_template("_products.html").make_module(app.jinja_env.globals | {"g": g})
        cell = template.product_card(card, less_url="/x")  # type: ignore[attr-defined]
    browser.run("document.querySelector('.card-cell').outerHTML = arguments[0]", str(cell))
    assert browser.run(PRESSED, ".product-offers") == [True, True]
    assert browser.run(PRESSED, ".product-less") == [True, True]
    assert size == DESK or browser.run(heights) == row


PRESSED = """
const [card, one] = [".card-cell", arguments[0]].map((name) => document.querySelector(name));
const [all, its] = [card, one].map((each) => each.getBoundingClientRect());
const within = its.left >= all.left && its.right <= all.right && its.top >= all.top && its.bottom <= all.bottom;
return [within, one.contains(document.elementFromPoint(its.left + its.width / 2, its.top + its.height / 2))];
"""
"""Whether it lies within its card, and is what a press in its middle finds."""


KEPT = (
    "return [window.mark, document.querySelector('#look-photo')?.mark, Math.round(scrollY), document.activeElement.id]"
)


def test_order_more_and_filters_change_the_list_in_place_and_going_back_does_too(browser: Browser, answer: str) -> None:
    browser.resize(*DESK)
    browser.open(answer)
    browser.run("window.mark = 1; document.querySelector('#look-photo').mark = 2; scrollTo(0, 120)")
    browser.run(
        "const sort = document.querySelector('#sort-price-up'); sort.focus({preventScroll: true}); sort.click()"
    )
    browser.wait(lambda: "sort=price-up" in browser.driver.current_url and browser.all("#sort-price-up[aria-current]"))
    assert browser.run(KEPT) == [1, 2, 120, "sort-price-up"]
    link = browser.find("#more-link")
    browser.run("arguments[0].scrollIntoView({block: 'center'}); arguments[0].focus({preventScroll: true})", link)
    height = browser.run("return Math.round(scrollY)")
    browser.run("document.querySelector('#more-link').click()")
    browser.wait(lambda: len(browser.all(".card-cell")) == 48)
    assert browser.run(KEPT) == [1, 2, height, "more-link"]
    assert "page=2&from=1" in browser.driver.current_url
    browser.driver.refresh()
    browser.wait(lambda: browser.run("return !window.mark && document.readyState === 'complete'"))
    assert len(browser.all(".card-cell")) == 48
    browser.run("window.mark = 3; document.querySelector('#look-photo').mark = 4")
    for sort in ("price-up", "likeness"):
        browser.driver.back()
        browser.wait(lambda: browser.all(f"#sort-{sort}[aria-current]") and len(browser.all(".card-cell")) == 24)  # noqa: B023
        assert browser.run(KEPT)[:2] == [3, 4]
    assert "sort=" not in str(browser.find("#language").get_attribute("href"))
    browser.run("scrollTo(0, 0)")
    browser.find("#filters-open").click()
    browser.find("#filters input[value=haru]").click()
    browser.wait(lambda: "shop=haru" in browser.driver.current_url and browser.all(".toolbar + .chips"))
    assert browser.find("#filters").is_displayed()
    browser.find("#filters .sheet-close").click()
    browser.find(".toolbar + .chips a").click()
    browser.wait(lambda: "shop=" not in browser.driver.current_url and not browser.all(".toolbar + .chips"))
    assert browser.run("return document.activeElement.id") == "list-title"


def test_going_back_while_a_page_is_still_loading_shows_the_list_of_the_address(browser: Browser, site: str) -> None:
    open_second_page(browser, site)
    back_at_once = {"source": "if (sessionStorage.back) { sessionStorage.clear(); history.back(); }"}
    script = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", back_at_once)
    try:
        browser.run("sessionStorage.back = 1")
        browser.driver.refresh()
        browser.wait(lambda: "page=2" not in browser.driver.current_url)
        browser.wait(lambda: len(browser.all(".card-cell")) == 24)
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


SLOW = """
const fetched = window.fetch;
window.fetch = (address, options) => !address.includes('price-down') ? fetched(address, options) : new Promise((done, fail) => {
  options.signal.addEventListener('abort', () => fail(new DOMException('', 'AbortError')));
  window.answer = () => fetched(address, {...options, signal: null}).then(done);
});
document.addEventListener('htmx:finally:request', () => window.ended = (window.ended ?? 0) + 1);
"""


def test_going_back_before_a_click_is_answered_takes_the_click_back(browser: Browser, site: str) -> None:
    open_second_page(browser, site)
    browser.run(SLOW)
    browser.run("document.querySelector('#sort-price-down').click()")
    browser.wait(lambda: browser.run("return window.answer !== undefined"))
    browser.driver.back()
    browser.wait(lambda: len(browser.all(".card-cell")) == 24)
    browser.run("window.answer()")
    browser.wait(lambda: browser.run("return window.ended") == 2)
    assert "sort=price-up" in browser.driver.current_url
    assert browser.all("#sort-price-up[aria-current]")


def test_back_forward_and_reload_show_the_list_of_the_address_where_it_was_left(browser: Browser, site: str) -> None:
    def shown() -> tuple[int, bool, int]:
        cards, second = len(browser.all(".card-cell")), "page=2" in browser.driver.current_url
        return cards, second, round(browser.run("return scrollY"))

    def scroll(height: int) -> int:
        browser.run("scrollTo(0, arguments[0])", height)
        browser.wait(lambda: browser.run("return history.state?.place ?? scrollY") == height)
        return height

    open_second_page(browser, site)
    top = round(browser.run("return scrollY"))
    browser.driver.back()
    browser.wait(lambda: shown()[:2] == (24, False))
    first = scroll(600)
    browser.driver.forward()
    browser.wait(lambda: shown() == (48, True, top))
    second = scroll(browser.run("return document.documentElement.scrollHeight - innerHeight - 50"))
    for _ in range(2):
        browser.driver.back()
        browser.wait(lambda: shown() == (24, False, first))
        browser.driver.forward()
        browser.wait(lambda: shown() == (48, True, second))
        browser.driver.refresh()
        browser.wait(lambda: browser.run("return document.readyState") == "complete" and shown() == (48, True, second))


def open_second_page(browser: Browser, site: str) -> None:
    browser.resize(*DESK)
    browser.open(f"{site}/search?sort=price-up&lang=ko")
    browser.run("document.querySelector('#more-link').click()")
    browser.wait(lambda: "page=2" in browser.driver.current_url and len(browser.all(".card-cell")) == 48)


def test_words_and_less_like_this_refine_the_answer_in_place_and_are_taken_back(browser: Browser, answer: str) -> None:
    browser.open(answer)
    browser.run("window.mark = 1; document.querySelector('#look-photo').mark = 2")
    first = browser.find(".card-cell").get_attribute("id")
    browser.find(f"#{first}-less").click()
    browser.wait(lambda: browser.all(".chip-aside") and not browser.all(f"#{first}"))
    assert browser.run("return document.activeElement.id") == "list-title"
    browser.find("#refine-words").send_keys("린넨" + Keys.ENTER)
    browser.wait(lambda: "words=" in browser.driver.current_url and len(browser.all(".toolbar + .chips li")) == 2)
    assert browser.run("return document.activeElement.id") == "refine-words"
    assert all("린넨" in name.text or "Linen" in name.text for name in browser.all(".product-name"))
    browser.find(".chip-aside").click()
    browser.wait(lambda: "less=" not in browser.driver.current_url and not browser.all(".chip-aside"))
    assert browser.run(KEPT)[:2] == [1, 2]
    browser.driver.back()
    browser.wait(lambda: browser.all(".chip-aside"))
    assert browser.run(KEPT)[:2] == [1, 2]


def test_a_frame_is_drawn_moved_and_taken_away_by_mouse_and_by_keyboard(browser: Browser, answer: str) -> None:
    browser.resize(*DESK)
    browser.open(answer)
    browser.run("window.mark = 1")
    browser.find("#box-start").click()
    frame = browser.find(".look-frame")
    for keys, box in ((Keys.ARROW_DOWN, "0.2,0.22,0.6,0.6"), (Keys.SHIFT + Keys.ARROW_RIGHT, "0.2,0.22,0.62,0.6")):
        frame.send_keys(keys)
        browser.wait(lambda: browser.find("#look").get_attribute("data-box") == box)  # noqa: B023
    look = browser.find("#look")
    across, down = look.rect["width"], look.rect["height"]
    middle = ActionChains(browser.driver).move_to_element(look)
    middle.click_and_hold().move_by_offset(int(-0.1 * across), int(-0.1 * down)).release().perform()
    browser.wait(lambda: browser.find("#look").get_attribute("data-box") not in ("", "0.2,0.22,0.62,0.6"))
    x, y, width, height = map(float, str(browser.find("#look").get_attribute("data-box")).split(","))
    assert (x, y) == (pytest.approx(0.1, abs=0.02), pytest.approx(0.12, abs=0.02))
    assert (width, height) == (0.62, 0.6)
    frame.send_keys(Keys.ESCAPE)
    browser.wait(lambda: browser.find("#look").get_attribute("data-box") == "")
    assert "box=" not in browser.driver.current_url
    assert browser.run("return [window.mark, document.activeElement.id]") == [1, "box-start"]


def touch(browser: Browser, *points: tuple[float, float]) -> None:
    """A finger that is put down on the first point and lifted at the last."""
    for number, (x, y) in enumerate(points):
        where = {"type": "touchMove" if number else "touchStart", "touchPoints": [{"x": x, "y": y}]}
        browser.driver.execute_cdp_cmd("Input.dispatchTouchEvent", where)
    browser.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def stands_at_the_top(browser: Browser) -> bool:
    """Scroll to the top; whether the page is still there a quarter of a second later, the finger's swing run out."""
    browser.run("scrollTo(0, 0)")
    time.sleep(0.25)
    return bool(browser.run("return scrollY") == 0)


def test_a_finger_taps_garments_on_the_photo_scrolls_over_it_and_draws_where_it_is_asked_to(
    house: House, browser: Browser, site: str, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = house.finder.read(draw_garment("#2a6fb0"))
    boxes = {"upper": (0.2, 0.05, 0.6, 0.4), "lower": (0.25, 0.5, 0.5, 0.45), "bag": (0.3, 0.1, 0.2, 0.15)}
    garments = tuple(Garment(group, 0.9, box, None, whole) for group, box in boxes.items())
    monkeypatch.setattr(house.finder, "look", lambda _: Look(whole, garments, (), np.zeros((0, 0), np.uint8)))
    choose(browser, site, photo)
    browser.run("window.mark = 1")
    look = browser.find("#look").rect

    def at(x: float, y: float) -> tuple[float, float]:
        return look["x"] + x * look["width"], look["y"] + y * look["height"]

    def is_about(box: str) -> bool:
        return browser.find("#look").get_attribute("data-box") == box

    assert is_about("0.2,0.05,0.6,0.4")
    for point, box in (
        ((0.5, 0.8), "0.25,0.5,0.5,0.45"),
        ((0.7, 0.3), "0.2,0.05,0.6,0.4"),
        ((0.4, 0.2), "0.3,0.1,0.2,0.15"),
    ):
        touch(browser, at(*point))  # the bag lies within the frame of the top
        browser.wait(lambda: is_about(box))  # noqa: B023
        assert browser.find("#box-start").get_attribute("aria-pressed") == "false"
    touch(browser, *(at(0.9, y) for y in (0.9, 0.7, 0.5, 0.3, 0.1)))
    browser.wait(lambda: browser.run("return scrollY") > 50)
    assert is_about("0.3,0.1,0.2,0.15")
    browser.wait(lambda: stands_at_the_top(browser))
    browser.run("document.querySelector('#box-start').click()")
    touch(browser, *(at(x, x) for x in (0.55, 0.7, 0.8, 0.9)))
    browser.wait(lambda: is_about("0.55,0.55,0.35,0.35"))
    assert browser.run("return [window.mark, scrollY]") == [1, 0]
    assert browser.find("#box-start").get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_what_is_done_with_the_photo_is_said_in_one_line_on_a_desk(
    browser: Browser, answer: str, language: str
) -> None:
    browser.resize(*DESK)
    browser.open(f"{answer}?lang={language}")
    stage, *acts = browser.run(
        """return ['.stage', '.stage-act', '.stage-act span'].flatMap((name) => [...document.querySelectorAll(name)].map(
             (one) => [one.getBoundingClientRect().right, one.getBoundingClientRect().height]))"""
    )
    assert max(right for right, _ in acts) <= stage[0]
    assert max(height for _, height in acts[-3:]) < 24


def test_a_photo_that_is_shared_stands_beside_its_products_and_nobody_else_can_take_it_away(
    browser: Browser, site: str, photo: Path
) -> None:
    browser.resize(*DESK)
    choose(browser, site, photo)
    browser.find(".share [name=photo]").click()
    browser.find(".share button").click()
    browser.wait(lambda: "/share/" in browser.driver.current_url)
    made = browser.driver.current_url
    assert browser.all("form[action$=remove]")
    browser.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.open(made)
    assert not browser.all("form[action$=remove]")
    assert browser.run(BESIDE) == [True, True, True]
    assert "photo.jpg" not in str(browser.find('[property="og:image"]').get_attribute("content"))


BESIDE = """
const [photo, card] = ['.share-photo', '.card-cell'].map((name) => document.querySelector(name).getBoundingClientRect());
return [photo.width > 300, card.left - photo.right < 60 && card.left > photo.right, Math.abs(card.top - photo.top) < 24];
"""
"""Whether the photo is large, and the first product right beside it."""


def test_the_ring_of_what_has_the_focus_is_whole_on_a_desk(
    house: House, browser: Browser, site: str, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The column of the photo scrolls, and cuts off at its sides."""
    whole = house.finder.read(draw_garment("#2a6fb0"))
    garments = tuple(
        Garment(group, 0.9, (0.2, y, 0.6, 0.4), None, whole) for group, y in (("upper", 0.05), ("lower", 0.5))
    )
    monkeypatch.setattr(house.finder, "look", lambda _: Look(whole, garments, (), np.zeros((0, 0), np.uint8)))
    browser.resize(*DESK)
    choose(browser, site, photo)
    cut_off = browser.run(RINGS)
    assert cut_off == []


RINGS = """
const stage = document.querySelector('.stage').getBoundingClientRect();
return [...document.querySelectorAll('.stage :is(button, a.garment, input[type=search], input[type=text])')].filter((one) => {
  one.focus({ focusVisible: true, preventScroll: true });
  const [its, style] = [one.getBoundingClientRect(), getComputedStyle(one)];
  const around = style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);
  return its.width && (its.left - around < stage.left - 0.5 || its.right + around > stage.right + 0.5);
}).map((one) => one.id || one.className);
"""


def test_a_pair_of_shoes_is_seen_whole_in_the_row_of_garments(
    house: House, browser: Browser, site: str, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The middle of a wide box of shoes is the ground between them."""
    whole = house.finder.read(draw_garment("#2a6fb0"))
    boxes = {"lower": (0.3, 0.2, 0.3, 0.6), "shoes": (0.3, 0.8, 0.4, 0.1)}
    garments = tuple(Garment(group, 0.9, box, None, whole) for group, box in boxes.items())
    monkeypatch.setattr(house.finder, "look", lambda _: Look(whole, garments, (), np.zeros((0, 0), np.uint8)))
    choose(browser, site, photo)
    fits = browser.run(
        "return [...document.querySelectorAll('.garment img')].map((one) => getComputedStyle(one).objectFit)"
    )
    assert fits == ["cover", "cover", "contain"]


@pytest.mark.parametrize(("word", "seen"), [("셔츠", True), ("드레스·원피스? · 여성? · 네이비", False)])
def test_how_sure_is_said_in_the_line_of_what_is_seen_where_there_is_room(
    browser: Browser, site: str, photo: Path, word: str, seen: bool
) -> None:
    """Else its sign stands there alone: the line has one row."""
    browser.resize(*DESK)
    choose(browser, site, photo)
    browser.run(
        "document.querySelectorAll('.seen > :not(.seen-sure, .seen-word:first-of-type)').forEach((one) => one.remove())"
    )
    browser.run("document.querySelector('.seen-word').textContent = arguments[0]", word)
    assert browser.run(SURE) == [True, seen]


SURE = """
const [sure, icon, words] = ['.seen-sure', '.seen-sure .icon', '.seen-sure span'].map(
  (name) => document.querySelector(name).getBoundingClientRect());
return [sure.height < 48 && icon.bottom <= sure.bottom && sure.right <= document.querySelector('.stage').getBoundingClientRect().right,
  words.bottom <= sure.bottom + 1];
"""


def test_an_unsure_answer_says_so(browser: Browser, site: str, tmp_path: Path) -> None:
    (tmp_path / "grey.png").write_bytes(grey_bytes())
    choose(browser, site, tmp_path / "grey.png")
    assert browser.find("h1").text == "이 사진은 잘 모르겠어요"
    assert browser.all("a.product")


def test_filters_open_as_a_sheet_on_a_phone_and_narrow_the_list(browser: Browser, answer: str) -> None:
    browser.open(answer)
    sheet = browser.find("#filters")
    assert not sheet.is_displayed()
    browser.find(".filters-open").click()
    browser.wait(sheet.is_displayed)
    browser.find("#max_price").send_keys("40000")
    browser.find("#filters input[value='garment:pants']").click()
    browser.wait(lambda: "class=garment" in browser.driver.current_url and len(browser.all("a.chip")) >= 2)
    browser.find("#filters button[type=submit]").click()
    browser.wait(lambda: not sheet.is_displayed())
    assert "max_price=40000" in str(browser.driver.current_url).replace(
        "%2C", ""
    )  # as typed, or as the page wrote it since
    assert "min_price" not in browser.driver.current_url
    assert len(browser.all("a.chip")) >= 2
    assert browser.all("a.product")


def test_filters_are_a_column_on_a_desk_that_works_at_once(browser: Browser, site: str) -> None:
    browser.resize(*DESK)
    browser.open(f"{site}/search?q=dress")
    assert browser.find("#filters").is_displayed()
    assert not browser.find(".filters-open").is_displayed()
    assert abs(browser.find(".share").rect["x"] - browser.find(".grid").rect["x"]) < 2, "sharing is below the products"
    browser.find("#filters input[value=haru]").click()
    browser.wait(lambda: "shop=haru" in browser.driver.current_url)


@pytest.mark.parametrize(("language", "told"), [("ko", "연결할 수 없어요."), ("en", "There is no connection.")])
def test_without_a_connection_a_page_says_so_in_the_readers_language(
    house: House, window: Browser, language: str, told: str
) -> None:
    with on_a_port(house.app()) as leaving:
        window.open(f"{leaving}/?lang={'en' if language == 'ko' else 'ko'}")
        window.run("return navigator.serviceWorker.ready.then(() => true)")
        window.open(f"{leaving}/?lang={language}")  # chosen since
        kept = "return caches.match('/offline').then((page) => page.text())"
        window.wait(lambda: told in window.run(kept))
    window.resize(*PHONE)
    window.open(f"{leaving}/search?q=coat")
    assert window.find("h1").text == told
    assert window.run("return document.documentElement.scrollWidth") <= PHONE[0]
    assert window.find(".btn-ink").rect["height"] >= 44, "the styles are there too"
    window.complaints()


def test_words_are_found_and_the_language_is_switched_in_place(browser: Browser, site: str) -> None:
    browser.open(f"{site}/")
    browser.find("#q").send_keys("린넨" + Keys.ENTER)
    browser.wait(lambda: "/search" in browser.driver.current_url)
    assert "상품 18개" in browser.find(".toolbar-title").text
    browser.find(".top a[hreflang]").click()
    browser.wait(lambda: browser.find("html").get_attribute("lang") == "en")
    assert "18 products" in browser.find(".toolbar-title").text
    assert "₩" in browser.find(".product-price").text


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_page_is_wider_than_any_screen(browser: Browser, site: str, answer: str, language: str) -> None:
    narrow = "?class=garment:pants&class=style:knit&min_price=10000&audience=women&shop=haru&sort=price-up"
    for address in (f"{site}/", answer, f"{answer}{narrow}", f"{site}/search?q=qqqq", f"{site}/about"):
        joint = "&" if "?" in address else "?"
        browser.open(f"{address}{joint}lang={language}")
        for size in (PHONE, (320, 640), (768, 1024), DESK):
            browser.resize(*size)
            assert browser.run("return document.documentElement.scrollWidth") <= size[0], (address, size)


def test_everything_can_be_reached_and_done_by_keyboard(browser: Browser, answer: str) -> None:
    browser.open(answer)
    expected = browser.run(
        """const wanted = [...document.querySelectorAll('a[href], button, input:not([type=hidden])')];
           return wanted.filter((one) => one.checkVisibility() && !(one.type === 'radio' && !one.checked)).length"""
    )
    reached: set[int] = set()
    for _ in range(expected + 5):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        number, unseen = browser.run(FOCUSED)
        reached.add(number)
        assert unseen == ""
    assert len(reached) >= expected


FOCUSED = """
const one = document.activeElement, seen = one !== document.body && one.checkVisibility() && one.offsetWidth > 0;
const marked = !seen || ['file', 'radio'].includes(one.type) || getComputedStyle(one).outlineStyle !== 'none';
return [[...document.querySelectorAll('*')].indexOf(one), marked ? '' : one.outerHTML];
"""
"""The number of the element that has the focus, and the element where nothing shows that."""


def test_words_have_enough_contrast_by_day_and_by_night(browser: Browser, answer: str) -> None:
    for scheme in ("light", "dark"):
        feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
        browser.open(answer)
        poor = browser.run(CONTRAST)
        assert poor == [], json.dumps(poor, ensure_ascii=False)
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


CONTRAST = """
// WCAG 2.2, 1.4.3: at least 4.5 between text and the nearest background that is not clear.
const parts = (colour) => { const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number); return {r, g, b, a}; };
const light = ({r, g, b}) => [r, g, b].map((v) => v / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const behind = (one) => { for (let e = one; e; e = e.parentElement) {
  const style = getComputedStyle(e).backgroundColor;
  if (style.startsWith('rgb') && parts(style).a === 1) return parts(style); } return {r: 255, g: 255, b: 255}; };
const found = [];
for (const one of document.querySelectorAll('main *, footer *, header *')) {
  const own = [...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  if (!own || !one.checkVisibility() || one.closest('.visually-hidden, .visually-hidden-focusable')) continue;
  const [a, b] = [light(parts(getComputedStyle(one).color)), light(behind(one))];
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) found.push([one.className, one.textContent.trim(), ratio.toFixed(2)]);
}
return found;
"""


def test_without_scripts_a_photo_is_still_chosen_searched_and_filtered(
    house: House, site: str, photo: Path, browser: Browser
) -> None:
    with browser.without_scripts():
        browser.open(f"{site}/")
        field, start = browser.find("#photo-home"), browser.find(".choose-start")
        assert field.is_displayed()
        assert start.is_displayed()
        assert not browser.find("#camera-home").is_displayed()
        field.send_keys(str(photo))
        start.click()
        browser.wait(lambda: "/photo/" in browser.driver.current_url)
        assert browser.find(".seen-word").text
        browser.find(".seen-sure").click()
        browser.wait(browser.find(".axis-focus").is_displayed)
        browser.find("#sure .sheet-close").click()
        browser.find(".parts li:nth-child(3) a").click()
        browser.wait(lambda: "box=" in browser.driver.current_url)
        assert browser.find("#look-box rect").is_displayed()
        browser.find(".product-less").click()
        browser.wait(lambda: browser.find(".chip-aside").is_displayed())
        browser.find("#refine-words").send_keys("린넨")
        browser.find(".refine-go").click()
        browser.wait(lambda: "words=" in browser.driver.current_url)
        assert "less=" in browser.driver.current_url
        browser.find(".toolbar + .chips a").click()
        browser.wait(lambda: "words=" not in browser.driver.current_url)
        browser.find("#more-link").click()
        browser.wait(lambda: len(browser.all(".card-cell")) == 48)
        assert browser.run("return scrollY") > 500
        browser.run("scrollTo(0, 0)")
        browser.find(".filters-open").click()
        shop = browser.find("#filters input[value=haru]")
        browser.run("arguments[0].focus(); arguments[0].scrollIntoView({block: 'nearest'})", shop)  # not under the foot
        shop.click()
        browser.find("#filters button[type=submit]").click()
        browser.wait(lambda: "shop=haru" in browser.driver.current_url)
        shops = [str(shop.get_attribute("textContent")) for shop in browser.all("a.product .product-shop")]
        assert all(shop.strip().startswith("Haru") for shop in shops)
        assert browser.complaints() == []


def read_best(model: Model, photo: Path) -> Guess:
    """What the model says by itself of the kind of garment in a photo file."""
    return model.read(decode_photo(photo.read_bytes())).axes["garment"].best


def test_the_shipped_model_says_in_the_browser_what_it_says_by_itself(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser, photo: Path
) -> None:
    require(shipped_model().is_dir(), "the shipped model")
    model = Model.open(threads=1)
    # Of real shirts the one it is surest of: the browser sends it smaller, and a close call might tip over.
    photos = sorted((PHOTOS / "shirt").glob("*.jpg"))[:8] or [photo]
    surest = max(photos, key=lambda file: read_best(model, file).confidence)
    expected = class_name(load_taxonomy(), "garment", read_best(model, surest).slug).ko
    with (
        open_house(tmp_path_factory.mktemp("real"), model=model) as real,
        on_a_port(real.app()) as site,
    ):
        choose(browser, site, surest)
        assert expected in [word.text.rstrip("?") for word in browser.all(".seen-word")]
        assert browser.all("a.product")
        assert browser.complaints() == []
