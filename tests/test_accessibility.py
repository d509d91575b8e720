"""No page state breaks a rule of axe-core: WCAG 2.2 and good practice, as far as a program can tell, in both languages
and lights."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from chromium import Browser, on_a_port
from small_house import House, draw_garment
from test_pages_in_chromium import PHONE, choose

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
"""The package brings axe-core itself; nothing else of it is used."""
RUN = """
const done = arguments[arguments.length - 1];
axe.run({resultTypes: ['violations']}).then(({violations}) => done(violations.map(
  ({id, nodes}) => [id, nodes.length, nodes[0].html.slice(0, 200)])));
"""
ANSWER = "ANSWER"
MAIN = (
    ("/", ""),
    (ANSWER, ""),
    (ANSWER, ".filters-open"),
    (f"{ANSWER}?words=린넨", ".product-less"),
    ("/search?q=린넨", ""),
)
WIDE = (("/", ""), (ANSWER, ""), ("/search?q=린넨", ""))
STATES = (
    *MAIN,
    ("/", ".top-act"),
    (ANSWER, ".seen-word"),
    (ANSWER, ".seen-sure"),
    (ANSWER, "#box-start"),
    ("/search?q=qqqq", ""),
    ("/search?q=린넨&min_price=x", ""),
    ("/product/70", ""),
    ("/saved", ""),
    ("/shared", ""),
    ("/about", ""),
    ("/account/login", ""),
    ("/account/new", ""),
    ("/nowhere", ""),
)
"""Addresses, and what is pressed there."""


@pytest.fixture(scope="module")
def site(house: House) -> Iterator[str]:
    with on_a_port(house.app(words_rate="1000 per minute")) as address:
        yield address


@pytest.fixture(scope="module")
def answer(window: Browser, site: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of an answer to a photo."""
    photo: Path = tmp_path_factory.mktemp("photos") / "shirt.jpg"
    draw_garment("#2a6fb0", 5).save(photo, "JPEG")
    window.resize(*PHONE)
    choose(window, site, photo)
    return str(window.driver.current_url).partition("?")[0].removeprefix(site)


@pytest.mark.parametrize(
    ("language", "scheme", "size", "states"),
    [
        ("ko", "light", (390, 844), STATES),
        ("en", "dark", (390, 844), MAIN),
        ("en", "light", (1280, 900), WIDE),
    ],
    ids=["phone", "night", "desk"],
)
def test_no_page_state_has_a_violation(
    window: Browser,
    site: str,
    answer: str,
    language: str,
    scheme: str,
    size: tuple[int, int],
    states: tuple[tuple[str, str], ...],
) -> None:
    window.resize(*size)
    emulate(window, scheme)
    found: dict[str, Any] = {}
    for address, pressed in states:
        where = address.replace(ANSWER, answer)
        window.open(f"{site}{where}{'&' if '?' in where else '?'}lang={language}")
        before = window.driver.current_url
        if pressed and (button := window.find(pressed)).is_displayed():
            window.run("arguments[0].click()", button)
            if pressed == ".product-less":
                window.wait(lambda: window.driver.current_url != before)  # noqa: B023
        settle(window)
        window.run(AXE)
        broken = window.driver.execute_async_script(RUN)
        if broken:
            found[f"{address} {pressed}"] = broken
    assert found == {}


def emulate(browser: Browser, scheme: str) -> None:
    """By day or by night, and without motion: half faded in, every text has too little contrast."""
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def settle(browser: Browser) -> None:
    browser.wait(lambda: browser.run("return document.readyState") == "complete")
    browser.wait(lambda: not browser.all("#page.htmx-request"))
