"""Texts are cut and put together again without a change, in scripts without spaces too."""

import plain_draws
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2st_interleave.align.segmentation import surface_words
from s2st_interleave.data.text import (
    _NO_SPACE,
    _UNSPACED_FROM,
    clean,
    has_words,
    join,
    same_when_spoken,
    spoken_form,
    tokens,
)
from s2st_interleave.interop.matching import letters

LETTERS = st.text("aé'x1- .,我们今天カーらｱ。、（ท", max_size=20)


@given(LETTERS)
def test_words_joined_are_the_text(text):
    text = clean(text)
    assert join(tokens(text)) == text
    if has_words(text):
        assert join(surface_words(text)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("我们今天。", ["我", "们", "今", "天。"]),
        ("（在2019年 3 月）", ["（在", "2019", "年", " 3", " 月）"]),
        ("C'est « ça »", ["C'est «", "ça »"]),
    ],
)
def test_letters_of_an_unspaced_script_are_words(text, words):
    """Else a whole sentence would be one word: all text or none of it."""
    assert surface_words(text) == words


def test_the_encoder_hears_the_words_that_are_aligned():
    text = "GPU を2枚、 ください"
    spoken = [spoken_form(word) for word in surface_words(text)]
    assert " ".join(spoken) == spoken_form(text) == "gpu を 2 枚 く だ さ い"


def test_no_sign_of_an_unspaced_script_comes_before_thai():
    assert not any(_NO_SPACE.match(chr(k)) for k in range(ord(_UNSPACED_FROM)))
    assert _NO_SPACE.match("ก")


@given(st.lists(st.text("aé \u0301雨กก็,1\t", max_size=4), max_size=6))
def test_words_are_joined_as_one_by_one(words):
    assert join(words) == plain_draws.join(words)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("İSTANBUL", "istanbul"),
        ("Işık", "ışık"),
        ("I\u0307yi günler.", "iyi günler"),
        ("пʼять", "п'ять"),
        ("o\u02bbzbek", "o\u2018zbek"),
        ("\u0149 man", "'n man"),
        ("l\u00b4 homme", "l' homme"),
        ("l\u00b4homme", "L\u2019homme"),
    ],
)
def test_dots_of_turkish_and_kinds_of_apostrophes_change_no_sentence(left, right):
    """Alignments of such sentences were dropped, and splits held both forms."""
    assert same_when_spoken(left) == same_when_spoken(right)
    assert letters(left) == letters(right)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("hola \u2764\ufe0f mundo", "hola \u2764 mundo"),  # an emoji, drawn in colour
        ("葛\U000e0100城", "葛城"),
        ("1\ufe0f\u20e3 dos", "1 dos"),
        ("hola ¨ mundo", "hola mundo"),
        ("Coca-Cola™", "Coca-Cola"),
        ("\u0301 hola", "hola"),
        ("ශ්\u200dරී", "ශ්රී"),
    ],
)
def test_signs_without_a_sound_are_no_words(text, plain):
    """They were words of their own, of which no aligner knows and the BPE had pieces."""
    assert spoken_form(clean(text)) == spoken_form(plain)
    assert len(surface_words(clean(text))) == len(surface_words(plain))
    assert same_when_spoken(text) == same_when_spoken(plain)


def test_many_signs_without_a_sound_take_no_longer_than_as_many_letters():
    """Twelve thousand dots took 18 seconds, each looked at from each; these, half an hour."""
    for text in ("hola " + 60_000 * ".", "hola" + 30_000 * " 😀", "a " + 60_000 * ". "):
        assert same_when_spoken(text) == text.split(".")[0].split(" ")[0]
        assert surface_words(text) == [text.strip()]


def test_a_dotted_capital_is_the_letter_that_it_sounds_as():
    assert spoken_form("İstanbul") == "istanbul"
    assert spoken_form("подвірʼя l\u00b4homme") == "подвір'я l'homme"


@pytest.mark.parametrize("text", ["ሰላም፡ለዓለም፡ሁሉ", "ሰላም፡ ለዓለም፡ሁሉ ።", "፡ሰላም ፡ ለ", "፡"])
def test_the_sign_between_words_of_amharic_ends_a_word(text):
    """A sentence without spaces was one word, so that all of it was text, or nothing."""
    assert join(tokens(text)) == text
    spoken = [word for token in tokens(text) for word in spoken_form(token).split()]
    assert " ".join(spoken) == spoken_form(text)
    assert all(len(spoken_form(token).split()) <= 1 for token in tokens(text))


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Beş gün sonra şehre geldi.", "beş gün sonra şehre geldi"),
        ("وصل القطار في المساء", "وصل القطار في المساء"),
        ("น้ำ", "น้\u0e4d า"),
        ("അവന\u0d4d\u200d", "അവന\u0d4d"),
    ],
)
def test_what_encoders_learned_and_splits_rest_on_stays(text, spoken):
    """Spellings that scores do not tell apart moved test sentences of own corpora to train."""
    assert same_when_spoken(text) == spoken_form(text) == spoken
