"""Metrics of recordings: seconds made by seconds of the reference, the source, the clock."""

from pathlib import Path

import numpy as np
import pytest

from s2st_interleave.data import audio
from s2st_interleave.errors import UserError
from s2st_interleave.score.asr import AsrOptions
from s2st_interleave.score.evidence import Evidence, Tools
from s2st_interleave.score.measure import measure
from s2st_interleave.score.metrics import METRICS


@pytest.fixture
def evidence(tmp_path) -> Evidence:
    """Answers of 1 s and 3 s to questions of 2 s; the third has none."""
    wavs = {name: tmp_path / f"{name}.wav" for name in ("a", "b")}
    for seconds, path in zip((1, 3), wavs.values(), strict=True):
        audio.write(path, np.zeros(seconds * audio.SAMPLE_RATE, np.float32))
    texts = dict.fromkeys("abc", "yes")
    return Evidence(
        texts,
        {"a": "yes", "b": "yes"},
        wavs=wavs,
        reference_sec={"a": 1.0, "b": 1.0, "c": 9.0},
        source_sec=dict.fromkeys("abc", 2.0),
        computing_sec=2.0,
        tools=Tools(AsrOptions(), Path("cache")),
    )


@pytest.mark.parametrize(
    ("name", "value", "each"),
    [
        ("duration_ratio", 2.0, [1.0, 3.0]),
        ("source_duration_ratio", 1.0, [0.5, 1.5]),
    ],
)
def test_ratios_are_of_sums_and_without_what_is_missing(evidence, name, value, each):
    found = measure(METRICS[name], evidence, num_resamples=20, seed=0)
    assert found.score.value == pytest.approx(value)
    assert found.score.num_utterances == 2
    assert [found.utterances[name] for name in "ab"] == each
    assert np.isnan(found.utterances["c"])


def test_real_time_is_of_the_whole_split_and_has_no_interval(evidence):
    found = measure(METRICS["real_time_factor"], evidence, num_resamples=20, seed=0)
    assert found.score.value == pytest.approx(0.5)
    assert found.score.ci95 is None
    assert all(np.isnan(score) for score in found.utterances.values())


def test_silence_throughout_has_no_ratio():
    nothing = Evidence({"a": "yes"}, {}, computing_sec=2.0)
    for name in ("duration_ratio", "real_time_factor", "loops"):
        found = measure(METRICS[name], nothing, num_resamples=5, seed=0)
        assert found.score.value is None and found.score.num_utterances == 0


def test_a_rating_wants_a_predictor(evidence):
    with pytest.raises(UserError, match="--mos dnsmos"):
        measure(METRICS["mos"], evidence, num_resamples=5, seed=0)
