"""Stage 1, of whatever corpus: utterances -> data/<split>, 16 kHz audio in dump/audio."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from s2st_interleave import drops
from s2st_interleave.data import kaldi, overlap, proof, sides
from s2st_interleave.data.checks import LONGEST_UTTERANCE
from s2st_interleave.data.conversion import Spoken, convert
from s2st_interleave.data.corpus import Utterance
from s2st_interleave.data.declared import check_sides
from s2st_interleave.data.levels import Level, report
from s2st_interleave.data.proof import Sound
from s2st_interleave.data.sides import Sides
from s2st_interleave.data.sources import Reader, Source, Sources, file_of
from s2st_interleave.data.text import clean
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.progress import progress
from s2st_interleave.promises import DONE
from s2st_interleave.record import digest
from s2st_interleave.stage_dir import Input, open_stage
from s2st_interleave.stages.data_options import DataOptions

DIGESTS = "digests"  # in audio_dir: what is known of the recordings' content


def make(
    options: DataOptions,
    utterances: list[Utterance],
    inputs: Mapping[str, Input],
    train: list[Utterance] | None = None,
) -> None:
    """Write options.data_dir and options.audio_dir, wherever the utterances are from.

    Sentences of dev and test that are in `train` too, or without it in the directories
    beside this one, are counted.
    """
    # 1. Is there anything to do?
    spoken = options.spoken()
    languages = check_sides(utterances, spoken)
    files = {role: {u.id: u.sides[role].audio for u in utterances} for role in spoken}
    sources = Sources.look(files, spoken, options.audio_dir / DIGESTS, options.nj)
    stage = open_stage(
        options.data_dir,
        stage="data",
        options=options,
        inputs={**inputs, "clips": _by_size(options, utterances) or sources},
        overwrite=options.overwrite,
        proven=True,
    )
    if stage is None:
        return
    print("\n".join(f"data: {line}" for line in languages))
    data = kaldi.DataDir(options.data_dir)
    if not _is_earlier(data.path, spoken):
        sides.write(data.path, spoken)
    sources.write(data.path)

    # 2. Convert the audio of all sides, but for what is there; parts of a file together.
    reader = Reader(LONGEST_UTTERANCE * options.max_sec)
    targets = {role: options.audio_dir / data.suffix(role) for role in spoken}
    converted = partial(_convert, options, sources, targets, reader)
    first = next(iter(spoken))
    work = sorted(utterances, key=lambda u: str(file_of(u.sides[first].audio)))
    with ThreadPoolExecutor(options.nj) as pool:
        results = pool.map(converted, work)
        done = list(progress(results, "recordings", len(work)))
    by_id = {u.id: outcome for u, outcome in zip(work, done, strict=True)}
    outcomes = {u.id: by_id[u.id] for u in utterances}

    # 3. Training data may lose utterances, for a reason; dev and test may not.
    dropped = {k: o.unusable for k, o in outcomes.items() if o.unusable}
    silent = {
        k: fault
        for k, o in outcomes.items()
        for fault in o.faults.values()
        if fault.startswith(kaldi.NO_AUDIO)
    }
    if options.split == "train":
        rate, why = options.max_drop_rate, "--max_drop_rate"
    else:
        rate, why = 0.0, "scores would be of another test set: mend its files"
    total = len(utterances)
    _limit(options, dropped, total, rate, "unusable", why)
    rate = options.max_missing_rate
    _limit(options, silent, total, rate, "not readable", "--max_missing_rate")

    # 4. Write the directory and check it as everybody else would.
    kept = [utterance for utterance in utterances if utterance.id not in dropped]
    _write_tables(data, targets, kept, outcomes)
    kaldi.validate(data)
    _remove_others(options.audio_dir, set(targets.values()), kept, spoken)
    levels = {role: _levels(role, kept, outcomes) for role in spoken}
    stage.finish(
        num_in=total,
        num_out=len(kept),
        dropped=dropped,
        num_silent=len(silent),
        levels=report(options.split, levels, options.near_silent),
        in_train=_in_train(options, kept, train)
        if train
        else overlap.report_beside(data, options.split),
    )


@dataclass(frozen=True)
class _Outcome:
    """What was measured of an utterance's sides, and their faults ("": none), by role."""

    sounds: Mapping[str, Sound] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    unusable: str = ""  # why the utterance cannot stay


def _is_earlier(directory: Path, spoken: Sides) -> bool:
    """Whether an earlier version has named what is there by language: that stays so."""
    if (directory / sides.TABLE).is_file():
        return False
    return any(list(directory.glob(f"*.{code}")) for code in spoken.values())


def _levels(
    role: str, utterances: list[Utterance], outcomes: Mapping[str, _Outcome]
) -> dict[str, Level]:
    """By id, of the recordings that could be read."""
    return {
        u.id: outcomes[u.id].sounds[role].level
        for u in utterances
        if not outcomes[u.id].faults[role].startswith(kaldi.NO_AUDIO)
    }


def _in_train(
    options: DataOptions, utterances: list[Utterance], train: list[Utterance]
) -> dict:
    """Number of utterances whose text is in train as well, by split and role."""
    if options.split == "train":
        return {}
    texts, others = (
        {role: {u.id: u.sides[role].text for u in part} for role in options.spoken()}
        for part in (utterances, train)
    )
    return {options.split: overlap.report(options.split, texts, others)}


def _by_size(options: DataOptions, utterances: list[Utterance]) -> str:
    """Input `clips` of a directory of an earlier version, which knew no more than sizes.

    Empty for every other one, and where sizes differ.
    """
    path = options.data_dir / DONE
    if not path.is_file() or "files" in read_json(path):
        return ""
    sizes = [
        (u.id, *(_size(speech.audio) for speech in u.sides.values()))
        for u in utterances
    ]
    clips = digest(sizes)
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


def _convert(
    options: DataOptions,
    sources: Sources,
    targets: Mapping[str, Path],
    reader: Reader,
    utterance: Utterance,
) -> _Outcome:
    """16 kHz audio of all sides; training data with a fault is not to be used."""
    if utterance.fault:
        return _Outcome(unusable=utterance.fault)
    sounds, faults = {}, {}
    for role, channels in options.channels().items():
        speech = utterance.sides[role]
        spoken = Spoken(
            role=role,
            source=speech.audio,
            content=sources.content[role][utterance.id],
            text=speech.text,
            fault=speech.fault,
            channels=channels,
            target=_flac(targets[role], utterance.id),
        )
        conversion = convert(spoken, reader)
        sound, fault = conversion.sound, conversion.fault
        if options.split == "train":
            fault = fault or _unfit(options, role, sound)
            if fault:
                return _Outcome(unusable=f"{fault}, {utterance.where}")
        conversion.write(spoken.target)
        sounds[role] = sound
        faults[role] = fault and f"{fault}, {utterance.where}"
    return _Outcome(sounds, faults)


def _flac(folder: Path, utterance: str) -> Path:
    return folder / f"{utterance}.flac"


def _unfit(options: DataOptions, role: str, sound: Sound) -> str:
    if sound.seconds < options.min_sec:
        return f"{role} audio is too short: {sound.seconds:.2f} s"
    if sound.seconds > options.max_sec:
        return f"{role} audio is too long: {sound.seconds:.2f} s"
    if options.drop_near_silent and sound.level.rms < options.near_silent:
        return f"{role} audio is near-silent: {sound.level.rms} dBFS"
    return ""


def _write_tables(
    data: kaldi.DataDir,
    targets: Mapping[str, Path],
    utterances: list[Utterance],
    outcomes: Mapping[str, _Outcome],
) -> None:
    for role, folder in targets.items():
        sounds = {u.id: outcomes[u.id].sounds[role] for u in utterances}
        faults = {u.id: clean(outcomes[u.id].faults[role]) for u in utterances}
        tables = {
            "text": {u.id: clean(u.sides[role].text) for u in utterances},
            "wav.scp": {u.id: str(_flac(folder, u.id)) for u in utterances},
            "utt2dur": {k: f"{sound.seconds:.3f}" for k, sound in sounds.items()},
            "utt2level": {k: str(sound.level) for k, sound in sounds.items()},
        }
        for name, table in tables.items():
            kaldi.write_table(data.file(name, role), table)
        if known := {k: fault for k, fault in faults.items() if fault}:
            kaldi.write_table(data.file("faults", role), known)
    kaldi.write_speakers(data, {u.id: u.speaker for u in utterances})


def _remove_others(
    audio_dir: Path, folders: set[Path], kept: list[Utterance], spoken: Sides
) -> None:
    """Audio of utterances that are no longer of the split, or were dropped.

    An earlier version had its audio in folders by language.
    """
    names = {f"{utterance.id}.flac" for utterance in kept}
    earlier = {audio_dir / code for code in spoken.values()} - folders
    others = [
        path
        for folder in (*folders, *earlier)
        for path in folder.glob("*.flac")
        if (folder in earlier or path.name not in names) and proof.is_ours(path)
    ]
    for path in others:
        path.unlink()
    if others:
        print(f"data: {audio_dir}: {len(others)} files of no use removed")
