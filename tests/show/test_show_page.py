"""The page holds a picture for each stop, needs no network, and escapes all it is given."""

import base64
from html.parser import HTMLParser

import pytest

from s2st_interleave.show.page import page

NASTY = """u<img src=x onerror=alert(1)>"'&</title></script>"""


class Elements(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.starts: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.starts.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.starts if name == tag]


@pytest.fixture
def pictures(draw):
    words = "<b>la</b> שלום 今日"
    return [draw(words, name=NASTY, step=step) for step in (2, 9, 39)]


def test_it_has_a_stop_for_each_picture_and_shows_the_one_asked_for(pictures):
    elements = Elements(page(pictures, 1))
    sections = elements.named("section")
    assert [s["data-step"] for s in sections] == ["2", "9", "39"]
    assert ["hidden" in s for s in sections] == [True, False, True]
    (slider,) = (i for i in elements.named("input") if i["type"] == "range")
    assert (slider["min"], slider["max"], slider["value"]) == ("0", "2", "1")
    assert len(elements.named("svg")) == 6  # wide and narrow


def test_what_it_is_given_becomes_no_element(pictures):
    sounds = {"src": b"RIFF", '"><i>': b"RIFF"}
    elements = Elements(page(pictures, 0, sounds))
    assert not elements.named("img") and not elements.named("b")
    assert not elements.named("i") and len(elements.named("script")) == 1


def test_nothing_is_fetched(pictures):
    text = page(pictures, 0, {"src": b"RIFF"})
    (policy,) = (
        m["content"] for m in Elements(text).named("meta") if "http-equiv" in m
    )
    assert policy and policy.startswith("default-src 'none'")
    assert "@import" not in text and "url(" not in text and "href" not in text
    addresses = [each for each in text.split('"') if "://" in each]
    assert set(addresses) == {"http://www.w3.org/2000/svg"}


def test_recordings_are_within_the_page(pictures):
    elements = Elements(page(pictures, 0, {"src": b"RIFF 1", "tgt": b"RIFF 2"}))
    audio = elements.named("audio")
    assert [a["data-side"] for a in audio] == ["src", "tgt"]
    data = [str(a["src"]).partition("base64,")[2] for a in audio]
    assert [base64.b64decode(d) for d in data] == [b"RIFF 1", b"RIFF 2"]
    assert not Elements(page(pictures, 0)).named("audio")
