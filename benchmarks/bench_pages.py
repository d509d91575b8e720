"""What the pages weigh, and how soon a photo's first product is on the screen, in a real headless Chromium.

    PYTHONPATH=tests python benchmarks/bench_pages.py http://127.0.0.1:8000 [--times 5] [--write]

The server is ``mapsi demo`` with MAPSI_IMAGE_RATE at "100000 per minute". Weights are kB (1,000 bytes) as sent, without
headers, for a browser that has kept none of it; pictures are left out. The time is that from the click on one of our
drawings to the first picture of a product that is loaded and in the window; the browser has kept what the front page
brought, such as scripts and styles, and no more. The layout shift is that of the answer until half a second after it
has loaded. ``--write`` puts all of it into docs/web.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from figures import put_figures

from chromium import Browser, open_browser
from mapsi.cores import cores

PAGE = Path(__file__).parents[1] / "docs" / "web.md"
WINDOWS = ((390, 844), (1280, 800))
"""A phone and a desk, in CSS pixels."""
_WEIGHT = """
const [page] = performance.getEntriesByType("navigation");
const files = performance.getEntriesByType("resource").filter((one) => /\\.(js|css)$/.test(new URL(one.name).pathname));
return [page.encodedBodySize, files.reduce((sum, one) => sum + one.encodedBodySize, 0), page.decodedBodySize];
"""
_WATCH = """
window.moved = 0;
new PerformanceObserver((list) => list.getEntries().forEach((one) => { window.moved += one.value; }))
  .observe({ type: "layout-shift", buffered: true });
const look = () => {
  const picture = location.pathname.startsWith("/photo/") && document.querySelector("#look-photo")
    && document.querySelector(".product-picture img");
  const seen = picture && picture.complete && picture.naturalWidth && picture.getBoundingClientRect().top < innerHeight;
  if (seen) window.firstProduct = Date.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
"""Run in every page from its beginning: the moment of the first product's picture. ``#look-photo`` is the answer's own,
so that no product of the page before is taken for one."""


class Weight(NamedTuple):
    """kB of a page as sent, of its scripts and styles as sent, and of the page unpacked."""

    page: float
    files: float
    unpacked: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="where the server is, such as http://127.0.0.1:8000")
    parser.add_argument("--times", type=int, default=5, help="searches of which the median is told")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/web.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as profile, open_browser(Path(profile)) as browser:
        told = measure(browser, given.address.rstrip("/"), given.times)
    print(told)
    if given.write:
        put_figures(PAGE, "pages", told)


def measure(browser: Browser, address: str, times: int) -> str:
    """The figures, as docs/web.md has them."""
    browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _WATCH})
    browser.resize(*WINDOWS[0])
    search(browser, address)
    answer = browser.run("return location.href")
    pages = {
        "front page": f"{address}/",
        "words, 24 products": f"{address}/search?q=shirt",
        "answer to a photo": answer,
    }
    rows = [row(name, weigh(browser, page)) for name, page in pages.items()]
    waits, moves = zip(*(wait(browser, address, window, times) for window in WINDOWS), strict=True)
    head = ("| kB | page | scripts and styles | together | page unpacked |", "|---|---|---|---|---|")
    machine = f"{cores()} cores, load average {os.getloadavg()[0]:.0f}"
    seen = [(width, waited, moved) for (width, _), waited, moved in zip(WINDOWS, waits, moves, strict=True)]
    return "\n".join(
        [
            f"The sample shop, {datetime.now(UTC):%Y-%m-%d}, {machine}.",
            "",
            *head,
            *rows,
            "",
            "| from choosing a drawing | first product's picture on the screen | layout shift |",
            "|---|---|---|",
            *(f"| at {width} px | {waited:.2f} s | {moved:.3f} |" for width, waited, moved in seen),
            "",
            f"Medians of {times}.",
            "",
        ]
    )


def row(name: str, weight: Weight) -> str:
    together = weight.page + weight.files
    return f"| {name} | {weight.page:.0f} | {weight.files:.0f} | {together:.0f} | {weight.unpacked:.0f} |"


def weigh(browser: Browser, page: str) -> Weight:
    """What ``page`` weighs. What a service worker hands on has the weight it has unpacked, so it is left aside."""
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.setBypassServiceWorker", {"bypass": True})
    browser.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    browser.open(page)
    browser.driver.execute_cdp_cmd("Network.setBypassServiceWorker", {"bypass": False})
    return Weight(*(size / 1000 for size in browser.run(_WEIGHT)))


def wait(browser: Browser, address: str, window: tuple[int, int], times: int) -> tuple[float, float]:
    """Seconds from the click to the picture, and the layout shift of the answer: medians."""
    browser.resize(*window)
    searches = [(search(browser, address, number), settled(browser)) for number in range(times)]
    seconds, moved = zip(*searches, strict=True)
    return statistics.median(seconds), statistics.median(moved)


def search(browser: Browser, address: str, number: int = 0) -> float:
    """Choose one of our drawings on the front page, with nothing kept but what that page brings; seconds to the first
    picture of a product."""
    browser.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    browser.open(f"{address}/")
    click = "const all = document.querySelectorAll('.example'); all[arguments[0] % all.length].click();"
    begun = browser.run(f"const now = Date.now(); {click} return now", number)
    shown = browser.wait(lambda: browser.run("return window.firstProduct"))
    return float(shown - begun) / 1000


def settled(browser: Browser) -> float:
    """The layout shift of the page there is, half a second after it has loaded."""
    browser.wait(lambda: browser.run("return document.readyState") == "complete")
    return float(browser.driver.execute_async_script("setTimeout(() => arguments[0](window.moved), 500)"))


if __name__ == "__main__":
    main()
