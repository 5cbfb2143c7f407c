"""Stage 4, first half: cluster the frames of one encoder layer, all languages together."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.config import MOST_SEED, REQUIRED, option
from s2st_interleave.data import kaldi
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.encoder.reader import Reader, ReaderOptions, Reading
from s2st_interleave.facts import KmeansFacts
from s2st_interleave.progress import progress
from s2st_interleave.stage_dir import Input, numbered, open_stage


@dataclass(frozen=True, kw_only=True)
class Options(ReaderOptions):
    data_dir: tuple[Path, ...] = option(REQUIRED, "data/train; several: of many pairs")
    encoder: Path = option(REQUIRED, "exp/<encoder> of stage 2")
    out_dir: Path = option(REQUIRED, "exp/<kmeans> to write")
    languages: tuple[LanguageCode, ...] = option(
        (), "those to draw from, for example 'es en'; default: all that data_dir has"
    )
    layer: int = option(
        20, "as in hidden_states, 0 is the input; the paper's is 20", minimum=0
    )
    num_units: int = option(2048, "clusters; the paper's is 2048", minimum=1)
    num_utterances: int = option(
        10_000, "utterances from data_dir, over all languages", minimum=1
    )
    max_frames: int = option(
        2_000_000,
        "frames of all utterances; with 1,024 dimensions they take 8 GB of memory",
        minimum=1,
    )
    seed: int = option(1, "of the draw and of k-means", minimum=0, maximum=MOST_SEED)

    def with_languages(self) -> "Options":
        """These options, with each language once, those of data_dir if none is named."""
        known = self.languages or kaldi.DataDirs(self.data_dir).languages()
        return replace(self, languages=tuple(map(LanguageCode, dict.fromkeys(known))))


def run(options: Options) -> None:
    options = options.with_languages()
    stage = open_stage(
        options.out_dir,
        stage="kmeans",
        options=options,
        inputs={
            **numbered("data", options.data_dir, "data"),
            "encoder": Input(options.encoder, "encoder"),
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return
    from s2st_interleave.units import kmeans

    # 1. Draw utterances of all languages alike, by key, whatever their order on disk.
    data = kaldi.DataDirs(options.data_dir)
    wavs = {
        voice: wav
        for language in options.languages
        for voice, wav in data.wavs(language).items()
    }
    utterances = sorted(
        wavs, key=lambda k: keyed.stable_hash(options.seed, "kmeans", *k)
    )
    utterances = utterances[: options.num_utterances]

    # 2. Their frames, no more of an utterance than its share, then the clusters.
    seconds = _durations(data, options) if options.batch_sec else {}
    reader = Reader(options.encoder, options)
    if options.batch_sec:
        utterances = reader.order(utterances, seconds)
    readings = reader.read(utterances, wavs, seconds, ctc=False, layer=options.layer)
    total = len(utterances)
    frames = _drawn(progress(readings, "features", total), total, options)
    codebook, num_used = kmeans.fit(frames, options.num_units, options.seed)
    codebook.save(options.out_dir)
    if num_used < options.num_units:
        print(
            f"kmeans: only {num_used} of {options.num_units} units are used by the "
            f"{len(frames)} frames that they were made of"
        )
    stage.finish(
        num_in=len(wavs),
        num_out=len(utterances),
        said=f"{len(utterances)} recordings sampled of {len(wavs)}, "
        + (
            "as --num_utterances asks"
            if len(utterances) < len(wavs)
            else "all there are"
        ),
        facts=KmeansFacts(unit_sec=reader.encoder.frame_sec),
        num_frames=len(frames),
        num_used_units=num_used,
    )


def _durations(data: kaldi.DataDirs, options: Options) -> dict[kaldi.Voice, float]:
    return {
        voice: duration
        for language in options.languages
        for voice, duration in data.durations(language).items()
    }


def _drawn(
    readings: Iterable[tuple[kaldi.Voice, Reading]], count: int, options: Options
) -> np.ndarray:
    """float32 (num_frames, width) of `count` readings, which share `max_frames` alike.

    The array is as long as it may become; what is not filled takes no memory.
    """
    share = max(1, options.max_frames // count)
    frames = np.empty((0, 0), np.float32)
    filled = 0
    for key, reading in readings:
        features = reading.frames
        assert features is not None
        if len(features) > share:
            rng = keyed.generator(options.seed, "frames for k-means", *key)
            features = features[
                np.sort(rng.choice(len(features), share, replace=False))
            ]
        if not filled:
            frames = np.empty((share * count, features.shape[1]), np.float32)
        frames[filled : filled + len(features)] = features
        filled += len(features)
    return frames[:filled]
