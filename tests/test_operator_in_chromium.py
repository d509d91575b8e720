"""The operator's pages in a real browser: on a phone and on a desk, in both languages, and staying true by
themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from selenium.webdriver.common.keys import Keys

from chromium import Browser, on_a_port
from mapsi.catalog.operations.jobs import Job
from operated import EMAIL, EVIL, PASSWORD, Desk, as_desk, in_every_state
from refreshing import HOUR, Clock
from small_house import open_house

PHONE = (390, 844)
DESK = (1280, 900)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The clock is the browser's, but for what :func:`in_every_state` moves it on."""
    clock = Clock(datetime.now(UTC) - 2 * HOUR)
    with (
        open_house(tmp_path_factory.mktemp("house"), now=clock) as house,
        in_every_state(as_desk(house, clock)) as desk,
    ):
        yield desk


@pytest.fixture(scope="module")
def site(desk: Desk) -> Iterator[str]:
    with on_a_port(desk.app()) as address:
        yield address


@pytest.fixture
def browser(window: Browser, site: str) -> Iterator[Browser]:
    """A window in which the operator is logged in, and which has nothing to complain of at the end."""
    window.resize(*DESK)
    window.open(f"{site}/operator?lang=en")
    if window.all("#password"):
        log_in(window)
    yield window
    assert window.complaints() == []


def log_in(browser: Browser) -> None:
    browser.find("#email").send_keys(EMAIL)
    browser.find("#password").send_keys(PASSWORD)
    browser.find(".door-form button").click()
    browser.find(".desk-nav")


def outside(browser: Browser) -> list[str]:
    """What sticks out of the window or of its own box, but for what is cut on purpose."""
    return list(
        browser.run(
            """const wide = document.documentElement.clientWidth;
               return [...document.querySelectorAll('main *')].filter((one) => {
                 if (!one.checkVisibility() || one.closest('.visually-hidden, svg, .sources thead')) return false;
                 const box = one.getBoundingClientRect();
                 return box.right > wide + 0.5 || box.left < -0.5 || one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0
                   && getComputedStyle(one).display !== 'inline';
               }).map((one) => one.tagName + '.' + one.className + ': ' + one.textContent.trim().slice(0, 40));"""
        )
    )


@pytest.mark.parametrize("language", ["ko", "en"])
def test_nothing_sticks_out(browser: Browser, site: str, desk: Desk, language: str) -> None:
    run = next(run for run in desk.catalog.runs.latest(limit=50) if run.broken)
    for path in ("", "/sources/haru-done", "/sources/gyeol-held", "/sources/daon-half", f"/runs/{run.id}"):
        browser.open(f"{site}/operator{path}?lang={language}")
        for size in (PHONE, DESK):
            browser.resize(*size)
            assert browser.run("return document.documentElement.scrollWidth") <= size[0], (path, size)
            assert outside(browser) == [], (path, size)


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_buttons_and_links_to_press_are_large_enough(browser: Browser, site: str, size: tuple[int, int]) -> None:
    browser.resize(*size)
    browser.open(f"{site}/operator")
    small = browser.run(
        """return [...document.querySelectorAll('main button, .desk-home')].filter((one) => one.checkVisibility()
             && one.getBoundingClientRect().height < 40).map((one) => one.textContent)"""
    )
    assert small == []


@pytest.mark.parametrize("dark", [False, True])
def test_every_state_can_be_read(browser: Browser, site: str, dark: bool) -> None:
    """WCAG 2.2, 1.4.3: small text has a contrast of at least 4.5 to its ground."""
    feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.open(f"{site}/operator")
    worst = browser.run(
        """const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
           const light = (layers) => {
             canvas.clearRect(0, 0, 1, 1);
             for (const layer of layers) { canvas.fillStyle = layer; canvas.fillRect(0, 0, 1, 1); }
             const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((each) => each / 255)
               .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
             return 0.2126 * r + 0.7152 * g + 0.0722 * b;
           };
           const grounds = (one) => {
             const found = [];
             for (let at = one; at; at = at.parentElement) found.unshift(getComputedStyle(at).backgroundColor);
             return found;
           };
           return [...document.querySelectorAll('.pill, .soft, .reason, .errors, .moment, .number, .change')].map((one) => {
             const ground = grounds(one), ink = light([...ground, getComputedStyle(one).color]), paper = light(ground);
             return [(Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05), one.className];
           }).sort((a, b) => a[0] - b[0])[0]"""
    )
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert worst[0] >= 4.5, worst


def test_the_page_stays_true_by_itself(browser: Browser, site: str, desk: Desk) -> None:
    browser.open(f"{site}/operator")
    browser.run("window.still = true; document.querySelector('#list-refresh-areum-new').focus()")
    queue = "return document.getElementById('work').textContent"
    assert "nuri-same" not in browser.run(queue)
    desk.catalog.jobs.put(Job("refresh", "nuri-same"))
    browser.wait(lambda: "nuri-same" in browser.run(queue))
    assert browser.run("return window.still"), "the page was not loaded again"
    assert browser.run("return document.activeElement.id") == "list-refresh-areum-new"
    assert browser.run("return document.querySelectorAll('#work').length") == 1


def test_moments_are_told_by_the_browsers_clock(browser: Browser, site: str) -> None:
    for language, told in (
        ("en", ["now", "3 minutes ago", "1 hour ago", "in 2 days"]),
        ("ko", ["지금", "3분 전", "1시간 전", "2일 후"]),
    ):
        browser.open(f"{site}/operator?lang={language}")
        spans = [0, -180, -3590, 2 * 86400]
        browser.run(
            """const moments = document.querySelectorAll('#sources [data-moment]');
               arguments[0].forEach((span, n) => { moments[n].dateTime = new Date(Date.now() + span * 1000).toISOString(); });""",
            spans,
        )
        first = (
            "return [...document.querySelectorAll('#sources [data-moment]')].slice(0, 4).map((one) => one.textContent)"
        )
        browser.run(
            "const page = await import(document.querySelector('script[src*=\"operator.js\"]').src); page.tellTimes()"
        )
        assert browser.run(first) == told


def test_a_refresh_is_set_going_from_the_page(browser: Browser, site: str, desk: Desk) -> None:
    browser.open(f"{site}/operator")
    browser.find("#list-refresh-haru-done").send_keys(Keys.ENTER)
    assert "haru-done: it is in the queue." in browser.find(".notice").text
    assert Job("refresh", "haru-done") in [one.job for one in desk.catalog.jobs.all()]


def test_what_feeds_say_runs_nothing(browser: Browser, site: str, desk: Desk) -> None:
    browser.run("window.alert = () => { window.alerted = true }")
    for path in ("", "/sources/haru-done"):
        browser.open(f"{site}/operator{path}")
        assert EVIL in browser.find("main").text
        assert not browser.run("return window.alerted")


def test_who_is_logged_out_elsewhere_is_led_to_the_log_in(browser: Browser, site: str, desk: Desk) -> None:
    browser.open(f"{site}/operator/sources/haru-done")
    operator = desk.catalog.accounts.named(EMAIL)
    desk.catalog.accounts.change_password(EMAIL, operator.password_hash + "0")
    browser.find("#password")
    desk.catalog.accounts.change_password(EMAIL, operator.password_hash)
    assert [told for told in browser.complaints() if "401" not in told] == []
    log_in(browser)
    assert browser.driver.current_url == f"{site}/operator/sources/haru-done"


def test_everything_works_without_scripts(site: str, desk: Desk, browser: Browser) -> None:
    browser.forget()
    browser.resize(*PHONE)
    with browser.without_scripts():
        browser.open(f"{site}/operator/sources/gyeol-held?lang=en")
        browser.find("#email").send_keys(EMAIL)
        browser.find("#password").send_keys(PASSWORD)
        browser.find(".door-form button").click()
        browser.find("#accept-gyeol-held").send_keys(Keys.ENTER)
        assert "gyeol-held: it is in the queue." in browser.find(".notice").text
        assert Job("accept", "gyeol-held") in [one.job for one in desk.catalog.jobs.all()]
        browser.find(".desk-nav button").send_keys(Keys.ENTER)
        browser.find("#password")
        assert browser.find(".notice").text == "You are logged out."
