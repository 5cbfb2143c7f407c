"""The page of `show` in a real browser: its slider, its keys, its recordings."""

import io
import re

import numpy as np
import pytest
import soundfile

from s2st_interleave.show.page import page as page_of

browser = pytest.importorskip("browser", reason="selenium is not installed")

pytestmark = pytest.mark.slow
STEPS = range(0, 40, 4)  # of ratios 0.9, 0.8 ... 0


@pytest.fixture
def page(draw, driver, tmp_path):
    """A page with all stops of the schedule and two recordings, shown at the first."""
    words = "mi hermana siempre llama a su amigo por la tarde"
    pictures = [draw(words, "my sister always calls", step=step) for step in STEPS]
    stream = io.BytesIO()
    tone = np.sin(np.arange(24_000) / 9)
    soundfile.write(stream, 0.1 * tone, 16_000, format="WAV")
    out = tmp_path / "page.html"
    out.write_text(page_of(pictures, 0, {"src": stream.getvalue()}))
    return browser.Page(driver, out)


def told(page) -> str:
    """Where the slider is, as it is read out."""
    return page.one("#slider").get_attribute("aria-valuetext")


def shares(page) -> list[float]:
    """The share of words that are text, of each side that is shown."""
    shown = page.one("section:not([hidden]) svg").get_attribute("aria-label")
    return [float(share) for share in re.findall(r"as text \((.*?)\)", shown)]


def test_the_slider_goes_from_much_text_to_none(page):
    assert told(page) == "p = 0.9, step 0" == page.one("#where").text
    assert min(shares(page)) > 0.8
    seen = [shares(page)[0]]
    for _ in range(9):
        page.one("#slider").send_keys("\ue014")  # the arrow to the right
        seen.append(shares(page)[0])
    assert told(page) == "p = 0, step 36" == page.one("#where").text
    assert shares(page) == [0, 0] and len(set(seen)) > 5
    assert len(page.all("section:not([hidden])")) == 1
    assert page.complaints() == [] and page.requests() == []


def test_keys_move_it_from_everywhere_and_stop_at_its_ends(page):
    body = page.one("body")
    body.send_keys("\ue012")  # to the left of the first
    assert told(page) == "p = 0.9, step 0"
    body.send_keys("\ue014\ue014")
    assert told(page) == "p = 0.7, step 8"
    page.one("#slider").send_keys("\ue010")  # End
    assert told(page) == "p = 0, step 36"
    page.one("#slider").send_keys("\ue011")  # Home
    assert told(page) == "p = 0.9, step 0"


def test_the_keyboard_reaches_the_recording_and_the_slider(page):
    reached = []
    for _ in range(2):
        page.driver.switch_to.active_element.send_keys("\ue004")  # Tab
        reached.append(page.driver.switch_to.active_element.tag_name)
    assert "audio" in reached or "input" in reached
    assert page.nameless() == []
    assert page.audio("#slider", "labels")[0].text == "Text ratio"


def test_a_word_is_framed_while_it_is_heard(page):
    page.play("audio")
    page.until(lambda: page.all("section:not([hidden]) .wide .part.now"))
    page.until(lambda: page.audio("audio", "ended"))
    page.until(lambda: not page.all(".now"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(page, scheme):
    page.prefer(scheme)
    for number in (0, 5, 9):
        page.run(
            "slider.value = arguments[0]; slider.dispatchEvent(new Event('input'))",
            number,
        )
        assert page.faint() == []


@pytest.mark.parametrize("width", [390, 320])
def test_a_telephone_has_a_drawing_of_its_own(page, width):
    page.resize(width, 800)
    assert page.overflow() <= 0
    assert page.one("section:not([hidden]) .narrow").is_displayed()
    assert not page.one("section:not([hidden]) .wide").is_displayed()
    assert page.faint() == []


def test_it_is_printed_without_its_controls(page):
    page.prefer("dark", media="print")
    assert not page.one(".control").is_displayed()
    assert page.faint() == []
    page.prefer("dark")
    (words,) = browser.printed_words(page.printed())
    assert words > 20
