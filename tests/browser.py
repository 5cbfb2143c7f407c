"""Chromium without a window, and a page in it, as its readers see and use it."""

import base64
import json
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

WAIT_SEC = 120  # of a machine with much else to do
WIDE, NARROW = (1000, 900), (390, 844)
LEAST_CONTRAST = 4.5  # of WCAG, level AA
# Each text that is seen and has less contrast with what is painted below it. In a drawing
# that is the last shape before the text in which the middle of the text lies.
FAINT = """
const numbers = (css) => (css.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const light = (rgb) => {
  const [r, g, b] = rgb.slice(0, 3).map((x) => x / 255)
    .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const opaque = (css) => css !== "none" && (numbers(css)[3] ?? 1) > 0.9;
const ground = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const colour = getComputedStyle(each).backgroundColor;
    if (opaque(colour)) return numbers(colour);
  }
  return [255, 255, 255];
};
const shapes = (svg) => [...svg.querySelectorAll("rect, path, circle, text")]
  .map((shape) => ({ shape, box: shape.getBoundingClientRect() }));
const painted = (text, box, all) => {
  const x = box.x + box.width / 2, y = box.y + box.height / 2;
  let below = null;
  for (const { shape, box: of } of all) {
    if (shape === text) break;
    if (x < of.left || x > of.right || y < of.top || y > of.bottom) continue;
    if (shape.tagName === "text" || !opaque(getComputedStyle(shape).fill)) continue;
    const at = new DOMPoint(x, y).matrixTransform(shape.getScreenCTM().inverse());
    if (shape.isPointInFill(at)) below = shape;
  }
  return below ? numbers(getComputedStyle(below).fill) : ground(text);
};
const drawn = new Map();
const faint = [];
for (const element of document.body.querySelectorAll("*")) {
  const own = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data);
  const said = own.join("").trim();
  const box = element.getBoundingClientRect();
  if (!said || !box.width || !box.height || box.right < 0) continue;
  if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
  const style = getComputedStyle(element);
  const svg = element.ownerSVGElement;
  if (element.tagName === "SCRIPT" || (svg && element.tagName !== "text")) continue;
  if (svg && !drawn.has(svg)) drawn.set(svg, shapes(svg));
  const pair = [numbers(svg ? style.fill : style.color),
    svg ? painted(element, box, drawn.get(svg)) : ground(element)].map(light);
  const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  if (contrast < arguments[0]) faint.push(`${said.slice(0, 40)}: ${contrast.toFixed(2)}`);
}
return faint;
"""
# What a reader can use or listen to, and thus must be able to name.
USED = {"button", "slider", "link", "Audio", "textbox", "checkbox", "image", "region"}


def missing() -> str:
    """The reason why there is no browser here; "" where there is one."""
    programs = ("chromium", "chromedriver")
    lacks = [name for name in programs if shutil.which(name) is None]
    return (
        f"{' and '.join(lacks)}: not here, tools/setup.sh --chromium" if lacks else ""
    )


@contextmanager
def chromium(*words: str) -> Iterator[webdriver.Chrome]:
    """A browser, with more words on its command line; it logs what its pages do."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    flags = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--lang=en"]
    for word in [*flags, "--hide-scrollbars", *words]:
        options.add_argument(word)
    logs = {"browser": "ALL", "performance": "ALL"}
    options.set_capability("goog:loggingPrefs", logs)
    service = webdriver.ChromeService(str(shutil.which("chromedriver")))
    driver = webdriver.Chrome(options, service)
    driver.set_script_timeout(WAIT_SEC)
    try:
        yield driver
    finally:
        driver.quit()


class Page:
    """A page, opened in a browser: light, and wide."""

    def __init__(self, driver: webdriver.Chrome, url: str | Path):
        self.driver = driver
        self.url = url.as_uri() if isinstance(url, Path) else url
        self.resize(*WIDE)
        self.prefer("light")
        driver.get("about:blank")
        self.complaints(), self.requests()  # those about pages before this one
        driver.get(self.url)

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def until(self, condition: Any) -> Any:
        """Wait until `condition` is true, and return it; an error after WAIT_SEC."""
        return WebDriverWait(self.driver, WAIT_SEC, 0.05).until(lambda _: condition())

    def texts(self, selector: str) -> list[str]:
        return [element.text for element in self.all(selector)]

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def audio(self, selector: str, name: str) -> Any:
        """A property of the sound that `selector` finds."""
        script = "return document.querySelector(arguments[0])[arguments[1]]"
        return self.run(script, selector, name)

    def play(self, selector: str) -> None:
        """Press the button of a player, which is drawn by the browser: by its key."""
        self.one(selector).send_keys(" ")

    def complaints(self) -> list[str]:
        """What the browser logged about the page: errors, and breaches of its policy."""
        entries = self.driver.get_log("browser")
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]

    def requests(self) -> list[str]:
        """What was fetched since the last call, but for the page and what lies in it."""
        entries = self.driver.get_log("performance")
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        urls = [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]
        return [
            u for u in urls if u != self.url and not u.startswith(("data:", "about:"))
        ]

    def faint(self) -> list[str]:
        """Texts that can hardly be read on what lies below them, with their contrast."""
        return self.run(FAINT, LEAST_CONTRAST)

    def nameless(self) -> list[str]:
        """Roles of what can be used and has no name for who listens to the page."""
        self.driver.execute_cdp_cmd("Accessibility.enable", {})
        nodes = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        return [
            node["role"]["value"]
            for node in nodes
            if node.get("role", {}).get("value") in USED
            and not node.get("name", {}).get("value")
            and not node["ignored"]
        ]

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return self.run("return document.documentElement.scrollWidth - innerWidth")

    def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height}
        size |= {"deviceScaleFactor": 2, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def prefer(self, scheme: str, media: str = "") -> None:
        """Light or dark, on a screen or as `print` has it."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": features, "media": media}
        )

    def picture(self, path: Path, height: int = 0) -> None:
        """A PNG of what the page holds, or of its first `height` pixels below the scroll."""
        width = self.run("return innerWidth")
        self.resize(width, height or self.run("return document.body.scrollHeight"))
        path.parent.mkdir(parents=True, exist_ok=True)
        assert self.driver.save_screenshot(str(path))

    def printed(self) -> bytes:
        """The page as PDF."""
        made = self.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
        return base64.b64decode(made["data"])


def printed_words(pdf: bytes) -> list[int]:
    """How many runs of text each page of a PDF has."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    counts = []
    for stream in streams:
        try:
            content = zlib.decompress(stream)
        except zlib.error:
            continue
        if b"BT" in content and b"ET" in content:
            counts.append(len(re.findall(rb"\bT[jJ]\b", content)))
    return counts
