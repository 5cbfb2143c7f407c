"""Which recordings a command line names, and where their answers go."""

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from s2st_interleave.errors import UserError
from s2st_interleave.pack import speech_file

PIPE = "-"  # standard input, or standard output
# Recordings in a folder; a file that is named by itself may have any other ending.
ENDINGS = set(
    ".wav .flac .mp3 .ogg .oga .opus .m4a .mp4 .aac .webm .mka .mkv .wma .asf .amr .caf "
    ".aif .aiff .aifc .au .snd .sph .w64 .rf64".split()
)
# Endings of names in --out that mean a file, and not a folder such as v1.0.
MEANS_FILE = re.compile(r"\.[A-Za-z]\w{1,4}")


@dataclass(frozen=True)
class Work:
    """A recording, None for standard input, and its answer's file, None for the output."""

    source: Path | None
    target: Path | None

    @property
    def name(self) -> str:
        return PIPE if self.source is None else str(self.source)


@dataclass(frozen=True)
class _Found:
    path: Path | None
    below: PurePath  # its path below the folder that was named, or its name alone


def plan(words: Sequence[str], out: str) -> list[Work]:
    """The recordings that `words` name, each once, and the files of their answers.

    A word is a file, a folder (all recordings below it, sorted, but none below an `out`
    inside it), a pattern of files, or `-`. Answers keep the folders below one that was
    named; no two have one name. Raises UserError for a word that names no recording, and
    for an `out` that cannot be written, or that holds what a word names: the answers would
    be recordings of the next run.
    """
    if not words:
        raise UserError(
            "no recording to translate: name files, folders, or - for standard input"
        )
    file = _file(out)
    away = None if file or out == PIPE else Path(out).resolve()
    found: dict[Path | None, _Found] = {}
    for word in words:
        for each in _named(word, away):
            key = each.path and each.path.resolve()
            found.setdefault(key, each)
    if len(found) > 1 and (file or out == PIPE):
        raise UserError(f"--out {out}: {len(found)} recordings want a folder")
    if out == PIPE or file:
        targets: Iterable[Path | None] = [file]
    else:
        targets = [Path(out, f"{name}.wav") for name in _names(list(found.values()))]
    work = [Work(e.path, t) for e, t in zip(found.values(), targets, strict=True)]
    for each in work:
        if each.target and each.target.resolve() in found:
            raise UserError(
                f"--out {out}: {each.target} is a recording to translate, which its "
                "answer would replace: take another folder"
            )
    return work


def _file(out: str) -> Path | None:
    """The file that `out` names; None for a folder and for standard output."""
    path = Path(out)
    if out == PIPE or path.is_dir() or out.endswith(os.sep):
        return None
    if not MEANS_FILE.fullmatch(path.suffix):
        return None
    speech_file.check_ending(path)
    return path


def _named(word: str, away: Path | None) -> list[_Found]:
    if word == PIPE:
        return [_Found(None, PurePath("stdin"))]
    path = Path(word)
    if not word:
        raise UserError("'' names no recording: is a variable empty?")
    if path.is_dir():
        recordings, root = _below(path), path
        wrong = "no recording in this folder, by its ending"
    elif path.exists():
        return [_Found(path, PurePath(path.name))]
    elif path.is_symlink():
        raise UserError(f"{word}: a link to {path.readlink()}, which is not there")
    else:
        matches = sorted(glob.glob(word, recursive=True))
        if not matches:
            raise UserError(f"{word}: no such recording")
        recordings, root = list(_matched(matches)), _root(word)
        wrong = "no recording in the folders that it matches, by its ending"
    place = root.resolve()
    if away and (away == place or away in place.parents):
        raise UserError(
            f"{word}: what it names lies below --out {away}, where the next run would take "
            "its answers for recordings: take another folder, such as --out "
            f"{away / 'translated'}"
        )
    recordings = [p for p in recordings if away not in p.resolve().parents]
    if not recordings:
        raise UserError(f"{word}: {wrong}")
    return [_Found(each, each.relative_to(root)) for each in recordings]


def _matched(matches: Sequence[str]) -> Iterator[Path]:
    for match in map(Path, matches):
        yield from _below(match) if match.is_dir() else (match,)


def _root(pattern: str) -> Path:
    """The folder before the first part of a pattern that may match several names."""
    parts = Path(pattern).parts
    plain = next(k for k, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:plain])


def _below(folder: Path) -> list[Path]:
    """Recordings below a folder, sorted, without hidden ones.

    Links to folders are followed, each folder once.
    """
    made: list[Path] = []
    seen: set[Path] = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        real = Path(here).resolve()
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if name[0] != ".")
        made += [Path(here, name) for name in names if name[0] != "."]
    return sorted(p for p in made if p.suffix.lower() in ENDINGS and p.is_file())


def _names(found: Sequence[_Found]) -> list[PurePath]:
    """Names without .wav behind them: the shortest kind of which no two are the same."""
    plain = [each.below.with_suffix("") for each in found]
    if _differ(plain):
        return plain
    whole = [each.below for each in found]
    if _differ(whole):
        return whole
    paths = [each.path.resolve() for each in found if each.path]
    common = os.path.commonpath([path.parent for path in paths])
    return [
        each.path.resolve().relative_to(common) if each.path else each.below
        for each in found
    ]


def _differ(names: Sequence[PurePath]) -> bool:
    """Do all names differ, also where case does not count?"""
    return max(Counter(str(name).casefold() for name in names).values()) == 1
