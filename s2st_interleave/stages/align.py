"""Stage 3: word times by CTC segmentation with the fine-tuned encoder."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.align import segmentation
from s2st_interleave.align.words import (
    equal_words,
    place_borders,
    read_words,
    write_words,
)
from s2st_interleave.artifact import Input, open_stage
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import audio, kaldi
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.errors import UserError
from s2st_interleave.progress import progress
from s2st_interleave.shards import ShardOptions, run_shards


@dataclass(frozen=True, kw_only=True)
class Options(ShardOptions):
    data_dir: Path = option(REQUIRED, "data/<split>")
    encoder: Path = option(REQUIRED, "exp/<encoder> of stage 2")
    out_dir: Path = option(REQUIRED, "dump/align/<split> to write")
    languages: tuple[LanguageCode, ...] = option(REQUIRED, "for example 'es en'")
    min_gap_sec: float = option(0.32, "only longer pauses between tokens are nobody's")
    drop: bool = option(
        True, "drop what cannot be aligned; false (dev, test): equal parts"
    )
    max_drop_rate: float = option(0.05, "drop more and fail")


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

    # 2. Align every utterance of every language, shard by shard.
    data = kaldi.DataDir(options.data_dir)
    aligner = _Aligner(options)
    dropped: dict[str, str] = {}
    files = {}
    for language in options.languages:
        texts, wavs = data.texts(language), data.wavs(language)

        def process(ids: Sequence[str], path: Path, texts=texts, wavs=wavs) -> None:
            aligner.align({i: (texts[i], wavs[i]) for i in ids}, path)

        folder = options.out_dir / "shards" / language
        files[language] = run_shards(
            sorted(texts), folder, options.shard, options.num_shards, process
        )
    if options.shard:
        return

    # 3. Merge; what a shard left out gets its reason.
    num_in = len(data.texts(options.languages[0]))
    merged = {lang: read_words(paths) for lang, paths in files.items() if paths}
    for language, words in merged.items():
        missing = data.texts(language).keys() - words.keys()
        dropped |= dict.fromkeys(missing, f"{language} audio is shorter than its text")
    if len(dropped) > options.max_drop_rate * num_in:
        first = min(dropped)
        raise UserError(
            f"{len(dropped)} of {num_in} utterances cannot be aligned, first {first}: "
            f"{dropped[first]} (--max_drop_rate {options.max_drop_rate})"
        )
    for language, words in merged.items():
        kept = {k: v for k, v in words.items() if k not in dropped}
        write_words(options.out_dir / f"words.{language}.jsonl", kept)
    num_equal = sum(
        all(w.score == 0 for w in ws)
        for words in merged.values()
        for ws in words.values()
    )
    stage.finish(
        num_in=num_in,
        num_out=num_in - len(dropped),
        dropped=dropped,
        num_equal_intervals=num_equal,
    )


class _Aligner:
    """The encoder, loaded when the first shard asks for it."""

    def __init__(self, options: Options):
        self.options = options
        self.encoder = None

    def align(self, utterances: dict[str, tuple[str, Path]], path: Path) -> None:
        from s2st_interleave.encoder.speech_encoder import SpeechEncoder
        from s2st_interleave.train.loop import resolve_device, set_threads

        if self.encoder is None:
            set_threads(self.options.num_threads)
            device = resolve_device(self.options.device)
            self.encoder = SpeechEncoder.load(self.options.encoder, device)
        found = {}
        for utterance in progress(utterances, f"align {os.path.basename(path.parent)}"):
            text, wav = utterances[utterance]
            # Evaluation data without a word is one silent word: nothing is lost there.
            words = segmentation.surface_words(text) or [text]
            samples = audio.read(wav)
            duration = len(samples) / audio.SAMPLE_RATE
            try:
                firings = segmentation.segment(
                    self.encoder.forward(samples),
                    words,
                    self.encoder.bpe,
                    self.encoder.frame_sec,
                )
                gap = self.options.min_gap_sec
                found[utterance] = place_borders(words, firings, duration, gap)
            except UserError:
                if not self.options.drop:
                    found[utterance] = equal_words(words, duration)
        write_words(path, found)
