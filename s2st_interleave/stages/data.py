"""Stage 1: the corpus as distributed -> data/<split>, 16 kHz audio in dump/audio."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from s2st_interleave.artifact import Input, digest, open_stage
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import audio, kaldi
from s2st_interleave.data.corpus import Corpus, Pair
from s2st_interleave.progress import progress


@dataclass(frozen=True, kw_only=True)
class Options:
    common_voice: Path = option(REQUIRED, "cv-corpus-4-2019-12-10/<src>")
    covost: Path = option(REQUIRED, "covost_v2.<src>_<tgt>.tsv")
    cvss: Path = option(REQUIRED, "cvss_c_<src>_<tgt>_v1.0, unpacked")
    data_dir: Path = option(REQUIRED, "data/<split> to write")
    audio_dir: Path = option(REQUIRED, "dump/audio/<split>: 16 kHz audio to write")
    split: Literal["train", "dev", "test"] = option(REQUIRED, "which split")
    src_lang: str = option(REQUIRED, "source language code")
    tgt_lang: str = option("en", "target language code")
    train_split: Literal["standard", "extended"] = option(
        "standard", "CoVoST's train, or with train_covost"
    )
    min_sec: float = option(0.3, "shorter training audio is dropped")
    max_sec: float = option(30.0, "longer training audio is dropped")
    max_drop_rate: float = option(0.05, "drop more of the training data and fail")
    nj: int = option(2, "threads", runtime=True)
    overwrite: bool = option(False, "make it anew", runtime=True)


def run(options: Options) -> None:
    # 1. What is there? TSVs count by content, recordings by name and size.
    corpus = Corpus(options.common_voice, options.covost, options.cvss)
    pairs = corpus.pairs(options.split, extended=options.train_split == "extended")
    inputs: dict[str, Input | str] = {
        "validated": Input(options.common_voice / "validated.tsv"),
        "covost": Input(options.covost),
        "cvss": Input(options.cvss / f"{options.split}.tsv"),
        "clips": digest(
            [(p.id, _size(p.src_audio), _size(p.tgt_audio)) for p in pairs]
        ),
    }
    stage = open_stage(
        options.data_dir,
        stage="data",
        options=options,
        inputs=inputs,
        overwrite=options.overwrite,
    )
    if stage is None:
        return
    if stage.is_new:  # recordings of the same names may have been others
        shutil.rmtree(options.audio_dir, ignore_errors=True)

    # 2. Convert the audio of both sides, once.
    convert = partial(_convert_pair, options)
    with ThreadPoolExecutor(options.nj) as pool:
        results = pool.map(convert, pairs)
        outcomes = list(progress(results, f"audio {options.split}", len(pairs)))
    durations = {p.id: o for p, o in zip(pairs, outcomes, strict=True)}
    dropped = {k: v for k, v in durations.items() if isinstance(v, str)}

    # 3. Training data may lose utterances, for a reason; dev and test may not.
    allowed = options.max_drop_rate * len(pairs) if options.split == "train" else 0
    if len(dropped) > allowed:
        first = "\n".join(f"  {k}: {v}" for k, v in sorted(dropped.items())[:10])
        raise ValueError(
            f"{len(dropped)} of {len(pairs)} {options.split} utterances are unusable "
            f"(at most {int(allowed)} may be dropped):\n{first}"
        )

    # 4. Write the directory and check it as everybody else would.
    kept = [pair for pair in pairs if pair.id not in dropped]
    _write_tables(options, kept, durations)
    languages = (options.src_lang, options.tgt_lang)
    kaldi.validate(kaldi.DataDir(options.data_dir), languages)
    stage.finish(num_in=len(pairs), num_out=len(kept), dropped=dropped)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _audio_path(options: Options, language: str, utterance: str) -> Path:
    return options.audio_dir / language / f"{utterance}.flac"


def _convert_pair(options: Options, pair: Pair) -> tuple[float, float] | str:
    """Seconds of source and target audio, or the reason to drop the pair."""
    seconds = []
    sides = (
        (options.src_lang, pair.src_audio, pair.src_text),
        (options.tgt_lang, pair.tgt_audio, pair.tgt_text),
    )
    for language, source, text in sides:
        if not any(c.isalnum() for c in text):
            return f"no words in the {language} text"
        if not source.is_file():
            return f"{language} audio is missing: {source}"
        try:
            samples = audio.read(source)
        except ValueError as error:
            return f"{language} audio is broken: {error}"
        duration = len(samples) / audio.SAMPLE_RATE
        if options.split == "train" and duration < options.min_sec:
            return f"{language} audio is too short: {duration:.2f} s"
        if options.split == "train" and duration > options.max_sec:
            return f"{language} audio is too long: {duration:.2f} s"
        target = _audio_path(options, language, pair.id)
        if not target.is_file():  # whole or absent: it appears by rename
            audio.write(target, samples)
        seconds.append(duration)
    return seconds[0], seconds[1]


def _write_tables(options: Options, pairs: list[Pair], durations: dict) -> None:
    data = kaldi.DataDir(options.data_dir)
    for side, language in enumerate((options.src_lang, options.tgt_lang)):
        texts = {p.id: p.tgt_text if side else p.src_text for p in pairs}
        clean = {k: " ".join(text.split()) for k, text in texts.items()}
        wavs = {p.id: str(_audio_path(options, language, p.id)) for p in pairs}
        secs = {p.id: f"{durations[p.id][side]:.3f}" for p in pairs}
        kaldi.write_table(data.file("text", language), clean)
        kaldi.write_table(data.file("wav.scp", language), wavs)
        kaldi.write_table(data.file("utt2dur", language), secs)
    speakers: dict[str, list[str]] = {}
    for pair in pairs:
        speakers.setdefault(pair.speaker, []).append(pair.id)
    kaldi.write_table(data.path / "utt2spk", {p.id: p.speaker for p in pairs})
    kaldi.write_table(
        data.path / "spk2utt", {k: " ".join(sorted(v)) for k, v in speakers.items()}
    )
