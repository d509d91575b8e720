"""Take the pictures of the manual from a running server.

    python docs/pictures/take.py http://127.0.0.1:8000 PHOTO

Opens the pages in a headless Chromium and writes home-390.png, result-390.png and result-1280.png (in Korean and by
day) beside this file, and window-390.webp, window-768.webp and window-1280.webp: the front page, the answer to the
photo and a search by words from above, in Korean by day and by night and in English by day and by night from the left.
PHOTO is seen in them: take one that may be shown, such as a drawing of ours.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

HERE = Path(__file__).parent
WAYS = (("ko", "light"), ("ko", "dark"), ("en", "light"), ("en", "dark"))
COLOURS = 255
"""A palette keeps each picture well under 300 kB, and clothes on plain grounds lose nothing that is seen."""


@dataclass(frozen=True)
class Window:
    """Sizes in CSS pixels; ``scale`` is how many pixels of the picture one of them becomes."""

    width: int
    height: int
    scale: float


PHONE = Window(390, 844, 2)
DESK = Window(1280, 960, 1)
SHEETS = (Window(390, 844, 1), Window(768, 1024, 1), Window(1280, 800, 1))
SHEET_WIDTH = 1600
"""A sheet in pixels: four windows beside each other."""
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars")


def main() -> None:
    parser = argparse.ArgumentParser(description="Take the pictures of the manual from a running server.")
    parser.add_argument("address", help="where the server is, such as http://127.0.0.1:8000")
    parser.add_argument("photo", type=Path, help="a photo of clothes to search with")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as profile:
        driver = start_chromium(profile)
        try:
            take_all(driver, given.address.rstrip("/"), given.photo.resolve(strict=True))
        finally:
            driver.quit()


def start_chromium(profile: str) -> Chrome:
    options = ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    return Chrome(options=options, service=Service(shutil.which("chromedriver")))


def take_all(driver: Chrome, address: str, photo: Path) -> None:
    resize(driver, PHONE)
    driver.get(f"{address}/?lang=ko")
    take(driver, "home-390")
    driver.find_element(By.ID, "photo-home").send_keys(str(photo))
    WebDriverWait(driver, 60).until(lambda _: "/photo/" in driver.current_url)
    take(driver, "result-390")
    resize(driver, DESK)
    driver.refresh()
    take(driver, "result-1280")
    answer = driver.current_url.partition("?")[0]
    for window in SHEETS:
        resize(driver, window)
        take_sheet(driver, (f"{address}/", answer, f"{address}/search?q=shirt"), f"window-{window.width}")


def take_sheet(driver: Chrome, pages: tuple[str, ...], name: str) -> None:
    rows = [[shoot(driver, page, language, light) for language, light in WAYS] for page in pages]
    width, height = rows[0][0].size
    sheet = Image.new("RGB", (width * len(WAYS), height * len(rows)))
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            sheet.paste(picture, (x * width, y * height))
    sheet.thumbnail((SHEET_WIDTH, SHEET_WIDTH * 4), Image.Resampling.LANCZOS)
    sheet.save(HERE / f"{name}.webp", quality=80, method=6)


def shoot(driver: Chrome, page: str, language: str, light: str) -> Image.Image:
    feature = {"features": [{"name": "prefers-color-scheme", "value": light}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
    driver.get(f"{page}{'&' if '?' in page else '?'}lang={language}")
    wait_for_pictures(driver)
    return Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")


def resize(driver: Chrome, window: Window) -> None:
    phone = window.width < 600
    metrics = {"width": window.width, "height": window.height, "deviceScaleFactor": window.scale, "mobile": phone}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": phone})


def wait_for_pictures(driver: Chrome) -> None:
    seen = "return [...document.images].filter((one) => one.loading !== 'lazy').every((one) => one.complete)"
    WebDriverWait(driver, 60).until(lambda _: driver.execute_script(seen))


def take(driver: Chrome, name: str) -> None:
    wait_for_pictures(driver)
    picture = Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT).save(HERE / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
