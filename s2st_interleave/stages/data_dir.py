"""Stage 1, of whatever corpus: utterances -> data/<split>, 16 kHz audio in dump/audio."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from s2st_interleave import drops, record_file
from s2st_interleave.data import ark, kaldi, marks, overlap, sides
from s2st_interleave.data.archive import Member
from s2st_interleave.data.checks import LONGEST_UTTERANCE
from s2st_interleave.data.corpus import Utterance
from s2st_interleave.data.declared import check_sides
from s2st_interleave.data.levels import Level, report
from s2st_interleave.data.proof import Sound
from s2st_interleave.data.sides import Sides
from s2st_interleave.data.sources import NO_MEMBERS, Reader, Source, Sources, file_of
from s2st_interleave.data.store import STORES, remove_others
from s2st_interleave.data.text import clean
from s2st_interleave.promises import DONE
from s2st_interleave.record import digest
from s2st_interleave.stage_dir import Input, open_stage
from s2st_interleave.stages.data_options import DataOptions
from s2st_interleave.stages.side_audio import Converted, Side, convert_side

DIGESTS = "digests"  # in audio_dir: what is known of the recordings' content


def make(
    options: DataOptions,
    utterances: list[Utterance],
    inputs: Mapping[str, Input],
    train: list[Utterance] | None = None,
    members: Mapping[str, Member] = NO_MEMBERS,
) -> None:
    """Write options.data_dir and options.audio_dir, wherever the utterances are from.

    `members` are recordings in archives of the corpus. Sentences of dev and test that are
    in `train` too, or without it in the directories beside this one, are counted.
    """
    # 1. Is there anything to do?
    spoken = options.spoken()
    languages = check_sides(utterances, spoken)
    files = {role: {u.id: u.sides[role].audio for u in utterances} for role in spoken}
    cache = options.audio_dir / DIGESTS
    sources = Sources.look(files, spoken, cache, options.nj, members)
    stage = open_stage(
        options.data_dir,
        stage="data",
        options=options,
        inputs={**inputs, "clips": _by_size(options, utterances, members) or sources},
        overwrite=options.overwrite,
        proven=True,
    )
    if stage is None:
        return
    texts = {role: {u.id: u.sides[role].text for u in utterances} for role in spoken}
    for line in (*languages, *marks.report(texts)):
        print(f"data: {line}")
    data = kaldi.DataDir(options.data_dir)
    if not _is_earlier(data.path, spoken):
        sides.write(data.path, spoken)
    sources.write(data.path)

    # 2. Convert the audio of each side, but for what is there.
    folders = {role: options.audio_dir / data.suffix(role) for role in spoken}
    dropped = {u.id: u.fault for u in utterances if u.fault}
    sides_audio = _convert(options, utterances, sources, members, folders, dropped)

    # 3. Training data may lose utterances, for a reason; dev and test may not.
    dropped = {u.id: dropped[u.id] for u in utterances if u.id in dropped}
    silent = {
        u.id: side.faults[u.id]
        for u in utterances
        for side in sides_audio.values()
        if u.id not in dropped and side.faults[u.id].startswith(kaldi.NO_AUDIO)
    }
    if options.split == "train":
        rate, why = options.max_drop_rate, "--max_drop_rate"
    else:
        rate, why = 0.0, "scores would be of another test set: mend its files"
    total = len(utterances)
    drops.limit(dropped, total, rate, f"of {options.split} are unusable", why)
    rate = options.max_missing_rate
    fault = f"of {options.split} are not readable"
    drops.limit(silent, total, rate, fault, "--max_missing_rate")

    # 4. Write the directory and check it as everybody else would.
    kept = [utterance for utterance in utterances if utterance.id not in dropped]
    _write_tables(data, kept, sides_audio)
    kaldi.validate(data)
    _remove_others(options, folders, kept, sides_audio)
    levels = {role: _levels(kept, side) for role, side in sides_audio.items()}
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


def _convert(
    options: DataOptions,
    utterances: list[Utterance],
    sources: Sources,
    members: Mapping[str, Member],
    folders: Mapping[str, Path],
    dropped: dict[str, str],
) -> dict[str, Converted]:
    """The audio of all sides by role; training data with a fault joins `dropped`."""
    is_train = options.split == "train"
    reader = Reader(LONGEST_UTTERANCE * options.max_sec)
    new_store = STORES[_audio_format(options)]
    sides_audio = {}
    for role, channels in options.channels().items():
        side = Side(
            role=role,
            channels=channels,
            content=sources.content[role],
            members=members,
            store=new_store(folders[role]),
            reader=reader,
            unfit=partial(_unfit, options) if is_train else lambda *_: "",
        )
        sides_audio[role] = converted = convert_side(
            side,
            utterances,
            dropped=dropped.__contains__,
            drops_faults=is_train,
            nj=options.nj,
            what=f"audio {options.split} {role}",
        )
        for utterance in utterances:
            if fault := converted.faults.get(utterance.id):
                fault = f"{fault}, {utterance.where}"
                converted.faults[utterance.id] = fault
                if is_train:
                    dropped[utterance.id] = fault
    return sides_audio


def _audio_format(options: DataOptions) -> str:
    """The format of the audio that is there, so that later stages stay valid.

    Where there is none yet, it is the option's.
    """
    for table in sorted(options.data_dir.glob("wav.scp.*")):
        for place in kaldi.read_table(table).values():
            return "flac" if ark.split(place)[1] is None else "ark"
    return options.audio_format


def _is_earlier(directory: Path, spoken: Sides) -> bool:
    """Whether an earlier version has named what is there by language: that stays so."""
    if (directory / sides.TABLE).is_file():
        return False
    return any(list(directory.glob(f"*.{code}")) for code in spoken.values())


def _levels(utterances: list[Utterance], side: Converted) -> dict[str, Level]:
    """By id, of the recordings that could be read."""
    return {
        u.id: side.sounds[u.id].level
        for u in utterances
        if not side.faults[u.id].startswith(kaldi.NO_AUDIO)
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


def _by_size(
    options: DataOptions, utterances: list[Utterance], members: Mapping[str, Member]
) -> str:
    """Input `clips` of a directory of an earlier version, which knew no more than sizes.

    Empty for every other one, and where sizes differ.
    """
    path = options.data_dir / DONE
    if not path.is_file() or "files" in record_file.read(path):
        return ""
    sizes = [
        (u.id, *(_size(speech.audio, members) for speech in u.sides.values()))
        for u in utterances
    ]
    clips = digest(sizes)
    return clips if record_file.read(path)["inputs"].get("clips") == clips else ""


def _size(source: Source, members: Mapping[str, Member]) -> int:
    path = file_of(source)
    if member := members.get(str(path)):
        return member.bytes
    return path.stat().st_size if path.is_file() else -1


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
    utterances: list[Utterance],
    sides_audio: Mapping[str, Converted],
) -> None:
    for role, side in sides_audio.items():
        sounds = {u.id: side.sounds[u.id] for u in utterances}
        faults = {u.id: clean(side.faults[u.id]) for u in utterances}
        tables = {
            "text": {u.id: clean(u.sides[role].text) for u in utterances},
            "wav.scp": {u.id: str(side.places[u.id]) for u in utterances},
            "utt2dur": {k: f"{sound.seconds:.3f}" for k, sound in sounds.items()},
            "utt2level": {k: str(sound.level) for k, sound in sounds.items()},
        }
        for name, table in tables.items():
            kaldi.write_table(data.file(name, role), table)
        if known := {k: fault for k, fault in faults.items() if fault}:
            kaldi.write_table(data.file("faults", role), known)
    kaldi.write_speakers(data, {u.id: u.speaker for u in utterances})


def _remove_others(
    options: DataOptions,
    folders: Mapping[str, Path],
    kept: list[Utterance],
    sides_audio: Mapping[str, Converted],
) -> None:
    """Audio of utterances that are no longer of the split, or were dropped.

    An earlier version had its audio in folders by language.
    """
    used = [s.places[u.id] for s in sides_audio.values() for u in kept]
    earlier = (options.audio_dir / code for code in options.spoken().values())
    if count := remove_others({*folders.values(), *earlier}, used):
        print(f"data: {options.audio_dir}: {count} files of no use removed")
