"""A picture as text fits the width, with colours or without."""

import re

import pytest

from s2st_interleave.show.glyphs import columns
from s2st_interleave.show.terminal import drawing

LONG = " ".join(["consternación", "a", "electroencefalografista"] * 6)
CODE = re.compile("\x1b\\[[0-9;]*m")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
@pytest.mark.parametrize(
    "words", ["la casa roja", LONG, "今 日 は 雨 が 降 る", "x" * 300]
)
def test_no_line_is_wider_than_the_terminal(width, words, draw):
    text = drawing(draw(words, words, name="id" * 60), width, has_color=False)
    assert max(map(columns, text.splitlines())) <= width
    assert "\x1b" not in text


def test_colours_change_no_letter(draw):
    shown = draw()
    plain = drawing(shown, 80, has_color=False)
    coloured = drawing(shown, 80, has_color=True)
    assert "\x1b[" in coloured and CODE.sub("", coloured) == plain


def test_words_times_text_units_and_counts_are_there(draw):
    shown = draw(step=17)
    text = drawing(shown, 100, has_color=False)
    for word in ("la", "casa", "roja", "the", "red", "house", "0.04", "source (es)"):
        assert word in text
    assert f"p = {shown.ratio:g}" in text and "step 17 of 40" in text
    assert shown.counts in text and "═" in text and "▪" in text
    assert text.count("┃") == 4 and text.count("│") == 2  # a legend has one of each


def test_control_characters_reach_no_terminal(draw):
    shown = draw("la \x1b[31mcasa", name="u\x1b]0;x\x07")
    assert "\x1b" not in drawing(shown, 80, has_color=False)


def test_words_from_right_to_left_are_isolated(draw):
    """A word alone among others, a text as a whole: its words stand in their order."""
    text = drawing(draw("شكرا جزيلا"), 80, has_color=False)
    assert "\u2068شكرا\u2069" in text and "\u2068“شكرا جزيلا”\u2069" in text
