"""Data directories of Kaldi or ESPnet in place of a corpus in stage 1.

    python -m s2st_interleave import_data --src_dir kaldi/train_es --src_lang es \\
        --tgt_dir kaldi/train_en --tgt_lang en --split train \\
        --data_dir data/train --audio_dir dump/audio/train

`--src_dir` and `--tgt_dir` may be one ESPnet directory with wav.scp.es, wav.scp.en ...
Utterances are joined by id; ids of one side that are the other's with a folder or endings
of audio (`a.mp3`) are the same. Recordings are files: pipes are refused. Relative paths
start where the command does. What is wrong with one utterance drops it from train; dev and
test may lack none on one side, and silence stands in for a lost recording.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data.corpus import Pair, no_id
from s2st_interleave.data.kaldi import NO_AUDIO
from s2st_interleave.errors import UserError
from s2st_interleave.interop.kaldi_dir import KaldiDir, Table
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages.data import DataOptions, make


@dataclass(frozen=True, kw_only=True)
class Options(DataOptions):
    src_dir: Path = option(REQUIRED, "wav.scp and text of the source language")
    tgt_dir: Path = option(REQUIRED, "of the target language; may be the same one")


def run(options: Options) -> None:
    source = KaldiDir(options.src_dir, options.src_lang)
    target = KaldiDir(options.tgt_dir, options.tgt_lang)
    inputs = {
        f"{side}.{path.name}": Input(path)
        for side, data in (("src", source), ("tgt", target))
        for path in data.inputs()
    }
    make(options, pairs(source, target, options.split), inputs)


def pairs(source: KaldiDir, target: KaldiDir, split: str) -> list[Pair]:
    """Joined by id, each with what is wrong with it.

    Raises UserError naming the first utterance of dev or test that one of the four
    files lacks.
    """
    ids = source.texts().values.keys()
    texts = [side.texts().renamed(ids) for side in (source, target)]
    audio = [side.audio().renamed(ids) for side in (source, target)]
    tables = [*texts, *audio]
    everyone = set().union(*(table.ids() for table in tables))
    if split != "train":
        _check_complete(tables, everyone)
    instead = _instead(tables)
    languages = source.languages(), target.languages()
    spoken = [side.speakers().renamed(ids).values for side in (target, source)]
    speakers = spoken[0] | spoken[1]
    return [
        Pair(
            id=utterance,
            speaker=speakers.get(utterance, utterance),
            src_audio=audio[0].values.get(utterance, Path()),
            src_text=texts[0].values.get(utterance, ""),
            tgt_audio=audio[1].values.get(utterance, Path()),
            tgt_text=texts[1].values.get(utterance, ""),
            where=f"{texts[0].path}: {utterance}",
            fault=_fault(utterance, tables, instead),
            faults=(_lost(audio[0], utterance), _lost(audio[1], utterance)),
            src_lang=languages[0].get(utterance, ""),
            tgt_lang=languages[1].get(utterance, ""),
        )
        for utterance in sorted(everyone)
    ]


def _check_complete(tables: Sequence[Table], everyone: set[str]) -> None:
    for table in tables:
        missing = sorted(everyone - table.ids())
        if missing:
            raise UserError(
                f"{table.path}: {len(missing)} utterances of the other files are "
                f"missing, first {missing[0]}{_instead(tables)[table.path]}"
            )


def _instead(tables: Sequence[Table]) -> dict[Path, str]:
    """By file what to say of an id that it lacks: one that not all have."""
    ids = [table.ids() for table in tables]
    shared = set.intersection(*ids)
    own = {table.path: min(table.ids() - shared, default="") for table in tables}
    return {path: f" (it has '{name}')" if name else "" for path, name in own.items()}


def _fault(utterance: str, tables: Sequence[Table], instead: dict[Path, str]) -> str:
    """Why an utterance cannot be used in any split; "": it can."""
    if why := no_id(utterance):
        return f"no id: {tables[0].path}: {why}"
    for table in tables:
        if utterance not in table.ids():
            others = instead[table.path]
            return f"not on both sides: {table.path} has no {utterance}{others}"
    for table in tables[:2]:
        if utterance in table.faults:
            return f"text occurs twice: {table.faults[utterance]}"
    return ""


def _lost(audio: Table, utterance: str) -> str:
    fault = audio.faults.get(utterance, "")
    return fault and f"{NO_AUDIO}: {fault}"
