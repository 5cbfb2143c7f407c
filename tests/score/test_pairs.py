"""Texts are joined by utterance id."""

import pytest

from s2st_interleave.score.pairs import join


def test_unknown_id_is_named() -> None:
    with pytest.raises(ValueError, match="stranger"):
        join({"utt1": "a"}, {"utt1": "a", "stranger": "b"})
    with pytest.raises(ValueError, match="no references"):
        join({}, {})
