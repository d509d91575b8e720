"""Suggestions while typing: what they complete, what they count, and that the page offers them to everybody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from chromium import Browser
from mapsi.catalog import Catalog
from mapsi.catalog.query import Query
from mapsi.errors import UsageError
from offers import TAXONOMY, NewCatalog, offer, take_in

SHOP = (
    offer("1", "울 가디건", brand="무신사 스탠다드"),
    offer("2", "울 가디건 블랙", brand="무신사 스탠다드"),
    offer("3", "가방", group="g"),
    offer("4", "가방", group="g"),
    offer("5", "Linen shirt", brand="Levi's"),
    offer("6", "wool gloves"),
)


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def stocked(request: pytest.FixtureRequest, new_catalog: NewCatalog) -> Iterator[Catalog]:
    with new_catalog(request.param) as catalog:
        take_in(catalog, *SHOP)
        yield catalog


def texts(catalog: Catalog, typed: str) -> list[str]:
    return [suggestion.text for suggestion in catalog.listings.suggest(typed, TAXONOMY)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("가", "가디건"),
        ("가ㄷ", "가디건"),
        ("갇", "가디건"),
        ("가딕", "가디건"),
        ("ㄱㄷㄱ", "가디건"),
        ("울 ㄱㄷ", "울 가디건"),
        ("무신사 스", "무신사 스탠다드"),
        ("ㅁㅅㅅ", "무신사 스탠다드"),
        ("lev", "Levi's"),
        ("LIN", "Linen shirt"),
        ("린", "린넨 셔츠"),
    ],
)
def test_a_beginning_is_completed(stocked: Catalog, typed: str, first: str) -> None:
    assert texts(stocked, typed)[0] == first


@pytest.mark.parametrize("typed", ["", " ", "!", "zzz", "ㅋㅋㅋ", "각"])
def test_what_begins_nothing_suggests_nothing(stocked: Catalog, typed: str) -> None:
    assert texts(stocked, typed) == []


def test_a_count_is_what_the_search_finds(stocked: Catalog) -> None:
    for typed in ("가", "울", "l", "ㄱ", "w"):
        for suggestion in stocked.listings.suggest(typed, TAXONOMY):
            assert suggestion.count == stocked.listings.search(Query(words=suggestion.text, size=1)).total > 0


def test_suggestions_follow_an_import(catalog: Catalog) -> None:
    take_in(catalog, *SHOP)
    assert texts(catalog, "가방") == ["가방"]
    take_in(catalog, *SHOP[:2])
    assert texts(catalog, "가방") == []


@pytest.mark.parametrize("limit", [0, 11])
def test_a_number_of_suggestions_that_makes_no_sense_is_refused(stocked: Catalog, limit: int) -> None:
    with pytest.raises(UsageError):
        stocked.listings.suggest("가", TAXONOMY, limit)


# --- in the page


@pytest.fixture(scope="module")
def browser(window: Browser) -> Iterator[Browser]:
    window.resize(390, 844)
    yield window
    assert window.complaints() == []


def type_words(browser: Browser, site: str, typed: str) -> None:
    browser.open(f"{site}/?lang=ko")
    field = browser.find("#q")
    field.click()
    field.send_keys(typed)
    browser.find("[role=option]")


def state(browser: Browser) -> tuple[str | None, str | None]:
    field = browser.find("#q")
    return field.get_attribute("aria-expanded"), field.get_attribute("aria-activedescendant")


def test_keys_choose_a_suggestion_and_enter_searches_for_it(browser: Browser, site: str) -> None:
    type_words(browser, site, "니")
    assert browser.find("#q").get_attribute("role") == "combobox"
    assert state(browser) == ("true", None)
    browser.find("#q").send_keys(Keys.ARROW_DOWN)
    assert state(browser) == ("true", "suggestion-0")
    assert browser.find("#suggestion-0").get_attribute("aria-selected") == "true"
    browser.find("#q").send_keys(Keys.ARROW_UP)
    assert state(browser) == ("true", None)
    browser.find("#q").send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    browser.wait(lambda: "/search?q=" in browser.driver.current_url)
    assert browser.find("#q").get_attribute("value") == "니트"


def test_escape_closes_and_leaves_the_words(browser: Browser, site: str) -> None:
    type_words(browser, site, "니")
    browser.find("#q").send_keys(Keys.ESCAPE)
    assert state(browser) == ("false", None)
    assert browser.find("#q").get_attribute("value") == "니"


def test_a_tap_searches(browser: Browser, site: str) -> None:
    type_words(browser, site, "kni")
    browser.find("[role=option]").click()
    browser.wait(lambda: "/search?q=Knit" in browser.driver.current_url)


def test_what_was_asked_for_in_vain_is_given_up(browser: Browser, site: str) -> None:
    browser.open(f"{site}/?lang=ko")
    browser.run(
        """window.asked = []; window.fetch = (address, options) => {
             window.asked.push([decodeURIComponent(address.split('=')[1]), options.signal]);
             return new Promise(() => {}); }"""
    )
    field = browser.find("#q")
    for typed in ("k", "kn"):
        field.send_keys(typed[-1])
        browser.wait(lambda typed=typed: browser.run("return window.asked.map((each) => each[0])")[-1:] == [typed])
    assert browser.run("return window.asked.map((each) => each[1].aborted)") == [True, False]


def test_the_list_stays_inside_a_phone(browser: Browser, site: str) -> None:
    type_words(browser, site, "s")
    width = browser.run("return document.documentElement.scrollWidth")
    box = browser.find(".suggestions").rect
    assert width <= 390
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert all(option.rect["height"] >= 44 for option in browser.all("[role=option]"))
