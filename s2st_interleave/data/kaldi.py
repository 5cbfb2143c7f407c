"""Kaldi-style files: one `<utterance id> <value>` a line, sorted by id, joined by id."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from s2st_interleave.data import ark, sides
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write
from s2st_interleave.recipe_paths import beside
from s2st_interleave.text_file import read_lines

T = TypeVar("T")
NO_AUDIO, NO_WORDS = "no audio", "no words"  # faults begin with one of these


def read_table(path: Path) -> dict[str, str]:
    """Values by id from `<id> <value>` lines; an id alone has an empty value.

    Raises UserError, naming file and line, for an id that occurs twice or is missing.
    """
    table: dict[str, str] = {}
    for number, line in read_lines(path):
        utterance, _, value = line.partition(" ")
        if not utterance:
            raise UserError(f"{path}:{number}: line without an utterance id")
        if utterance in table:
            raise UserError(f"{path}:{number}: utterance {utterance} occurs twice")
        table[utterance] = value
    return table


def read_places(path: Path) -> dict[str, Path]:
    """Recordings by id of a table that lies above its own: those of stage 8."""
    return {k: beside(place, path) for k, place in read_table(path).items()}


def write_table(path: Path, table: Mapping[str, str]) -> None:
    """Write `<id> <value>` lines, sorted by id; UserError for a space in an id.

    Blanks at the end of a value are not kept.
    """
    with atomic_write(path) as stream:
        for utterance in sorted(table):
            value = table[utterance]
            if " " in utterance or "\n" in value:
                raise UserError(f"{path}: utterance {utterance!r}: id or value unfit")
            stream.write(f"{utterance} {value}".rstrip(" ") + "\n")


@dataclass(frozen=True)
class DataDir:
    """`data/<split>`: wav.scp, text and utt2dur of each side; speakers of the first one.

    Methods take a side by its role, or by its language if only one side speaks it. They
    raise UserError for a side that is not there, or a table that is not valid.
    """

    path: Path

    @property
    def sides(self) -> dict[str, str]:
        """Languages by role, in the order in which they speak."""
        return sides.read(self.path)

    def role(self, side: str) -> str:
        """The role named `side`, or the only one that speaks the language `side`."""
        known = self.sides
        speakers = [role for role, language in known.items() if language == side]
        if side in known or len(speakers) == 1:
            return side if side in known else speakers[0]
        names = ", ".join(f"{role} ({language})" for role, language in known.items())
        raise UserError(f"{self.path} has no one side '{side}'; it has {names}")

    def file(self, name: str, side: str) -> Path:
        """Path of a side's file, such as wav.scp."""
        return self.path / f"{name}.{self.suffix(side)}"

    def suffix(self, side: str) -> str:
        """The ending of a side's files: its role, or its language in an earlier version."""
        role = self.role(side)
        return role if (self.path / sides.TABLE).is_file() else self.sides[role]

    def wavs(self, side: str) -> dict[str, Path]:
        """Paths of 16 kHz audio by utterance id; one may be a place in an archive: ark.py."""
        table = read_table(self.file("wav.scp", side))
        return {utterance: Path(value) for utterance, value in table.items()}

    def texts(self, side: str) -> dict[str, str]:
        """Transcripts by utterance id."""
        return read_table(self.file("text", side))

    def durations(self, side: str) -> dict[str, float]:
        """Seconds of 16 kHz audio by utterance id."""
        path = self.file("utt2dur", side)
        seconds = {}
        for utterance, value in read_table(path).items():
            seconds[utterance] = _seconds(value)
            if not seconds[utterance]:
                raise UserError(f"{path}: utterance {utterance}: duration '{value}'")
        return seconds

    def faults(self, side: str) -> dict[str, str]:
        """Faults of utterances that dev and test keep in spite of them, by id."""
        path = self.file("faults", side)
        return read_table(path) if path.is_file() else {}

    def silent(self, side: str) -> set[str]:
        """Ids of utterances with silence in place of a recording that cannot be read."""
        faults = self.faults(side)
        return {k for k, fault in faults.items() if fault.startswith(NO_AUDIO)}


def write_speakers(data: DataDir, speakers: Mapping[str, str]) -> None:
    """Write utt2spk, and spk2utt, from speakers by utterance id."""
    spoken: dict[str, list[str]] = {}
    for utterance, speaker in sorted(speakers.items()):
        spoken.setdefault(speaker, []).append(utterance)
    write_table(data.path / "utt2spk", speakers)
    write_table(data.path / "spk2utt", {k: " ".join(v) for k, v in spoken.items()})


Voice = tuple[str, str]  # label and utterance id: unique in several directories


@dataclass(frozen=True)
class DataDirs:
    """Data directories of several corpora. Models are trained on a language of them all."""

    paths: tuple[Path, ...]

    def languages(self) -> tuple[str, ...]:
        """The languages of all sides, in the order in which they first occur."""
        spoken = (lang for path in self.paths for lang in sides.read(path).values())
        return tuple(dict.fromkeys(spoken))

    def wavs(self, language: str) -> dict[Voice, Path]:
        """Recordings of all sides that speak a language, by label and utterance id.

        The label is the language; if two sides of a directory speak it, language and role:
        `en.user`.
        """
        return self._of_language(language, DataDir.wavs)

    def texts(self, language: str) -> dict[Voice, str]:
        """Transcripts, with keys as in `wavs`."""
        return self._of_language(language, DataDir.texts)

    def durations(self, language: str) -> dict[Voice, float]:
        """Seconds of audio, with keys as in `wavs`."""
        return self._of_language(language, DataDir.durations)

    def wavs_of_side(self, side: str) -> dict[str, Path]:
        """Recordings of one side of all directories, by utterance id."""
        places = [(DataDir(path), side) for path in self.paths]
        return self._merged(places, DataDir.wavs)

    def _of_language(
        self, language: str, read: Callable[[DataDir, str], dict[str, T]]
    ) -> dict[Voice, T]:
        places: dict[str, list[tuple[DataDir, str]]] = {}
        for data in map(DataDir, self.paths):
            roles = [role for role, spoken in data.sides.items() if spoken == language]
            for role in roles:
                label = language if len(roles) == 1 else f"{language}.{role}"
                places.setdefault(label, []).append((data, role))
        if not places:
            raise UserError(
                f"no side of {', '.join(map(str, self.paths))} is {language}"
            )
        return {
            (label, utterance): value
            for label, sources in places.items()
            for utterance, value in self._merged(sources, read).items()
        }

    def _merged(
        self,
        places: Iterable[tuple[DataDir, str]],
        read: Callable[[DataDir, str], dict[str, T]],
    ) -> dict[str, T]:
        """The tables of these sides as one; UserError for an id that two of them have."""
        merged: dict[str, T] = {}
        for data, role in places:
            table = read(data, role)
            twice = merged.keys() & table.keys()
            if twice:
                raise UserError(
                    f"{data.path}, {role}: utterance {min(twice)} occurs in another of "
                    "the data directories as well"
                )
            merged |= table
        return merged


def problems(data: DataDir) -> list[str]:
    """The faults of a data directory; each names file and utterance."""
    faults: list[str] = []
    tables = {}
    names = [
        data.file(name, role).name
        for role in data.sides
        for name in ("wav.scp", "text", "utt2dur")
    ]
    for name in [*names, "utt2spk", "spk2utt"]:
        try:
            tables[name] = read_table(data.path / name)
        except (UserError, OSError) as error:
            faults.append(str(error))
    if faults:
        return faults
    speakers = tables.pop("spk2utt")
    listed = {u for value in speakers.values() for u in value.split()}
    tables["spk2utt"] = dict.fromkeys(listed, "-")
    faults += _other_speakers(data, tables["utt2spk"], speakers)
    everyone = set().union(*tables.values())
    if not everyone:
        faults.append(f"{data.path}: no utterances")
    for name, table in tables.items():
        for utterance in sorted(everyone - table.keys()):
            faults.append(f"{data.path / name}: utterance {utterance} is missing")
    for role in data.sides:
        faults += _bad_values(data, role)
    return faults


def _other_speakers(
    data: DataDir, utt2spk: Mapping[str, str], spk2utt: Mapping[str, str]
) -> list[str]:
    """Faults of utterances whose speaker is another one in spk2utt than in utt2spk."""
    told = [(u, speaker) for speaker, value in spk2utt.items() for u in value.split()]
    return [
        f"{data.path / 'spk2utt'}: utterance {utterance}: its speaker is {speaker}, in "
        f"utt2spk '{utt2spk[utterance]}'"
        for utterance, speaker in sorted(told)
        if utt2spk.get(utterance, speaker) != speaker
    ]


def _bad_values(data: DataDir, role: str) -> list[str]:
    faults = []
    known = data.faults(role)
    for utterance, text in data.texts(role).items():
        if not text.strip() and utterance not in known:
            faults.append(f"{data.file('text', role)}: utterance {utterance}: no text")
    for utterance, wav in data.wavs(role).items():
        if reason := _no_audio(wav):
            scp = data.file("wav.scp", role)
            faults.append(f"{scp}: utterance {utterance}: no audio at {wav}{reason}")
    for utterance, value in read_table(data.file("utt2dur", role)).items():
        if not _seconds(value):
            path = data.file("utt2dur", role)
            faults.append(f"{path}: utterance {utterance}: duration '{value}'")
    return faults


def _seconds(value: str) -> float:
    """The seconds of a recording that a text says; 0 where it says none."""
    try:
        seconds = float(value)
    except ValueError:
        return 0.0
    return seconds if 0 < seconds < math.inf else 0.0


def _no_audio(wav: Path) -> str:
    """Why there is no file of audio, or none in an archive: " ..."; "" where there is."""
    try:
        is_empty = wav.is_dir() or not ark.size(wav)
    except OSError as error:
        return f" ({error.strerror})"
    except UserError as error:
        return f" ({error})"
    return " (empty)" if is_empty else ""


def validate(data: DataDir) -> None:
    """Raise UserError with the first 20 faults of a data directory that has any."""
    faults = problems(data)
    if faults:
        more = f"\n  ... and {len(faults) - 20} more" if len(faults) > 20 else ""
        raise UserError(
            f"{data.path} is not valid:\n  " + "\n  ".join(faults[:20]) + more
        )
