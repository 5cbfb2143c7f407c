"""Predicted speech quality: a tone in noise is worse than less noise; kept by content."""

import numpy as np

from s2st_interleave.data import audio
from s2st_interleave.score import heard, mos


def speech_like(noise: float) -> np.ndarray:
    """Two seconds of a voiced hum with syllables, and white noise of this level."""
    time = np.arange(32_000) / 16_000
    hum = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 4 * time), 0, None)
    rng = np.random.default_rng(0)
    return 0.1 * hum * syllables + noise * rng.standard_normal(len(time))


def test_noise_lowers_the_score_and_a_second_look_computes_nothing(
    tmp_path, monkeypatch
):
    wavs = {name: tmp_path / f"{name}.wav" for name in ("clean", "noisy")}
    audio.write(wavs["clean"], speech_like(0.0))
    audio.write(wavs["noisy"], speech_like(0.2))
    scores = heard.rate(wavs, tmp_path / "cache")
    assert 1 <= scores["noisy"] < scores["clean"] <= 5

    def fail(*_, **__):
        raise AssertionError("computed again")

    monkeypatch.setattr(audio, "read", fail)
    assert heard.rate(wavs, tmp_path / "cache") == scores
    assert mos.describe()["predictor"] == mos.PREDICTOR
