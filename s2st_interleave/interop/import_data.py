"""Data directories of Kaldi or ESPnet in place of a corpus in stage 1.

    python -m s2st_interleave import_data --src_dir kaldi/train_es --src_lang es \\
        --tgt_dir kaldi/train_en --tgt_lang en --split train \\
        --data_dir data/train --audio_dir dump/audio/train

`--src_dir` and `--tgt_dir` may be one ESPnet directory with wav.scp.es, wav.scp.en ...,
named by language or by side. With `--sides "user=en agent=en"` they are the user's and the
agent's. Utterances are joined by id; ids that differ only by a folder or endings of audio
(`a.mp3`) are the same. Recordings are files, or lie in archives (`wav.1.ark:12`: WAVs of
Kaldi's wav-copy, any format of kaldiio); pipes are refused. Relative paths start in the
current directory. An utterance with a fault is dropped from train. In dev and test
each utterance must be on both sides, and silence stands in for a lost recording.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data.corpus import Speech, Utterance, no_id
from s2st_interleave.data.kaldi import NO_AUDIO
from s2st_interleave.errors import UserError
from s2st_interleave.interop.kaldi_dir import KaldiDir, Table
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages.data_dir import make
from s2st_interleave.stages.data_options import SidesOptions


@dataclass(frozen=True, kw_only=True)
class Options(SidesOptions):
    src_dir: Path = option(REQUIRED, "wav.scp and text of the first side")
    tgt_dir: Path = option(REQUIRED, "of the second side; may be the same one")


def run(options: Options) -> None:
    spoken = options.spoken()
    if len(spoken) != 2:
        raise UserError(
            f"--sides names {len(spoken)} sides, and two directories are read"
        )
    paths = (options.src_dir, options.tgt_dir)
    dirs = {
        role: KaldiDir(path, role, language)
        for path, (role, language) in zip(paths, spoken.items(), strict=True)
    }
    inputs = {
        f"{role}.{path.name}": Input(path)
        for role, data in dirs.items()
        for path in data.inputs()
    }
    make(options, utterances(dirs, options.split), inputs)


def utterances(dirs: Mapping[str, KaldiDir], split: str) -> list[Utterance]:
    """Utterances of the directories `dirs`, by role, joined by id, with their faults.

    Raises UserError naming the first utterance of dev or test that one of the files lacks.
    """
    first = next(iter(dirs.values()))
    ids = first.texts().values.keys()
    texts = {role: data.texts().renamed(ids) for role, data in dirs.items()}
    audio = {role: data.audio().renamed(ids) for role, data in dirs.items()}
    languages = {role: data.languages().renamed(ids) for role, data in dirs.items()}
    tables = [*texts.values(), *audio.values()]
    everyone = set().union(*(table.ids() for table in tables))
    if split != "train":
        _check_complete(tables, everyone)
    instead = _instead(tables)
    speakers: dict[str, str] = {}
    for data in reversed(list(dirs.values())):  # the first side's speakers win
        speakers |= _speakers(data.speakers().renamed(ids))

    def speech(role: str, utterance: str) -> Speech:
        return Speech(
            audio=audio[role].values.get(utterance, Path()),
            text=texts[role].values.get(utterance, ""),
            fault=_lost(audio[role], utterance),
            language=languages[role].values.get(utterance, ""),
            language_where=f"{languages[role].path}: {utterance}",
        )

    return [
        Utterance(
            id=utterance,
            speaker=speakers.get(utterance, utterance),
            sides={role: speech(role, utterance) for role in dirs},
            where=f"{tables[0].path}: {utterance}",
            fault=_fault(utterance, tables, len(texts), instead),
        )
        for utterance in sorted(everyone)
    ]


def _speakers(table: Table[str]) -> dict[str, str]:
    """Speakers by utterance; UserError for what is no speaker, before audio is read."""
    for utterance, speaker in table.values.items():
        if len(speaker.split()) != 1:
            what = f"speaker '{speaker}' has a space" if speaker else "no speaker"
            raise UserError(f"{table.path}: utterance {utterance}: {what}")
    return table.values


def _check_complete(tables: Sequence[Table], everyone: set[str]) -> None:
    for table in tables:
        missing = sorted(everyone - table.ids())
        if missing:
            raise UserError(
                f"{table.path}: {len(missing)} utterances of the other files are "
                f"missing, first {missing[0]}{_instead(tables)[table.path]}"
            )


def _instead(tables: Sequence[Table]) -> dict[Path, str]:
    """Ends of messages about a missing id, by file: an id that only some files have."""
    ids = [table.ids() for table in tables]
    shared = set.intersection(*ids)
    odd = {table.path: min(table.ids() - shared, default="") for table in tables}
    return {path: f" (it has '{name}')" if name else "" for path, name in odd.items()}


def _fault(
    utterance: str, tables: Sequence[Table], num_texts: int, instead: dict[Path, str]
) -> str:
    """The fault of an utterance, "" for none. The first `num_texts` tables are texts."""
    if reason := no_id(utterance):
        return f"no id: {tables[0].path}: {reason}"
    for table in tables:
        if utterance not in table.ids():
            others = instead[table.path]
            return f"not on both sides: {table.path} has no {utterance}{others}"
    for table in tables[:num_texts]:
        if utterance in table.faults:
            return f"text occurs twice: {table.faults[utterance]}"
    return ""


def _lost(audio: Table, utterance: str) -> str:
    fault = audio.faults.get(utterance, "")
    return fault and f"{NO_AUDIO}: {fault}"
