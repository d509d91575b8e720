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


def test_what_is_tapped_has_the_room_of_a_thumb(window: Browser, site: str, answer: str) -> None:
    """44 by 44 CSS pixels (WCAG 2.2, 2.5.5), links within a text apart: by what a finger hits, not by what is drawn."""
    window.resize(*PHONE)
    emulate(window, "light")
    small: dict[str, Any] = {}
    for address, pressed in TAPPED:
        window.open(f"{site}{address.replace(ANSWER, answer)}")
        if pressed:
            window.run("document.querySelector(arguments[0]).click()", pressed)
        settle(window)
        if found := window.run(SMALL, ":popover-open" if pressed else "body"):
            small[f"{address} {pressed}"] = found
    assert small == {}


TAPPED = (
    *((address, "") for address in ("/", ANSWER, "/search?q=린넨", "/search?q=qqqq", "/product/70", "/account/login")),
    (ANSWER, ".filters-open"),
    (ANSWER, ".seen-word"),
)
SMALL = """
const within = (one, at) => Boolean(at) && (one === at || one.contains(at) || at.closest('label')?.control === one);
const reach = (one, x, y, dx, dy) => {
  let far = 0;
  while (far < 44 && within(one, document.elementFromPoint(x + dx * (far + 1), y + dy * (far + 1)))) far++;
  return far;
};
return [...document.querySelector(arguments[0]).querySelectorAll('a[href], button, input:not([type=hidden]), summary')]
  .filter((one) => one.checkVisibility() && !one.matches('.choose-file') && !one.closest('.visually-hidden-focusable')
    && getComputedStyle(one).display !== 'inline' && (arguments[0] !== 'body' || !one.closest('[popover]')))
  .map((one) => {
    one.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
    const {left, top, width, height} = one.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    return [one.className, one.textContent.trim().slice(0, 20),
      1 + reach(one, x, y, -1, 0) + reach(one, x, y, 1, 0), 1 + reach(one, x, y, 0, -1) + reach(one, x, y, 0, 1)];
  }).filter(([, , across, down]) => across < 44 || down < 44);
"""


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
