"""Differences are of normalised words, and can be told apart without colours."""

import pytest

from s2st_interleave.report.differences import attributes, differences, marked


def html(reference: str, answer: str, code: str = "en") -> str:
    return marked(differences(reference, answer, code), code)


def test_case_and_punctuation_are_no_differences():
    assert html("The train leaves at nine.", "the train leaves at 9") == (
        "the train leaves at 9"
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("the house", "the <del>red</del> house"),
        ("the red old house", "the red <ins>old</ins> house"),
        (
            "the blue house",
            'the <span class="sub"><del>red</del> <ins>blue</ins></span> house',
        ),
        ("", "<del>the red house</del>"),
    ],
)
def test_missing_new_and_other_words_are_marked_each_in_its_way(answer, expected):
    assert html("the red house", answer) == expected


@pytest.mark.parametrize(
    ("reference", "answer", "expected"),
    [
        ("find books", "find the book", "find +the+ books~book"),
        ("find the book", "find books", "find -the- book~books"),
        ("we buy some apples", "we buy bread", "we buy -some- apples~bread"),
        ("we buy bread", "we buy some apples", "we buy +some+ bread~apples"),
        ("books quickly", "the book", "+the+ books~book -quickly-"),
        ("a red house", "one blue house", "a~one red~blue house"),
    ],
)
def test_words_that_replace_others_stand_beside_those_like_them(
    reference, answer, expected
):
    """The first stood beside the first: `the` was in the place of `books`."""
    marks = {
        '<span class="sub"><del>': "",
        "</del> <ins>": "~",
        "</ins></span>": "",
        "<del>": "-",
        "</del>": "-",
        "<ins>": "+",
        "</ins>": "+",
    }
    drawn = html(reference, answer)
    for tag, mark in marks.items():
        drawn = drawn.replace(tag, mark)
    assert drawn == expected


def test_letters_are_compared_where_no_space_is_between_words():
    assert html("今日は雨", "今日は雪", "ja") == (
        '今日は<span class="sub"><del>雨</del> <ins>雪</ins></span>'
    )


def test_what_looks_like_html_is_text():
    assert "<b>" not in html("<b>", "a<b>c", "en")


@pytest.mark.parametrize(
    ("text", "code", "direction"),
    [("مرحبا", "ar", "rtl"), ("שלום", "he", "rtl"), ("hola", "es", "ltr")],
)
def test_texts_name_their_language_and_run_in_its_direction(text, code, direction):
    assert attributes(text, code) == f'lang="{code}" dir="{direction}"'
