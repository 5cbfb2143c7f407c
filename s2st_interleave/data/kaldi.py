"""Kaldi-style files: one `<utterance id> <value>` a line, sorted by id, joined by id."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write
from s2st_interleave.text_file import read_lines

T = TypeVar("T")
NO_AUDIO, NO_WORDS = "no audio", "no words"  # how faults begin


def read_table(path: Path) -> dict[str, str]:
    """Read `<id> <value>` lines; an id alone has an empty value. Duplicates are errors."""
    table: dict[str, str] = {}
    for number, line in read_lines(path):
        utterance, _, value = line.partition(" ")
        if not utterance:
            raise UserError(f"{path}:{number}: line without an utterance id")
        if utterance in table:
            raise UserError(f"{path}:{number}: utterance {utterance} occurs twice")
        table[utterance] = value
    return table


def write_table(path: Path, table: Mapping[str, str]) -> None:
    with atomic_write(path) as stream:
        for utterance in sorted(table):
            value = table[utterance]
            if " " in utterance or "\n" in value:
                raise UserError(f"{path}: utterance {utterance!r}: id or value unfit")
            stream.write(f"{utterance} {value}\n".replace(" \n", "\n"))


@dataclass(frozen=True)
class DataDir:
    """`data/<split>`: wav.scp, text and utt2dur of each language; speakers of the source."""

    path: Path

    def file(self, name: str, language: str) -> Path:
        return self.path / f"{name}.{language}"

    def wavs(self, language: str) -> dict[str, Path]:
        table = read_table(self.file("wav.scp", language))
        return {utterance: Path(value) for utterance, value in table.items()}

    def texts(self, language: str) -> dict[str, str]:
        return read_table(self.file("text", language))

    def durations(self, language: str) -> dict[str, float]:
        """Seconds of 16 kHz audio by utterance id."""
        table = read_table(self.file("utt2dur", language))
        return {utterance: float(value) for utterance, value in table.items()}

    def faults(self, language: str) -> dict[str, str]:
        """What is wrong with evaluation data that is kept in spite of it, by id."""
        path = self.file("faults", language)
        return read_table(path) if path.is_file() else {}

    def silent(self, language: str) -> set[str]:
        """Ids whose recording cannot be read: silence stands in, nothing is heard."""
        faults = self.faults(language)
        return {k for k, fault in faults.items() if fault.startswith(NO_AUDIO)}


def write_speakers(data: DataDir, speakers: Mapping[str, str]) -> None:
    """utt2spk, and spk2utt to go with it."""
    spoken: dict[str, list[str]] = {}
    for utterance, speaker in sorted(speakers.items()):
        spoken.setdefault(speaker, []).append(utterance)
    write_table(data.path / "utt2spk", speakers)
    write_table(data.path / "spk2utt", {k: " ".join(v) for k, v in spoken.items()})


@dataclass(frozen=True)
class DataDirs:
    """Data directories of several language pairs, read as one."""

    paths: tuple[Path, ...]

    def wavs(self, language: str) -> dict[str, Path]:
        return self._merged(language, "wav.scp", DataDir.wavs)

    def texts(self, language: str) -> dict[str, str]:
        return self._merged(language, "text", DataDir.texts)

    def durations(self, language: str) -> dict[str, float]:
        return self._merged(language, "utt2dur", DataDir.durations)

    def _merged(
        self, language: str, name: str, read: Callable[[DataDir, str], dict[str, T]]
    ) -> dict[str, T]:
        """Of all directories that have the language; ids are unique among them."""
        merged: dict[str, T] = {}
        dirs = [DataDir(path) for path in self.paths]
        having = [data for data in dirs if data.file(name, language).is_file()]
        if not having:
            where = ", ".join(map(str, self.paths))
            raise UserError(f"no {name}.{language} in {where}")
        for data in having:
            table = read(data, language)
            twice = merged.keys() & table.keys()
            if twice:
                raise UserError(
                    f"{data.file(name, language)}: utterance {min(twice)} occurs in "
                    "another of the data directories as well"
                )
            merged |= table
        return merged


def problems(data: DataDir, languages: tuple[str, ...]) -> list[str]:
    """Everything that makes a data directory unfit, each naming file and utterance."""
    found: list[str] = []
    tables = {}
    names = [
        f"{n}.{lang}" for lang in languages for n in ("wav.scp", "text", "utt2dur")
    ]
    for name in [*names, "utt2spk", "spk2utt"]:
        try:
            tables[name] = read_table(data.path / name)
        except (UserError, OSError) as error:
            found.append(str(error))
    if found:
        return found
    speakers = tables.pop("spk2utt")
    listed = {u for value in speakers.values() for u in value.split()}
    tables["spk2utt"] = dict.fromkeys(listed, "-")
    everyone = set().union(*tables.values())
    if not everyone:
        found.append(f"{data.path}: no utterances")
    for name, table in tables.items():
        for utterance in sorted(everyone - table.keys()):
            found.append(f"{data.path / name}: utterance {utterance} is missing")
    for language in languages:
        found += _bad_values(data, language)
    return found


def _bad_values(data: DataDir, language: str) -> list[str]:
    found = []
    known = data.faults(language)
    for utterance, text in data.texts(language).items():
        if not text.strip() and utterance not in known:
            found.append(
                f"{data.file('text', language)}: utterance {utterance}: no text"
            )
    for utterance, wav in data.wavs(language).items():
        if not wav.is_file() or wav.stat().st_size == 0:
            scp = data.file("wav.scp", language)
            found.append(f"{scp}: utterance {utterance}: no audio at {wav}")
    for utterance, value in read_table(data.file("utt2dur", language)).items():
        try:
            good = float(value) > 0
        except ValueError:
            good = False
        if not good:
            path = data.file("utt2dur", language)
            found.append(f"{path}: utterance {utterance}: duration '{value}'")
    return found


def validate(data: DataDir, languages: tuple[str, ...]) -> None:
    """Raise UserError listing what is wrong (the first 20) in a data directory."""
    found = problems(data, languages)
    if found:
        more = f"\n  ... and {len(found) - 20} more" if len(found) > 20 else ""
        raise UserError(
            f"{data.path} is not valid:\n  " + "\n  ".join(found[:20]) + more
        )
