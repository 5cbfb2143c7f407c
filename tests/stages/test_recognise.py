"""Jobs that hear a share each leave nothing to hear to the stages that score."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "score"))

import made
from tiny_whisper import tiny_whisper

from s2st_interleave.errors import UserError
from s2st_interleave.score import whisper_batched
from s2st_interleave.stages import recognise


def options(root: Path, shard: str) -> recognise.Options:
    return recognise.Options(
        data_dir=made.data_dir(root),
        vocode_dir=(made.vocoded(root, root / "vocode", made.HEARD, 0.5),),
        references=True,
        asr=root / "whisper",
        asr_backend="transformers",
        asr_batch=2,
        asr_cache=root / "heard",
        device="cpu",
        shard=shard,
    )


def test_shares_hear_references_and_systems_once(tmp_path, monkeypatch):
    tiny_whisper(tmp_path / "whisper")
    monkeypatch.setattr(whisper_batched, "MOST_TOKENS", 4)
    for shard in ("1/2", "2/2"):
        recognise.run(options(tmp_path, shard))
    lines = [
        line for path in (tmp_path / "heard").iterdir() for line in path.open("rb")
    ]
    assert len(lines) == len(made.TARGET) + len(made.HEARD)
    monkeypatch.delattr(whisper_batched, "transcribe")  # nothing is heard any more
    recognise.run(options(tmp_path, "1/1"))


def test_shares_rate_speech_as_well(tmp_path, monkeypatch):
    """Ratings were left to the one process that scores, a clip after another."""
    rated = []
    monkeypatch.setattr(recognise, "recognise", lambda *heard: None)
    monkeypatch.setattr(
        recognise, "rate", lambda wavs, predictor, cache: rated.extend(wavs)
    )
    for shard in ("1/2", "2/2"):
        recognise.run(replace(options(tmp_path, shard), mos="dnsmos"))
    assert sorted(rated) == sorted([*made.TARGET, *made.HEARD])


@pytest.mark.parametrize("shard", ["", "0/2", "3/2", "1-2"])
def test_a_share_is_one_of_those_that_there_are(shard):
    with pytest.raises(UserError, match="wants K/N such as 2/8"):
        recognise.share_of(shard)
