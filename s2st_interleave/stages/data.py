"""Stage 1: the corpus as distributed -> data/<split>, 16 kHz audio in dump/audio.

Training data may lose utterances, each with its reason in dropped.tsv. Dev and test lose
none: an utterance without a readable recording is kept with silence in its place, listed
in faults.<lang>, and has an empty hypothesis that counts as missing in stage 9.
"""

import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from s2st_interleave.artifact import Input, digest, open_stage
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import audio, kaldi
from s2st_interleave.data.archive import unpacked
from s2st_interleave.data.corpus import Corpus, Pair, check_source
from s2st_interleave.data.declared import check_names, check_pairs
from s2st_interleave.data.languages import LanguageCode, same
from s2st_interleave.data.text import clean, has_words
from s2st_interleave.errors import UserError
from s2st_interleave.progress import progress

SILENCE_SEC = 0.1  # stands in for a recording of dev or test that cannot be read


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """Of every command that makes a data directory from recordings."""

    data_dir: Path = option(REQUIRED, "data/<split> to write")
    audio_dir: Path = option(REQUIRED, "dump/audio/<split>: 16 kHz audio to write")
    split: Literal["train", "dev", "test"] = option(REQUIRED, "which split")
    src_lang: LanguageCode = option(REQUIRED, "source language code")
    tgt_lang: LanguageCode = option("en", "target language code")
    min_sec: float = option(0.3, "shorter training audio is dropped")
    max_sec: float = option(30.0, "longer training audio is dropped")
    max_drop_rate: float = option(0.05, "drop more of the training data and fail")
    max_missing_rate: float = option(
        0.01, "more of dev or test without readable audio, and fail", runtime=True
    )
    nj: int = option(2, "threads", runtime=True)
    overwrite: bool = option(False, "make it anew", runtime=True)


@dataclass(frozen=True, kw_only=True)
class Options(DataOptions):
    common_voice: Path = option(
        REQUIRED, "cv-corpus-4-2019-12-10/<src>, or <src>.tar.gz"
    )
    covost: Path = option(REQUIRED, "covost_v2.<src>_<tgt>.tsv, or .tsv.tar.gz")
    cvss: Path = option(REQUIRED, "cvss_c_<src>_<tgt>_v1.0, or .tar.gz")
    unpack_dir: Path = option(
        Path("dump/unpacked"), "where archives are unpacked", runtime=True
    )
    train_split: Literal["standard", "extended"] = option(
        "standard", "CoVoST's train, or with train_covost"
    )


def run(options: Options) -> None:
    # What is there? TSVs count by content, recordings by name and size.
    check_source(options.src_lang)
    parts = (options.common_voice, options.covost, options.cvss)
    check_names(parts, options.src_lang, options.tgt_lang)
    corpus = _corpus(options)
    pairs = corpus.pairs(options.split, extended=options.train_split == "extended")
    inputs = {
        "validated": Input(corpus.validated),
        "covost": Input(corpus.covost),
        "cvss": Input(corpus.cvss / f"{options.split}.tsv"),
    }
    make(options, pairs, inputs)


def _corpus(options: Options) -> Corpus:
    into = options.unpack_dir
    tsv = options.covost.name.removesuffix(".tar.gz")
    covost = unpacked(options.covost, into, tsv)
    return Corpus(
        unpacked(options.common_voice, into, "validated.tsv"),
        covost if covost == options.covost else covost / tsv,
        unpacked(options.cvss, into, f"{options.split}.tsv"),
    )


def make(options: DataOptions, pairs: list[Pair], inputs: Mapping[str, Input]) -> None:
    """Write options.data_dir and options.audio_dir from pairs, wherever these are from."""
    # 1. Is there anything to do?
    codes = options.src_lang, options.tgt_lang
    if same(*codes):
        raise UserError(f"source and target language are both '{options.src_lang}'")
    languages = check_pairs(pairs, *codes)
    clips = [(p.id, _size(p.src_audio), _size(p.tgt_audio)) for p in pairs]
    stage = open_stage(
        options.data_dir,
        stage="data",
        options=options,
        inputs={**inputs, "clips": digest(clips)},
        overwrite=options.overwrite,
    )
    if stage is None:
        return
    print("\n".join(f"data: {line}" for line in languages))
    if stage.is_new:  # recordings of the same names may have been others
        shutil.rmtree(options.audio_dir, ignore_errors=True)

    # 2. Convert the audio of both sides, once.
    convert = partial(_convert_pair, options)
    with ThreadPoolExecutor(options.nj) as pool:
        results = pool.map(convert, pairs)
        done = list(progress(results, f"audio {options.split}", len(pairs)))
    outcomes = {p.id: o for p, o in zip(pairs, done, strict=True)}

    # 3. Training data may lose utterances, for a reason; dev and test may not.
    dropped = {k: o.unusable for k, o in outcomes.items() if o.unusable}
    silent = {
        k: fault
        for k, o in outcomes.items()
        for fault in o.faults
        if fault.startswith(kaldi.NO_AUDIO)
    }
    is_train = options.split == "train"
    if is_train:
        rate, why = options.max_drop_rate, "--max_drop_rate"
    else:
        rate, why = 0.0, "scores would be of another test set: mend its files"
    _limit(options, dropped, len(pairs), rate, "unusable", why)
    rate = options.max_missing_rate
    _limit(options, silent, len(pairs), rate, "not readable", "--max_missing_rate")

    # 4. Write the directory and check it as everybody else would.
    kept = [pair for pair in pairs if pair.id not in dropped]
    _write_tables(options, kept, outcomes)
    kaldi.validate(kaldi.DataDir(options.data_dir), codes)
    stage.finish(
        num_in=len(pairs), num_out=len(kept), dropped=dropped, num_silent=len(silent)
    )


@dataclass(frozen=True)
class _Outcome:
    """Of one pair, source before target: seconds of audio, faults ("": none)."""

    seconds: tuple[float, float] = (0.0, 0.0)
    faults: tuple[str, str] = ("", "")
    unusable: str = ""  # why the pair cannot stay


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _limit(
    options: DataOptions,
    reasons: Mapping[str, str],
    total: int,
    rate: float,
    what: str,
    why: str,
) -> None:
    if len(reasons) > rate * total:
        first = "\n".join(f"  {k}: {v}" for k, v in sorted(reasons.items())[:10])
        raise UserError(
            f"{len(reasons)} of {total} {options.split} utterances are {what} "
            f"(at most {int(rate * total)} may be, {why}):\n{first}"
        )


def _audio_path(options: DataOptions, language: str, utterance: str) -> Path:
    return options.audio_dir / language / f"{utterance}.flac"


def _convert_pair(options: DataOptions, pair: Pair) -> _Outcome:
    """16 kHz audio of both sides; training data with a fault is not to be used."""
    if pair.fault:
        return _Outcome(unusable=pair.fault)
    seconds, faults = [], []
    sides = (
        (options.src_lang, pair.src_audio, pair.src_text),
        (options.tgt_lang, pair.tgt_audio, pair.tgt_text),
    )
    for language, source, text in sides:
        samples, fault = _read(language, source)
        duration = len(samples) / audio.SAMPLE_RATE
        if not has_words(text):
            fault = fault or f"{kaldi.NO_WORDS} in the {language} text: {text!r}"
        if options.split == "train":
            fault = fault or _unfit(options, language, duration)
            if fault:
                return _Outcome(unusable=f"{fault}, {pair.where}")
        target = _audio_path(options, language, pair.id)
        if not target.is_file():  # whole or absent: it appears by rename
            audio.write(target, samples)
        seconds.append(duration)
        faults.append(fault and f"{fault}, {pair.where}")
    return _Outcome((seconds[0], seconds[1]), (faults[0], faults[1]))


def _read(language: str, source: Path) -> tuple[np.ndarray, str]:
    """16 kHz samples and "", or silence and why there is nothing else."""
    try:
        if source.is_file():
            return audio.read(source), ""
        fault = f"{kaldi.NO_AUDIO}, {language} is missing: {source}"
    except UserError as error:
        fault = f"{kaldi.NO_AUDIO}, {language} is broken: {error}"
    return np.zeros(round(SILENCE_SEC * audio.SAMPLE_RATE), np.float32), fault


def _unfit(options: DataOptions, language: str, duration: float) -> str:
    if duration < options.min_sec:
        return f"{language} audio is too short: {duration:.2f} s"
    if duration > options.max_sec:
        return f"{language} audio is too long: {duration:.2f} s"
    return ""


def _write_tables(
    options: DataOptions, pairs: list[Pair], outcomes: Mapping[str, _Outcome]
) -> None:
    data = kaldi.DataDir(options.data_dir)
    for side, language in enumerate((options.src_lang, options.tgt_lang)):
        texts = {p.id: clean(p.tgt_text if side else p.src_text) for p in pairs}
        wavs = {p.id: str(_audio_path(options, language, p.id)) for p in pairs}
        secs = {p.id: f"{outcomes[p.id].seconds[side]:.3f}" for p in pairs}
        faults = {p.id: outcomes[p.id].faults[side] for p in pairs}
        kaldi.write_table(data.file("text", language), texts)
        kaldi.write_table(data.file("wav.scp", language), wavs)
        kaldi.write_table(data.file("utt2dur", language), secs)
        if any(faults.values()):
            found = {k: clean(fault) for k, fault in faults.items() if fault}
            kaldi.write_table(data.file("faults", language), found)
    kaldi.write_speakers(data, {p.id: p.speaker for p in pairs})
