"""A report's encoder says when the words that the recogniser heard are spoken."""

import pytest
import tones

from s2st_interleave.data import audio
from s2st_interleave.report.heard import Listener
from s2st_interleave.values import Device


def test_words_lie_where_they_were_said_and_a_text_that_does_not_fit_has_none(
    encoders, tmp_path
):
    clips = {"a": "mesa boda pan", "b": "kilo"}
    wavs = {u: tmp_path / f"{u}.wav" for u in clips}
    for utterance, text in clips.items():
        audio.write(wavs[utterance], tones.say(text))
    texts = {"a": "Mesa, boda pan.", "b": "pan " * 40, "silent": "boda"}
    listener = Listener(encoders["hears"], Device("cpu"))
    placed = listener.place("scheduled", texts, wavs)
    assert [word.text for word in placed["a"].words] == ["Mesa,", "boda", "pan."]
    starts = [word.start_sec for word in placed["a"].words]
    # The first one gets the tenth of a second before it, which is no pause.
    assert starts == pytest.approx([0.1, 0.55, 1.0], abs=0.11)
    assert not placed["b"].words and "audio is shorter than text" in placed["b"].fault
    assert "silent" not in placed
