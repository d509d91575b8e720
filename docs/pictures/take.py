"""Take the pictures of the manual from a running server.

    python docs/pictures/take.py http://127.0.0.1:8000 PHOTO

Opens the pages in a headless Chromium, in Korean and by day, and writes home-390.png, result-390.png and
result-1280.png beside this file. PHOTO is seen in them: take one that may be shown, such as a picture of the sample shop.
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
    driver.find_element(By.ID, "photo").send_keys(str(photo))
    WebDriverWait(driver, 60).until(lambda _: "/photo/" in driver.current_url)
    take(driver, "result-390")
    resize(driver, DESK)
    driver.refresh()
    take(driver, "result-1280")


def resize(driver: Chrome, window: Window) -> None:
    phone = window.width < 600
    metrics = {"width": window.width, "height": window.height, "deviceScaleFactor": window.scale, "mobile": phone}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": phone})


def take(driver: Chrome, name: str) -> None:
    seen = "return [...document.images].filter((one) => one.loading !== 'lazy').every((one) => one.complete)"
    WebDriverWait(driver, 60).until(lambda _: driver.execute_script(seen))
    picture = Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT).save(HERE / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
