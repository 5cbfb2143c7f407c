#!/usr/bin/env python3
"""The cascade topline spoken: the text LLM's translations through the target synthesiser.

    python speak_cascade.py --config ../conf/score.yaml --topline exp/topline/test \\
        --data_dir data/test --asr whisper --out_dir exp/cascade/test

Reads the translations that stage 9's topline has made of the reference transcripts, and
writes the speech, what the ASR heard, and score.json with its ASR-BLEU.
"""

import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from meaning import Draw
from synthesise import encode, finish, target_voice

from s2st_interleave import config
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi
from s2st_interleave.errors import script
from s2st_interleave.files import atomic_write, write_json
from s2st_interleave.progress import progress
from s2st_interleave.score.asr_cache import recognise
from s2st_interleave.stage_dir import Input, open_stage
from s2st_interleave.stages.scoring import ScoringOptions, score_texts

NO_TEXT = "the text LLM wrote nothing that the synthesiser can say"


@dataclass(frozen=True, kw_only=True)
class Options(ScoringOptions):
    topline: Path = option(REQUIRED, "exp/topline/<split>, with its hyp.cascade")
    out_dir: Path = option(REQUIRED, "exp/cascade/<split>")
    side: str = option("tgt", "whose texts they are", new=True)
    voice: str = option("flite", "flite or piper, that of the corpus")


def main() -> None:
    options = config.parse(Options, sys.argv[1:], prog="speak_cascade", about=__doc__)
    stage = open_stage(
        options.out_dir,
        stage="cascade",
        options=options,
        inputs={
            "topline": Input(options.topline, "topline"),
            "data": Input(options.data_dir, "data"),
            "asr": options.asr_input(),
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return
    voice = target_voice(options.voice)
    wavs, unsaid = {}, {}
    said = kaldi.read_table(options.topline / "hyp.cascade")
    for utterance in progress(sorted(said), "cascade"):
        text = speakable(said[utterance])
        if not text:
            unsaid[utterance] = NO_TEXT
            continue
        speech = finish(voice.speak(text, ()), 24_000, Draw(0, "cascade", utterance))
        wavs[utterance] = options.out_dir / "wav" / f"{utterance}.wav"
        with atomic_write(wavs[utterance], "wb") as stream:
            stream.write(encode(speech, "WAV"))
    data = kaldi.DataDir(options.data_dir)
    code = data.sides[data.role(options.side)]
    heard = recognise(wavs, options.asr_options(code), options.asr_cache)
    kaldi.write_table(options.out_dir / "hyp", heard)
    scores = score_texts(data.texts(options.side), heard, code, options)
    found = {"asr_bleu": scores.value, "ci95": scores.ci95}
    write_json(options.out_dir / "score.json", found)
    stage.finish(num_in=len(said), num_out=len(wavs), dropped=unsaid)


def speakable(text: str) -> str:
    """Text in the letters that the English synthesiser reads: ASCII."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return plain if any(letter.isalnum() for letter in plain) else ""


if __name__ == "__main__":
    sys.exit(script("speak_cascade", main))
