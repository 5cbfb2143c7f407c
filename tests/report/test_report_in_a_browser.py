"""The report in a real browser: read, played, printed, in the dark, on a telephone."""

import pytest
from tiny_report import options

from s2st_interleave.report import command

browser = pytest.importorskip("browser", reason="selenium is not installed")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def written(recipe, tmp_path_factory):
    out = tmp_path_factory.mktemp("a page") / "report.html"
    command.run(options(recipe, out=out, title="Tiny"))
    return out


@pytest.fixture
def page(written, driver):
    return browser.Page(driver, written)


def test_it_shows_tables_and_curves_without_asking_anybody(page):
    assert page.driver.title == "Tiny · report"
    assert len(page.all("table")) >= 4 and page.all("table")[0].is_displayed()
    lines = page.all(".chart .line")
    assert lines and all(line.size["width"] > 10 for line in lines)
    seen = "return [...document.images].every((i) => i.complete && i.naturalWidth > 9)"
    assert page.all(".seen img") and page.run(seen)
    assert page.complaints() == [] and page.requests() == []


def test_a_recording_plays_to_its_end_and_a_line_runs_with_it(page):
    page.play("audio")
    page.until(lambda: page.audio("audio", "currentTime") > 0.1)
    now = page.one(".now")
    assert now.is_displayed() and float(now.get_attribute("style").split()[-1][:-2]) > 0
    page.until(lambda: page.audio("audio", "ended"))
    assert page.audio("audio", "duration") == pytest.approx(1.2, abs=0.15)


def test_one_recording_plays_at_a_time_and_a_word_plays_to_its_border(page):
    """The end of the word was forgotten as the other recording stopped."""
    other = "#example-1 .track:nth-child(2) audio"
    page.play(other)
    page.until(lambda: page.audio(other, "currentTime") > 0)
    word = page.one("#example-1 .word:nth-child(2)")
    start, end = (float(word.get_attribute(f"data-{k}")) for k in ("start", "end"))
    word.send_keys(" ")  # by the keyboard
    sound = "#example-1 audio"
    page.until(lambda: page.audio(sound, "currentTime") >= end)
    page.until(lambda: page.audio(sound, "paused"))
    assert 0 < start < end < page.audio(sound, "duration")
    assert page.audio(sound, "currentTime") < end + 0.2
    assert page.audio(other, "paused")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_and_all_that_is_used_has_a_name(page, scheme):
    page.prefer(scheme)
    ground = page.run("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(1, 4, 9)") == (scheme == "dark")
    assert page.faint() == [] and page.nameless() == []


@pytest.mark.parametrize("width", [390, 320])
def test_a_telephone_scrolls_it_downwards_alone(page, width):
    page.resize(width, 800)
    assert page.overflow() <= 0
    assert page.all(".scroll")  # wide tables scroll by themselves


@pytest.mark.parametrize("width", [1280, 390])
def test_no_word_below_a_spectrogram_is_cut(page, width):
    """A word that was spoken in a tenth of a second had room for two letters."""
    page.resize(width, 800)
    cut = """
    const cut = [];
    for (const words of document.querySelectorAll(".words")) {
      const boxes = [...words.children].map((word) => word.getBoundingClientRect());
      const end = words.getBoundingClientRect().right;
      [...words.children].forEach((word, k) => {
        const room = boxes[k + 2]?.left ?? end;
        const is_over = boxes[k].right > room + 1 || word.scrollWidth > word.clientWidth;
        if (is_over) cut.push(word.textContent);
      });
    }
    return cut;
    """
    assert page.all(".word") and page.run(cut) == []


def test_it_is_printed_in_light_colours_without_what_paper_cannot_do(page):
    page.prefer("dark", media="print")
    ground = page.run("return getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)" and page.faint() == []
    assert not any(e.is_displayed() for e in page.all("audio, nav"))
    page.prefer("dark")
    words = browser.printed_words(page.printed())
    assert len(words) > 1 and all(count > 5 for count in words)
