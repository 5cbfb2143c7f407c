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
    listener = Listener(encoders["hears"], Device("cpu"), tmp_path / "cache")
    placed = listener.place("scheduled", texts, wavs)
    assert [word.text for word in placed["a"].words] == ["Mesa,", "boda", "pan."]
    starts = [word.start_sec for word in placed["a"].words]
    # The first one gets the tenth of a second before it, which is no pause.
    assert starts == pytest.approx([0.1, 0.55, 1.0], abs=0.11)
    assert not placed["b"].words and "audio is shorter than text" in placed["b"].fault
    assert "silent" not in placed


def test_the_encoder_is_not_loaded_for_what_it_has_placed_before(
    encoders, tmp_path, monkeypatch
):
    path, other = tmp_path / "a.wav", tmp_path / "b.wav"
    audio.write(path, tones.say("mesa boda"))
    audio.write(other, tones.say("mesa boda pan"))
    hears, cache = encoders["hears"], tmp_path / "cache"

    def place(wav, text="mesa boda", encoder=hears):
        listener = Listener(encoder, Device("cpu"), cache)
        return listener.place("scheduled", {"u": text}, {"u": wav})["u"]

    first, short = place(path), place(path, "pan " * 40)
    loaded = []
    monkeypatch.setattr(Listener, "_aligner", property(loaded.append))
    assert (place(path), place(path, "pan " * 40)) == (first, short)
    assert first.words and "audio is shorter" in short.fault and not loaded
    for change in ({"wav": other}, {"text": "boda mesa"}):
        with pytest.raises(AttributeError):
            place(**{"wav": path} | change)
    assert len(loaded) == 2
