"""Stage 1: the corpus as distributed -> data/<split>, 16 kHz audio in dump/audio.

Training data may lose utterances, each with its reason in dropped.tsv. Dev and test lose
none: an utterance without a readable recording is kept with silence in its place, listed
in faults.<lang>, and has an empty hypothesis that counts as missing in stage 9.

Recordings count by their content. A 16 kHz file is taken up only where it was made from
what is there now: interrupted, mended or with --overwrite true, only the rest is converted.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from s2st_interleave import drops
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi, overlap, proof
from s2st_interleave.data.archive import unpacked
from s2st_interleave.data.channels import HELP, MIX, Channels
from s2st_interleave.data.checks import LONGEST_UTTERANCE
from s2st_interleave.data.conversion import Spoken, convert
from s2st_interleave.data.corpus import Corpus, Pair, check_source
from s2st_interleave.data.declared import check_names, check_pairs
from s2st_interleave.data.languages import LanguageCode, same
from s2st_interleave.data.levels import NEAR_SILENT, Level, report
from s2st_interleave.data.proof import Sound
from s2st_interleave.data.sources import Reader, Source, Sources, file_of
from s2st_interleave.data.text import clean
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.progress import progress
from s2st_interleave.promises import DONE
from s2st_interleave.record import digest
from s2st_interleave.stage_dir import Input, open_stage

DIGESTS = "digests"  # in audio_dir: what is known of the recordings' content


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """Of every command that makes a data directory from recordings."""

    data_dir: Path = option(REQUIRED, "data/<split> to write")
    audio_dir: Path = option(REQUIRED, "dump/audio/<split>: 16 kHz audio to write")
    split: Literal["train", "dev", "test"] = option(REQUIRED, "which split")
    src_lang: LanguageCode = option(REQUIRED, "source language code")
    tgt_lang: LanguageCode = option("en", "target language code")
    min_sec: float = option(0.3, "shorter training audio is dropped", minimum=0)
    max_sec: float = option(30.0, "longer training audio is dropped", above=0)
    max_drop_rate: float = option(
        0.05,
        "drop more of the training data and fail",
        runtime=True,
        minimum=0,
        maximum=1,
    )
    max_missing_rate: float = option(
        0.01,
        "more of dev or test without readable audio, and fail",
        runtime=True,
        minimum=0,
        maximum=1,
    )
    src_channels: Channels = option(MIX, f"of source recordings: {HELP}", new=True)
    tgt_channels: Channels = option(MIX, "of target recordings, likewise", new=True)
    near_silent: float = option(
        NEAR_SILENT,
        "dBFS, root mean square: quieter utterances are reported",
        new=True,
    )
    drop_near_silent: bool = option(False, "and dropped, from training data", new=True)
    nj: int = option(2, "threads", runtime=True, minimum=1)
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
    # What is there? TSVs and recordings count by content.
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


def make(
    options: DataOptions,
    pairs: list[Pair],
    inputs: Mapping[str, Input],
    train: list[Pair] | None = None,
) -> None:
    """Write options.data_dir and options.audio_dir from pairs, wherever these are from.

    Sentences of dev and test that are in `train` too, or without it in the directories
    beside this one, are counted.
    """
    # 1. Is there anything to do?
    codes = options.src_lang, options.tgt_lang
    if same(*codes):
        raise UserError(f"source and target language are both '{options.src_lang}'")
    languages = check_pairs(pairs, *codes)
    sides = {
        options.src_lang: {p.id: p.src_audio for p in pairs},
        options.tgt_lang: {p.id: p.tgt_audio for p in pairs},
    }
    sources = Sources.look(sides, options.audio_dir / DIGESTS, options.nj)
    stage = open_stage(
        options.data_dir,
        stage="data",
        options=options,
        inputs={**inputs, "clips": _by_size(options, pairs) or sources},
        overwrite=options.overwrite,
        proven=True,
    )
    if stage is None:
        return
    print("\n".join(f"data: {line}" for line in languages))
    sources.write(options.data_dir)

    # 2. Convert the audio of both sides, but for what is there; parts of a file together.
    reader = Reader(LONGEST_UTTERANCE * options.max_sec)
    convert_pair = partial(_convert_pair, options, sources, reader)
    work = sorted(pairs, key=lambda p: str(file_of(p.src_audio)))
    with ThreadPoolExecutor(options.nj) as pool:
        results = pool.map(convert_pair, work)
        done = list(progress(results, f"audio {options.split}", len(work)))
    by_id = {p.id: outcome for p, outcome in zip(work, done, strict=True)}
    outcomes = {p.id: by_id[p.id] for p in pairs}

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
    data = kaldi.DataDir(options.data_dir)
    kaldi.validate(data, codes)
    _remove_others(options, kept)
    stage.finish(
        num_in=len(pairs),
        num_out=len(kept),
        dropped=dropped,
        num_silent=len(silent),
        levels=report(
            options.split, _levels(options, kept, outcomes), options.near_silent
        ),
        in_train=_in_train(options, kept, train)
        if train
        else overlap.report_beside(data, options.split, codes),
    )


@dataclass(frozen=True)
class _Outcome:
    """Of one pair, source before target: what was measured, faults ("": none)."""

    sounds: tuple[Sound, ...] = ()
    faults: tuple[str, ...] = ()
    unusable: str = ""  # why the pair cannot stay


def _levels(
    options: DataOptions, pairs: list[Pair], outcomes: Mapping[str, _Outcome]
) -> dict[str, dict[str, Level]]:
    """By language and id, of the recordings that could be read."""
    return {
        language: {
            p.id: outcomes[p.id].sounds[side].level
            for p in pairs
            if not outcomes[p.id].faults[side].startswith(kaldi.NO_AUDIO)
        }
        for side, language in enumerate((options.src_lang, options.tgt_lang))
    }


def _in_train(options: DataOptions, pairs: list[Pair], train: list[Pair]) -> dict:
    """Number of utterances whose text is in train as well, by split and language."""
    if options.split == "train":
        return {}
    texts, others = (
        {
            options.src_lang: {p.id: p.src_text for p in part},
            options.tgt_lang: {p.id: p.tgt_text for p in part},
        }
        for part in (pairs, train)
    )
    return {options.split: overlap.report(options.split, texts, others)}


def _by_size(options: DataOptions, pairs: list[Pair]) -> str:
    """Input `clips` of a directory of an earlier version, which knew no more than sizes.

    Empty for every other one, and where sizes differ.
    """
    path = options.data_dir / DONE
    if not path.is_file() or "files" in read_json(path):
        return ""
    clips = digest([(p.id, _size(p.src_audio), _size(p.tgt_audio)) for p in pairs])
    return clips if read_json(path)["inputs"].get("clips") == clips else ""


def _size(source: Source) -> int:
    path = file_of(source)
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
        raise UserError(
            f"{len(reasons)} of {total} {options.split} utterances are {what} "
            f"(at most {int(rate * total)} may be, {why}):\n{drops.listed(reasons)}"
        )


def _audio_path(options: DataOptions, language: str, utterance: str) -> Path:
    return options.audio_dir / language / f"{utterance}.flac"


def _convert_pair(
    options: DataOptions, sources: Sources, reader: Reader, pair: Pair
) -> _Outcome:
    """16 kHz audio of both sides; training data with a fault is not to be used."""
    if pair.fault:
        return _Outcome(unusable=pair.fault)
    sounds, faults = [], []
    for spoken in _sides(options, sources, pair):
        conversion = convert(spoken, reader)
        sound, fault = conversion.sound, conversion.fault
        if options.split == "train":
            fault = fault or _unfit(options, spoken.language, sound)
            if fault:
                return _Outcome(unusable=f"{fault}, {pair.where}")
        conversion.write(spoken.target)
        sounds.append(sound)
        faults.append(fault and f"{fault}, {pair.where}")
    return _Outcome(tuple(sounds), tuple(faults))


def _sides(options: DataOptions, sources: Sources, pair: Pair) -> list[Spoken]:
    """Source, then target."""
    return [
        Spoken(
            language=language,
            source=source,
            content=sources.content[language][pair.id],
            text=text,
            fault=fault,
            channels=channels,
            target=_audio_path(options, language, pair.id),
        )
        for language, source, text, fault, channels in zip(
            (options.src_lang, options.tgt_lang),
            (pair.src_audio, pair.tgt_audio),
            (pair.src_text, pair.tgt_text),
            pair.faults,
            (options.src_channels, options.tgt_channels),
            strict=True,
        )
    ]


def _unfit(options: DataOptions, language: str, sound: Sound) -> str:
    if sound.seconds < options.min_sec:
        return f"{language} audio is too short: {sound.seconds:.2f} s"
    if sound.seconds > options.max_sec:
        return f"{language} audio is too long: {sound.seconds:.2f} s"
    if options.drop_near_silent and sound.level.rms < options.near_silent:
        return f"{language} audio is near-silent: {sound.level.rms} dBFS"
    return ""


def _write_tables(
    options: DataOptions, pairs: list[Pair], outcomes: Mapping[str, _Outcome]
) -> None:
    data = kaldi.DataDir(options.data_dir)
    for side, language in enumerate((options.src_lang, options.tgt_lang)):
        texts = {p.id: clean(p.tgt_text if side else p.src_text) for p in pairs}
        wavs = {p.id: str(_audio_path(options, language, p.id)) for p in pairs}
        secs = {p.id: f"{outcomes[p.id].sounds[side].seconds:.3f}" for p in pairs}
        faults = {p.id: outcomes[p.id].faults[side] for p in pairs}
        kaldi.write_table(data.file("text", language), texts)
        kaldi.write_table(data.file("wav.scp", language), wavs)
        levels = {p.id: str(outcomes[p.id].sounds[side].level) for p in pairs}
        kaldi.write_table(data.file("utt2dur", language), secs)
        kaldi.write_table(data.file("utt2level", language), levels)
        if any(faults.values()):
            found = {k: clean(fault) for k, fault in faults.items() if fault}
            kaldi.write_table(data.file("faults", language), found)
    kaldi.write_speakers(data, {p.id: p.speaker for p in pairs})


def _remove_others(options: DataOptions, kept: list[Pair]) -> None:
    """Audio of utterances that are no longer of the split, or were dropped."""
    names = {f"{pair.id}.flac" for pair in kept}
    languages = (options.src_lang, options.tgt_lang)
    found = [p for lang in languages for p in (options.audio_dir / lang).glob("*.flac")]
    others = [p for p in found if p.name not in names and proof.is_ours(p)]
    for path in others:
        path.unlink()
    if others:
        print(f"data: {options.audio_dir}: {len(others)} files of no use removed")
