"""The SVG holds what the picture says, whatever is in words and ids, within its frame."""

import re
from xml.etree import ElementTree as ET

import pytest

from s2st_interleave.show import time_lines
from s2st_interleave.show.drawing import document
from s2st_interleave.show.picture import Part, Track
from s2st_interleave.show.style import LOOKS

SVG = "{http://www.w3.org/2000/svg}"
LONG = " ".join(["consternación", "a", "electroencefalografista", "de"] * 8)
SCRIPTS = {
    "plain": "la casa roja",
    "markup": """<script>alert(1)</script> "a"&'b' ]]> <b>""",
    "Japanese": "今 日 は、 雨 が 降 る。",
    "Arabic": "شكرا جزيلا لكم",
    "Hebrew": "שלום, עולם!",
    "Thai": "เด็ ก",
    "long": LONG,
    "one word wider than all": "w" * 400,
    "one": "sí",
}


def texts(svg: ET.Element) -> list[str]:
    return [element.text or "" for element in svg.iter(f"{SVG}text")]


@pytest.mark.parametrize("width", [960, 400])
@pytest.mark.parametrize("name", SCRIPTS)
def test_every_word_stands_above_its_units_and_nothing_leaves_the_frame(
    name, width, draw
):
    words = SCRIPTS[name]
    svg = ET.fromstring(document(draw(words, step=17), width))
    parts = [g for g in svg.iter(f"{SVG}g") if g.get("class") == "part"]
    shown = [t for g in parts for t in texts(g) if not t.isdecimal()]
    assert shown == [*words.split(), "the", "red", "house"]
    for rect in svg.iter(f"{SVG}rect"):
        right = float(rect.get("x", 0)) + float(rect.get("width", 0))
        assert float(rect.get("x", 0)) >= 0 and right <= width
    height = float(svg.get("height", 0))
    assert all(0 < float(t.get("y", 0)) < height for t in svg.iter(f"{SVG}text"))
    for text in svg.iter(f"{SVG}text"):
        assert float(text.get("textLength", 0)) < width


def test_a_word_that_is_spoken_fast_is_written_upwards():
    """It was squeezed into five pixels, which nobody reads."""
    parts = [Part("the", 0, 0.04, (1, 2), False), Part("student", 0.04, 1, (3,), False)]
    track = Track("tgt", "en", tuple(parts), 2, 0, 3, 0.0)
    svg = ET.Element("svg")
    time_lines.draw(svg, track, 0, 0, 300, time_lines.Scale(300, 0.02, False))
    fast, slow = (text for text in svg.iter("text") if text.text in ("the", "student"))
    assert "rotate(-90" in fast.get("transform", "") and slow.get("transform") is None
    assert fast.get("textLength") is None and slow.get("textLength") is None


@pytest.mark.parametrize("name", ["Arabic", "Hebrew"])
def test_a_word_from_right_to_left_is_isolated_and_runs_so(name, draw):
    svg = ET.fromstring(document(draw(SCRIPTS[name])))
    for text in svg.iter(f"{SVG}text"):
        is_word = (text.text or "") in SCRIPTS[name].split()
        assert not is_word or text.get("direction") == "rtl"
        assert not is_word or text.get("unicode-bidi") == "isolate"


def test_what_xml_cannot_hold_is_replaced(draw):
    svg = document(draw("la \x00casa\x1b", name="u\x0b\ud800"))
    assert "\ufffdcasa\ufffd" in "".join(texts(ET.fromstring(svg)))


def test_it_has_a_title_and_says_all_in_words(draw):
    shown = draw(step=17)
    svg = ET.fromstring(document(shown))
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == "s2st-title s2st-about"
    title, about = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
    assert title is not None and title.text == "Utterance u1 at step 17"
    assert about is not None and about.text == shown.about
    assert "of 3 words as text" in shown.about


def test_nothing_is_loaded_and_programs_without_style_sheets_have_colours(draw):
    text = document(draw())
    assert not re.search(r"(href|src|url)\s*[=(]|@import|<script", text)
    for element in ET.fromstring(text).iter():
        look = LOOKS.get(element.get("class", ""))
        for key, (light, _) in (look or {}).items():
            assert element.get(key) in (light, "none")


def test_it_is_the_same_bytes_each_time(draw):
    assert document(draw()) == document(draw())


def test_lines_hold_all_parts_in_order_each_within_its_room(draw):
    (track, _) = draw(LONG).tracks
    for room in (350.0, 900.0):
        scale = time_lines.scale_of([track], room)
        lines = time_lines.lines(track, scale, room)
        units = [u for line in lines for p in line.parts for u in p.units]
        assert units == [u for part in track.parts for u in part.units]
        words = [p.word for line in lines for p in line.parts if p.word]
        assert words == LONG.split()
        for line in lines:
            assert (line.end_sec - line.start_sec) * scale.px_per_sec <= room + 0.5


def contrast(first: str, second: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [
            c / 12.92 if c <= 0.04 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted(map(luminance, (first, second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize(
    ("letters", "ground"),
    [
        ("ink", "paper"),
        ("dim", "paper"),
        ("ink", "word"),
        ("ink", "plain"),
        ("on_text", "text"),
        ("learned_ink", "paper"),
        *(("number", f"unit{k}") for k in range(4)),
    ],
)
def test_letters_can_be_read(letters, ground, theme):
    """At least 4.5 to 1, as WCAG 2.1 asks for."""
    colours = [LOOKS[name]["fill"][theme] for name in (letters, ground)]
    assert contrast(*colours) >= 4.5
