"""Errors in words and characters, per 100 of the reference."""

import pytest

from s2st_interleave.score.metrics.error_rate import word_error_rate


def identity(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("reference", "hypothesis", "rate"),
    [
        ("a b c d", "a b c d", 0),
        ("a b c d", "a x c d", 25),
        ("a b c d", "b c d", 25),
        ("a b c d", "a a b c d", 25),
        ("a b c d", "", 100),
        ("a", "b c d", 300),
        ("a b c d", "d c b a", 100),
    ],
)
def test_word_error_rate(reference: str, hypothesis: str, rate: float) -> None:
    assert (
        word_error_rate({"u": reference}, {"u": hypothesis}, normalize=identity) == rate
    )


def test_word_error_rate_weighs_words_not_utterances() -> None:
    refs = {"short": "a", "long": "a b c d e f g h i"}
    hyps = {"short": "b", "long": "a b c d e f g h i"}
    assert word_error_rate(refs, hyps, normalize=identity) == 10
    with pytest.raises(ValueError, match="no word"):
        word_error_rate({"u": " "}, {}, normalize=identity)
