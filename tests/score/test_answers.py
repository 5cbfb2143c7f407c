"""What was heard is compared with references of the same script."""

import pytest

from s2st_interleave.score import answers

CYRILLIC = {"a": "добро јутро", "b": "како си"}
LATIN = {"a": "dobro jutro", "b": "kako si"}


@pytest.mark.parametrize(
    ("code", "references", "heard", "says"),
    [
        ("sr-Latn", LATIN, CYRILLIC, "the references are mostly in Latn"),
        ("sr", CYRILLIC, LATIN, "the references are mostly in Cyrl"),
        ("sr-Latn", CYRILLIC, LATIN, "the recogniser writes mostly in Latn"),
        ("ja-Latn", {"a": "konnichiwa"}, {"a": "今日は"}, "Latn"),
        ("sr-Latn", LATIN, LATIN, ""),
        ("sr-Latn", CYRILLIC, CYRILLIC, ""),
        ("ja", {"a": "今日は"}, {"a": "こんにちは"}, ""),
        ("sr-Latn", LATIN, {}, ""),
        ("ja", {"a": "watashi"}, {"a": ""}, ""),
        ("sr-Latn", LATIN, {"a": "", "b": "1, 2"}, ""),
    ],
)
def test_a_recogniser_that_writes_another_script_is_told_of(
    code, references, heard, says, capsys
):
    """A perfect answer scored 0 where Whisper wrote the other script of the language."""
    answers._warn_of_script(references, heard, code)
    said = capsys.readouterr().out
    assert (says in said and "warning" in said) if says else not said
