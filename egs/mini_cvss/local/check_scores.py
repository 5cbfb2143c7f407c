#!/usr/bin/env python3
"""Mean word scores of what is right, and of what is wrong on purpose, under an encoder.

    cd es_en && python ../local/check_scores.py --encoder exp/encoder

Each utterance of the split is aligned as it is, with the text of another utterance of
about its length, as silence, as noise of its loudness, and with its second half cut off.
What stage 3 drops and when it stops (--min_score, --min_median_score) rests on this.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave import config, keyed
from s2st_interleave.align import segmentation
from s2st_interleave.config import option
from s2st_interleave.data import audio, kaldi
from s2st_interleave.encoder.speech_encoder import SpeechEncoder

QUANTILES = (0, 0.01, 0.05, 0.5, 0.95, 1)


@dataclass(frozen=True, kw_only=True)
class Options:
    encoder: Path = option(Path("exp/encoder"), "of the recipe")
    data_dir: Path = option(Path("data/dev"), "what is aligned")
    sides: tuple[str, ...] = option(("src", "tgt"), "which sides")
    num_utterances: int = option(0, "the first that many by id; 0: all", minimum=0)


@dataclass(frozen=True)
class Clip:
    samples: np.ndarray
    text: str
    swapped: str  # of another utterance


def main() -> None:
    options = config.parse(Options, sys.argv[1:], prog="check_scores", about=__doc__)
    encoder = SpeechEncoder.load(options.encoder)
    shown = "  ".join(f"{quantile:>7.0%}" for quantile in QUANTILES)
    print(f"{'':26}{shown}   aligned")
    for side in options.sides:
        clips = list(_clips(options, side))
        for name, change in CHANGES.items():
            scores = [mean_word_score(encoder, *change(clip)) for clip in clips]
            known = [score for score in scores if score is not None]
            quantiles = np.quantile(known, QUANTILES) if known else []
            row = "  ".join(f"{value:7.2f}" for value in quantiles)
            print(f"{side:6} {name:19}{row}   {len(known)} of {len(scores)}")


def _clips(options: Options, side: str) -> Iterator[Clip]:
    data = kaldi.DataDir(options.data_dir)
    texts, wavs = data.texts(side), data.wavs(side)
    ids = sorted(texts)[: options.num_utterances or None]
    ordered = sorted(ids, key=lambda name: (len(texts[name]), name))
    # The next longer one that says something else; for the longest, shorter ones.
    for place, name in enumerate(ordered):
        others = ordered[place + 1 :] + ordered[:place][::-1]
        other = next(k for k in others if texts[k] != texts[name])
        yield Clip(audio.read(wavs[name]), texts[name], texts[other])


def _noise(clip: Clip) -> tuple[np.ndarray, str]:
    made = keyed.generator("noise", clip.text).standard_normal(len(clip.samples))
    return (made * clip.samples.std()).astype(np.float32), clip.text


CHANGES: dict[str, Callable[[Clip], tuple[np.ndarray, str]]] = {
    "right": lambda clip: (clip.samples, clip.text),
    "swapped text": lambda clip: (clip.samples, clip.swapped),
    "silence": lambda clip: (np.zeros_like(clip.samples), clip.text),
    "noise": _noise,
    "second half missing": lambda clip: (
        clip.samples[: len(clip.samples) // 2],
        clip.text,
    ),
}


def mean_word_score(
    encoder: SpeechEncoder, samples: np.ndarray, text: str
) -> float | None:
    """Mean word score, None where the text does not fit."""
    words = segmentation.surface_words(text)
    try:
        firings = segmentation.segment(
            encoder.forward(samples), words, encoder.bpe, encoder.frame_sec
        )
    except segmentation.Unalignable:
        return None
    return float(np.mean([firing.score for firing in firings]))


if __name__ == "__main__":
    main()
