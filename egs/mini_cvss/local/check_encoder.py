#!/usr/bin/env python3
"""Measure the encoder of stage 2: its greedy CTC word error rate in each language.

    cd x_en && python ../local/check_encoder.py --encoder shared/paper/exp/encoder \\
      --data_dir ../pt_en/shared/paper/data/dev --languages "pt en"
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave import config
from s2st_interleave.config import option
from s2st_interleave.data import audio, kaldi
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.data.text import spoken_form
from s2st_interleave.encoder.ctc import collapse
from s2st_interleave.encoder.speech_encoder import SpeechEncoder
from s2st_interleave.errors import script
from s2st_interleave.score.metrics.error_rate import word_error_rate


@dataclass(frozen=True, kw_only=True)
class Options:
    encoder: Path = option(Path("exp/encoder"), "of the recipe")
    data_dir: Path = option(Path("data/dev"), "data to transcribe")
    languages: tuple[LanguageCode, ...] = option(("es", "en"), "which sides")


def main() -> None:
    options = config.parse(Options, sys.argv[1:], prog="check_encoder", about=__doc__)
    encoder = SpeechEncoder.load(options.encoder)
    data = kaldi.DataDir(options.data_dir)
    for language in options.languages:
        texts, wavs = data.texts(language), data.wavs(language)
        spoken = {utterance: spoken_form(texts[utterance]) for utterance in wavs}
        transcripts = {
            utterance: _transcribe(encoder, wav) for utterance, wav in wavs.items()
        }
        rate = word_error_rate(spoken, transcripts, normalize=str)
        print(f"{language}: word error rate {rate:.1f}, {len(wavs)} utterances")


def _transcribe(encoder: SpeechEncoder, wav: Path) -> str:
    best = encoder.forward(audio.read(wav)).argmax(-1)
    return encoder.bpe.decode(collapse(best))


if __name__ == "__main__":
    sys.exit(script("check_encoder", main))
