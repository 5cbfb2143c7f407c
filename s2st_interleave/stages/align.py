"""Stage 3: word times by CTC segmentation with the fine-tuned encoder."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from s2st_interleave import drops
from s2st_interleave.align import segmentation
from s2st_interleave.align.quality import MIN_MEDIAN, MIN_SCORE, USUAL, Quality
from s2st_interleave.align.words import (
    Word,
    equal_words,
    mean_score,
    place_borders,
    read_faults,
    read_words,
    write_words,
)
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import audio, kaldi, sides
from s2st_interleave.errors import UserError
from s2st_interleave.progress import progress
from s2st_interleave.shards import ShardOptions, Shards, run_shards, shards_of
from s2st_interleave.stage_dir import Input, open_stage

if TYPE_CHECKING:
    from s2st_interleave.encoder.speech_encoder import SpeechEncoder


@dataclass(frozen=True, kw_only=True)
class Options(ShardOptions):
    data_dir: Path = option(REQUIRED, "data/<split>")
    encoder: Path = option(REQUIRED, "exp/<encoder> of stage 2")
    out_dir: Path = option(REQUIRED, "dump/align/<split> to write")
    min_gap_sec: float = option(
        0.32, "pauses between tokens that are longer belong to no word", minimum=0
    )
    blank_edges: bool = option(
        True,
        "let words begin and end with the recording; false: as versions before aligned, "
        "which let no token fire in the first two frames and the last one",
    )
    drop: bool = option(
        True,
        "drop what cannot be aligned, or only badly; false (dev, test): equal parts for "
        "the former, a report of the latter",
    )
    min_score: float | None = option(
        MIN_SCORE,
        "a lower mean word score (log probability a token) is bad: right texts were above "
        "-2.0, swapped texts, silence and noise below -4.2 (align/quality.py); none: keep "
        "all",
    )
    min_median_score: float | None = option(
        MIN_MEDIAN,
        "of a side's utterances, lower and fail, in any split: an encoder that hears "
        "is at -0.1 to -1, one that hears nothing at -4 to -6; none: whatever it hears",
        runtime=True,
    )
    max_drop_rate: float = option(
        0.05, "drop more and fail", runtime=True, minimum=0, maximum=1
    )

    @staticmethod
    def earlier(options: dict[str, Any]) -> dict[str, Any]:
        """Translate options of versions that knew no edges, or named languages."""
        return {"blank_edges": False} | sides.without_languages(options)

    removed: ClassVar[dict[str, str]] = {"languages": sides.KNOWN}


def run(options: Options) -> None:
    # 1. Is there anything to do?
    stage = open_stage(
        options.out_dir,
        stage="align",
        options=options,
        inputs={
            "data": Input(options.data_dir, "data"),
            "encoder": Input(options.encoder, "encoder"),
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return

    # 2. Align every utterance of every side, shard by shard.
    data = kaldi.DataDir(options.data_dir)
    spoken = data.sides
    aligner = _Aligner(options)
    shards: dict[str, Shards] = {}
    for role in spoken:
        texts, wavs = data.texts(role), data.wavs(role)
        silent = data.silent(role)

        def process(
            ids: Sequence[str], path: Path, texts=texts, wavs=wavs, silent=silent
        ) -> None:
            aligner.align({i: (texts[i], wavs[i]) for i in ids}, silent, path)

        folder = shards_of(options.out_dir, role, spoken)
        done = run_shards(
            sorted(texts), folder, options.shard, options.num_shards, process
        )
        if done:
            shards[role] = done
    if options.shard:
        return

    # 3. Merge. Does the encoder hear anything? If so, which utterances fit their text?
    merged = {role: read_words(done.paths) for role, done in shards.items()}
    faults = {role: read_faults(done.paths) for role, done in shards.items()}
    quality = Quality.of(options.data_dir.name, merged)
    print(quality.report(), flush=True)
    _check_encoder(quality, faults, options)
    low = {} if options.min_score is None else quality.below(options.min_score)
    unaligned = {
        utterance: f"{role} {fault}"
        for role, reasons in faults.items()
        for utterance, fault in reasons.items()
    }
    _say("cannot be aligned", unaligned, options)
    _say(f"score less than {options.min_score}", low, options)
    num_in = len(next(iter(merged.values())))
    dropped = low | unaligned if options.drop else {}
    complaint = f"cannot be aligned, or score less than --min_score {options.min_score}"
    limit = f"--max_drop_rate {options.max_drop_rate:g}"
    drops.limit(dropped, num_in, options.max_drop_rate, complaint, limit)

    # 4. Write: train without them, dev and test with equal intervals where need be.
    for role, words in merged.items():
        kept = {k: v for k, v in words.items() if k not in dropped}
        write_words(options.out_dir / f"words.{role}.jsonl", kept, faults[role])
    stage.finish(
        num_in=num_in,
        num_out=num_in - len(dropped),
        dropped=dropped,
        num_equal_intervals=sum(
            mean_score(words[utterance]) is None
            for words in merged.values()
            for utterance in words.keys() - dropped.keys()
        ),
        num_low_scores=len(low),
        sides=spoken,
        earlier_sec=sum(done.earlier_sec for done in shards.values()),
        **quality.notes(),
    )


def _check_encoder(
    quality: Quality, faults: Mapping[str, Mapping[str, str]], options: Options
) -> None:
    """Raise UserError where the median score says that the encoder hears nothing."""
    if options.min_median_score is None:
        return
    for role, reasons in faults.items():
        median = quality.median(role)
        unaligned = [f for f in reasons.values() if not f.startswith(kaldi.NO_AUDIO)]
        if median is None and not unaligned:
            continue  # silence stands in for all recordings: nothing to judge by
        if median is None or median < options.min_median_score:
            evidence = (
                f"no utterance can be aligned ({unaligned[0]})"
                if median is None
                else f"the median of the mean word scores is {median:.2f} ({USUAL})"
            )
            raise UserError(
                f"{options.data_dir}, {role}: {evidence}: {options.encoder} does not "
                f"hear this speech, or the texts are of other recordings. Train the "
                "encoder on such speech (stage 2), or let it pass with "
                f"--min_median_score none (now {options.min_median_score:g})"
            )


def _say(complaint: str, reasons: Mapping[str, str], options: Options) -> None:
    if reasons:
        outcome = "dropped" if options.drop else "kept"
        print(
            f"align: {options.data_dir.name}: {len(reasons)} utterances {complaint}, "
            f"{outcome}:\n{drops.listed(reasons)}",
            flush=True,
        )


class _Aligner:
    """The encoder, loaded when the first shard asks for it."""

    def __init__(self, options: Options):
        self.options = options

    @cached_property
    def encoder(self) -> "SpeechEncoder":
        from s2st_interleave.device import resolve_device, set_threads
        from s2st_interleave.encoder.speech_encoder import SpeechEncoder

        set_threads(self.options.num_threads)
        device = resolve_device(self.options.device)
        return SpeechEncoder.load(self.options.encoder, device)

    def align(
        self, utterances: dict[str, tuple[str, Path]], silent: set[str], path: Path
    ) -> None:
        """Write the words of all utterances, (text, recording) by id, to `path`.

        Words that cannot be aligned get equal intervals and a reason. `silent`: ids of
        recordings that are missing, with silence in their place; nothing is measured there.
        """
        aligned: dict[str, list[Word]] = {}
        faults: dict[str, str] = {}
        for utterance in progress(utterances, f"align {os.path.basename(path.parent)}"):
            text, wav = utterances[utterance]
            # A text without a word counts as one silent word: evaluation data is not lost.
            words = segmentation.surface_words(text) or [text]
            samples = audio.read(wav)
            try:
                if utterance in silent:
                    raise segmentation.Unalignable(f"{kaldi.NO_AUDIO}: silence")
                aligned[utterance] = self._words(utterance, words, samples)
            except segmentation.Unalignable as error:
                duration = len(samples) / audio.SAMPLE_RATE
                aligned[utterance] = equal_words(words, duration)
                faults[utterance] = str(error)
        write_words(path, aligned, faults)

    def _words(
        self, utterance: str, words: Sequence[str], samples: np.ndarray
    ) -> list[Word]:
        """Raises Unalignable where the audio cannot hold the words."""
        encoder = self.encoder
        log_probs = encoder.forward(samples)
        if not np.isfinite(log_probs).all():
            raise ArithmeticError(f"{utterance}: the encoder's output is not finite")
        firings = segmentation.segment(
            log_probs,
            words,
            encoder.bpe,
            encoder.frame_sec,
            blank_edges=self.options.blank_edges,
        )
        duration = len(samples) / audio.SAMPLE_RATE
        return place_borders(words, firings, duration, self.options.min_gap_sec)
