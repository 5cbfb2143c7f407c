"""What is joined, shown or packed together was made of the same things."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from s2st_interleave.errors import UserError
from s2st_interleave.pack import command
from s2st_interleave.stage_dir import Input, check_same_data, open_stage
from s2st_interleave.stages import results


@dataclass(frozen=True)
class Empty:
    text: str = ""


def made(folder: Path, stage: str, text: str = "", **inputs: str | Input) -> Path:
    record = open_stage(
        folder, stage=stage, options=Empty(text), inputs=inputs, overwrite=True
    )
    assert record is not None
    record.finish(num_in=1, num_out=1)
    return folder


def test_words_and_units_of_different_recordings_are_not_joined(tmp_path):
    """A corpus that was made anew keeps its ids, and its words met the units of before."""
    words = made(tmp_path / "align", "align", data="of now")
    check_same_data(
        words, "align", made(tmp_path / "a", "units", data="of now"), "units"
    )
    check_same_data(words, "align", made(tmp_path / "b", "units"), "units")  # earlier
    units = made(tmp_path / "units", "units", data="of before")
    with pytest.raises(UserError, match=r"align and .*units were made from different"):
        check_same_data(words, "align", units, "units")


@pytest.fixture
def scored(tmp_path) -> SimpleNamespace:
    """A decode with its speech by a vocoder, and the score of that."""
    vocoder = made(tmp_path / "vocoder", "vocoder")
    decode = made(tmp_path / "decode", "decode")
    of_vocoder = Input(vocoder, "vocoder")
    speech = made(decode / "vocode", "vocode", vocoder=of_vocoder)
    heard = {"decode": Input(decode, "decode"), "vocode": Input(speech, "vocode")}
    made(decode / "score", "score", **heard)
    return SimpleNamespace(decode_dir=decode, vocoder=vocoder)


def test_a_score_of_earlier_speech_is_neither_shown_nor_packed(scored, tmp_path):
    """Stage 10 showed the score of another vocoder's speech, and stage 11 packed it."""
    results._check_chain(scored.decode_dir, tmp_path / "system")
    command._check_speech(scored)
    made(scored.decode_dir / "vocode", "vocode", vocoder="another")
    message = r"score is of earlier speech than .*vocode: run stage 9 again"
    with pytest.raises(UserError, match=message):
        results._check_chain(scored.decode_dir, tmp_path / "system")
    with pytest.raises(UserError, match=message):
        command._check_speech(scored)


def test_a_score_by_another_vocoder_is_not_packed_with_this_one(scored):
    """The pack held the weights of one vocoder and the ASR-BLEU of another."""
    made(scored.vocoder, "vocoder", text="trained again")
    with pytest.raises(UserError, match=r"vocode is of another vocoder than .*vocoder"):
        command._check_speech(scored)
