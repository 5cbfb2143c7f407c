"""Chromium without a window, and the page of `serve` in it.

Pictures for the docs, of a server that runs:

python tests/serve/chromium_page.py http://127.0.0.1:8000 in.wav docs/pictures
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

WAIT_SEC = 120  # of a machine with much else to do
# So that a word is lit in the pictures.
SLOWLY = "for (const e of document.querySelectorAll('audio')) e.playbackRate = 0.07"
WIDE, NARROW = (1000, 900), (390, 1000)


def missing() -> str:
    """The reason why there is no browser here; "" where there is one."""
    programs = ("chromium", "chromedriver")
    lacks = [name for name in programs if shutil.which(name) is None]
    return (
        f"{' and '.join(lacks)}: not here, tools/setup.sh --chromium" if lacks else ""
    )


@contextmanager
def chromium(*words: str) -> Iterator[webdriver.Chrome]:
    """A browser, with more words on its command line; it logs what its pages report."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    flags = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--lang=en"]
    for word in [*flags, "--hide-scrollbars", *words]:
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(str(shutil.which("chromedriver")))
    driver = webdriver.Chrome(options, service)
    try:
        yield driver
    finally:
        driver.quit()


class Page:
    """The page of `serve`, opened in a browser."""

    def __init__(self, driver: webdriver.Chrome, url: str):
        self.driver = driver
        self.resize(*WIDE)
        self.complaints()  # about pages before this one
        driver.get(url)
        self.until(lambda: self.one("#record").is_enabled())

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def until(self, condition: Any) -> Any:
        """Wait until `condition` is true, and return it; an error after WAIT_SEC."""
        return WebDriverWait(self.driver, WAIT_SEC, 0.05).until(lambda _: condition())

    def upload(self, path: Path) -> None:
        """Choose a file, and wait for the answer or a sentence that there is none."""
        self.one("#file").send_keys(str(path))
        self.settle()

    def settle(self) -> None:
        self.until(lambda: self.one("#file").is_enabled())

    @property
    def status(self) -> str:
        return self.one("#status").text

    def texts(self, selector: str) -> list[str]:
        return [element.text for element in self.all(selector)]

    def audio(self, selector: str, name: str) -> Any:
        """A property of the sound that `selector` finds."""
        script = "return document.querySelector(arguments[0])[arguments[1]]"
        return self.driver.execute_script(script, selector, name)

    def play(self, selector: str) -> None:
        """Press the button of a player, which is drawn by the browser: by its key."""
        self.one(selector).send_keys(" ")

    def complaints(self) -> list[str]:
        """What the browser logged about the page: errors, and breaches of its policy."""
        entries = self.driver.get_log("browser")
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]

    def resize(self, width: int, height: int) -> None:
        size = {
            "width": width,
            "height": height,
            "deviceScaleFactor": 2,
            "mobile": False,
        }
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def prefer(self, scheme: str) -> None:
        """Light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": features}
        )

    def picture(self, path: Path) -> None:
        """A PNG of what the page holds, and no more."""
        height = self.driver.execute_script("return document.body.scrollHeight")
        width = self.driver.execute_script("return innerWidth")
        self.resize(width, height)
        path.parent.mkdir(parents=True, exist_ok=True)
        assert self.driver.save_screenshot(str(path))

    def pictures(self, folder: Path) -> None:
        """Light, dark, narrow."""
        for name, size, scheme in (
            ("serve_dark", WIDE, "dark"),
            ("serve_narrow", NARROW, "light"),
            ("serve", WIDE, "light"),
        ):
            self.resize(*size)
            self.prefer(scheme)
            self.picture(folder / f"{name}.png")


def main(url: str, recording: str, folder: str) -> None:
    with chromium() as driver:
        page = Page(driver, url)
        page.upload(Path(recording).resolve())
        driver.execute_script(SLOWLY)
        page.play(".answer:last-child audio")
        page.until(lambda: page.all(".now"))
        page.pictures(Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
