"""The page in a real browser: files and recordings in, texts and sound out."""

import time
from pathlib import Path

import pytest
from serving import WAIT_SEC, running, until

from s2st_interleave.pack.said import Said
from s2st_interleave.serve.limits import Limits
from s2st_interleave.serve.models import Model

browser = pytest.importorskip("browser", reason="selenium is not installed")

pytestmark = pytest.mark.slow
TEXTS = ".answer:nth-child({}) .{} .words"


@pytest.fixture(scope="module")
def models(translator):
    return [Model("baseline", translator), Model("scheduled", translator)]


@pytest.fixture(scope="module")
def two(models):
    with running(models) as place:
        yield place


@pytest.fixture
def page(two, driver):
    return opened(driver, two.url)


def opened(driver, url: str):
    page = browser.Page(driver, url)
    page.until(lambda: page.one("#record").is_enabled())
    return page


def upload(page, path: Path) -> None:
    """Choose a file, and wait for the answer or a sentence that there is none."""
    page.one("#file").send_keys(str(path))
    page.until(lambda: page.one("#file").is_enabled())


def status(page) -> str:
    return page.one("#status").text


def test_a_file_is_translated_and_all_sounds_play(page, translator, speech, tmp_path):
    recording = tmp_path / "a recording.flac"
    recording.write_bytes(speech(1.5, form="FLAC"))
    said = translator(recording)
    upload(page, recording)
    assert page.one("#about").text == "Spanish to English · baseline, scheduled"
    assert page.texts(".model") == ["baseline", "scheduled"]
    for number in (1, 2):
        assert page.texts(TEXTS.format(number, "heard")) == [shown(said.transcript)]
        assert page.texts(TEXTS.format(number, "said")) == [shown(said.translation)]
    lengths = {
        "#source-audio": 1.5,
        ".answer:nth-child(1) audio": said.seconds,
        ".answer:nth-child(2) audio": said.seconds,
    }
    for sound, seconds in lengths.items():
        assert page.audio(sound, "duration") == pytest.approx(seconds, abs=0.01)
        hear(page, sound)
    assert page.audio("#source-audio", "paused")  # one sound at a time
    assert page.complaints() == []


def test_it_is_read_in_light_in_dark_and_on_a_telephone(page, speech, tmp_path):
    recording = tmp_path / "in.wav"
    recording.write_bytes(speech(1.5))
    upload(page, recording)
    assert page.nameless() == []
    for scheme in ("light", "dark"):
        page.prefer(scheme)
        assert page.faint() == []
    page.resize(*browser.NARROW)
    assert page.overflow() <= 0


def hear(page, sound: str) -> None:
    """Play a sound until it has gone on, and a word is lit or it has ended."""
    page.play(sound)
    page.until(lambda: page.audio(sound, "currentTime") > 0.1)
    page.until(lambda: page.all(".now") or page.audio(sound, "ended"))


def shown(text: str) -> str:
    """A text as a browser shows it: runs of spaces are one."""
    return " ".join(text.split())


def test_a_word_is_heard_alone_when_it_is_pressed(page, speech, tmp_path):
    """No keyboard reached it, and all that followed was played as well."""
    recording = tmp_path / "in.wav"
    recording.write_bytes(speech(1.5))
    upload(page, recording)
    word = page.one(".heard .words button")
    start, end = (float(word.get_attribute("title").split()[k]) for k in (0, 2))
    word.send_keys(" ")  # by the keyboard
    page.until(lambda: page.audio("#source-audio", "currentTime") >= end - 0.01)
    page.until(lambda: page.audio("#source-audio", "paused"))
    assert 0.1 < start < end < page.audio("#source-audio", "currentTime") + 0.01
    assert page.audio("#source-audio", "currentTime") < end + 0.2 < 1.5
    word.click()
    page.until(lambda: page.audio("#source-audio", "currentTime") < end)


def test_silence_is_told_and_the_last_answer_stays(page, speech, tmp_path):
    """It was gone without a word."""
    good, bad = tmp_path / "good.wav", tmp_path / "bad.wav"
    good.write_bytes(speech(0.6))
    bad.write_bytes(speech(1.0, 0.0))
    upload(page, good)
    assert status(page) == "" and len(page.all(".answer")) == 2
    upload(page, bad)
    assert "silent: its level is -120.0 dBFS" in status(page)
    assert not page.one("#again").is_displayed()
    assert len(page.all(".answer")) == 2 and page.one("#source").is_displayed()
    assert page.one("#earlier").text == "What stands below is of an earlier recording."
    upload(page, good)
    assert len(page.all(".answer")) == 2 and not page.one("#earlier").is_displayed()


def test_remarks_stand_above_the_answer(page, speech, tmp_path, monkeypatch):
    """That an answer may be made up stood in faint letters below its player."""
    monkeypatch.setattr(Said, "doubt", "the answer may be made up")
    recording = tmp_path / "in.wav"
    recording.write_bytes(speech(1.5))
    upload(page, recording)
    remarks = page.one(".answer .remarks")
    assert remarks.text.endswith("the answer may be made up")
    assert remarks.location["y"] < page.one(".answer .heard").location["y"]


def test_what_an_upload_holds_is_shown_as_text(page, tmp_path):
    trap = tmp_path / "<img src=x>.wav"
    trap.write_text("<img src=x onerror=document.title='caught'>")
    upload(page, trap)
    assert "it is text: '<img src=x" in status(page)
    assert page.all("img") == [] and page.driver.title == "Speech translation"


def test_a_file_that_is_too_large_is_not_sent(page, tmp_path):
    large = tmp_path / "large.wav"
    large.write_bytes(bytes(16_000_001))
    upload(page, large)
    assert status(page) == "The file is larger than 16 MB, the most that is taken."


def test_what_the_microphone_hears_is_translated(page):
    page.one("#record").click()
    page.until(lambda: page.one("#record-text").text == "Stop")
    assert not page.one("#file").is_enabled()
    time.sleep(1.0)  # of speech
    page.one("#record").click()
    page.until(lambda: page.all(".answer") or page.one(".error"))
    assert status(page) == "" and len(page.all(".answer")) == 2
    assert page.audio("#source-audio", "duration") > 0.5
    assert page.one("#record-text").text == "Record"
    assert page.complaints() == []


def test_a_busy_server_is_told_and_asked_again(driver, held, speech, tmp_path):
    recording = tmp_path / "in.wav"
    recording.write_bytes(speech(0.6))
    with running([Model("a", held)], Limits(queue=1)) as place:
        waits = [place.begin(speech(0.5))]
        assert held.busy.wait(WAIT_SEC)
        waits.append(place.begin(speech(0.7)))
        until(lambda: place.worker.num_waiting == 1)
        page = opened(driver, place.url)
        upload(page, recording)
        assert status(page).startswith("Too many recordings wait already: please try")
        held.go.set()
        assert [wait().status for wait in waits] == [200, 200]
        page.one("#again").click()
        page.until(lambda: page.all(".answer"))
    upload(page, recording)
    assert status(page) == "The server cannot be reached: is it running?"
