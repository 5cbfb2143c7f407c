#!/usr/bin/env python3
"""What an encoder hears of recorded voices, and of the same texts as the recipe speaks them.

    cd ../own && ./prompts.sh --stop_stage 1
    python ../mini_cvss/local/check_voices.py --encoder ../mini_cvss/es_en/exp/encoder \\
      --data_dir data/prompts_es/train --src es

The sentences are new to the encoder in both cases, so that what differs is the voice. Errors
are of greedy CTC without accents, which the texts of the prompts lack; scores are mean word
scores, by which stage 3 trusts an alignment or drops it. `--model exp/pack/scheduled` says as
well what a packed model answers: errors of its transcript, BLEU of its translation, and both
beside what was said, for a few recordings.
"""

import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from check_scores import mean_word_score
from espeak import Espeak
from language import load_language
from meaning import Draw
from synthesise import Voice, finish, source_voice, target_voice

from s2st_interleave import config
from s2st_interleave.align.quality import MIN_SCORE
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import audio, kaldi
from s2st_interleave.data.text import spoken_form
from s2st_interleave.encoder.ctc import collapse
from s2st_interleave.encoder.speech_encoder import SpeechEncoder
from s2st_interleave.errors import script
from s2st_interleave.pack.translator import Translator
from s2st_interleave.progress import progress
from s2st_interleave.score.metrics.bleu import bleu_counts, bleu_of
from s2st_interleave.score.metrics.error_rate import (
    character_error_rate,
    word_error_rate,
)
from s2st_interleave.score.normalize import Normalizer

NUM_SHOWN = 5  # answers of a voice


@dataclass(frozen=True, kw_only=True)
class Options:
    encoder: Path = option(REQUIRED, "of the recipe")
    data_dir: Path = option(REQUIRED, "recordings and their texts")
    src: str = option("es", "language with a lexicon, which names its made voices")
    seed: int = option(1, "of the made voices")
    model: Path | None = option(None, "packed by stage 11: what does it answer?")


def main() -> None:
    options = config.parse(Options, sys.argv[1:], prog="check_voices", about=__doc__)
    encoder = SpeechEncoder.load(options.encoder)
    data = kaldi.DataDir(options.data_dir)
    names = "side", "voice", "utterances", "CER", "WER", "median score"
    print(*names, f"score < {MIN_SCORE:g}", "not alignable", sep=" | ")
    engine, voices = Espeak(), load_language(options.src).voices
    english = target_voice("flite")
    for side in ("src", "tgt"):
        texts = {name: spoken_form(text) for name, text in data.texts(side).items()}
        wavs = data.wavs(side)
        recorded = {name: audio.read(wav) for name, wav in sorted(wavs.items())}
        made = {}
        for name in progress(sorted(wavs), f"speak {side}"):
            _, native = source_voice(engine, voices, options.seed, name)
            voice = native if side == "src" else english
            made[name] = _made(voice, name, texts[name], options.seed)
        for voice, clips in (("recorded", recorded), ("made", made)):
            print(side, voice, *_row(encoder, clips, texts), sep=" | ")
        if side == "src" and options.model is not None:
            translator = Translator.from_pretrained(options.model)
            translations = data.texts("tgt")
            for voice, clips in (("recorded", recorded), ("made", made)):
                _print_answers(translator, voice, clips, texts, translations)


def _made(voice: Voice, utterance: str, text: str, seed: int) -> np.ndarray:
    """Samples at 16 kHz of a text in a made voice, as make_corpus.py has them."""
    draw = Draw(seed, "silence", utterance)
    return finish(voice.speak(text, ()), audio.SAMPLE_RATE, draw).samples


def _row(
    encoder: SpeechEncoder, clips: Mapping[str, np.ndarray], texts: Mapping[str, str]
) -> list[str]:
    transcripts = {
        name: encoder.bpe.decode(collapse(encoder.forward(samples).argmax(-1)))
        for name, samples in progress(clips.items(), "hear", len(clips))
    }
    rates = (
        rate(texts, transcripts, normalize=_without_accents)
        for rate in (character_error_rate, word_error_rate)
    )
    scores = [mean_word_score(encoder, clips[name], texts[name]) for name in clips]
    known = [score for score in scores if score is not None]
    low = np.mean([score < MIN_SCORE for score in known]) if known else 0.0
    row = [str(len(clips)), *(f"{rate:.1f}" for rate in rates)]
    row += [f"{np.median(known):.2f}" if known else "n/a", f"{low:.0%}"]
    return [*row, str(len(scores) - len(known))]


def _print_answers(
    translator: Translator,
    voice: str,
    clips: Mapping[str, np.ndarray],
    texts: Mapping[str, str],
    translations: Mapping[str, str],
) -> None:
    max_sec = translator.bounds.max_sec
    longest = max_sec * audio.SAMPLE_RATE
    names = sorted(name for name, clip in clips.items() if len(clip) <= longest)
    texts = {name: texts[name] for name in names}
    translations = {name: translations[name] for name in names}
    read = [translator.read(clips[name], audio.SAMPLE_RATE) for name in names]
    answers = dict(zip(names, translator.answer(read), strict=True))
    transcripts = {name: said.transcript or "" for name, said in answers.items()}
    written = {name: said.translation or "" for name, said in answers.items()}
    wrong = word_error_rate(texts, transcripts, normalize=_without_accents)
    plain = Normalizer("en").normalize
    counts = bleu_counts(translations, written, normalize=plain)
    doubted = sum(bool(said.doubt) for said in answers.values())
    print(
        f"{voice}, {len(names)} of at most {max_sec:g} s: {doubted} doubted", end=", "
    )
    print(f"transcript WER {wrong:.1f}", end=", ")
    print(f"translation BLEU {bleu_of(counts.sum(0)):.1f}")
    for name in names[:: max(1, len(names) // NUM_SHOWN)][:NUM_SHOWN]:
        said = f"{transcripts[name]} / {written[name]}"
        print(f"  {name}: {texts[name]} / {translations[name]} -> {said}")


def _without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part))


if __name__ == "__main__":
    sys.exit(script("check_voices", main))
