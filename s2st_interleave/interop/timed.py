"""Words with times as other aligners write them: TextGrid, CTM, Whisper's JSON."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from s2st_interleave.errors import UserError
from s2st_interleave.text_file import read_lines, read_text

Format = Literal["textgrid", "ctm", "whisper"]
# Labels that say that nobody speaks; empty ones do so as well.
SILENCES = {"<eps>", "<sil>", "<s>", "</s>", "sil", "sp", "SIL"}


@dataclass(frozen=True)
class TimedWord:
    text: str
    start_sec: float
    end_sec: float
    score: float | None = None  # log probability; None where the aligner tells none


@dataclass(frozen=True)
class Alignments:
    """Words in the order of time by name, and what is wrong with those that have none."""

    words: dict[str, list[TimedWord]]
    faults: dict[str, str]


class Broken(UserError):
    """The alignment of one utterance cannot be read."""


def read(source: Path, kind: Format) -> Alignments:
    """Words by the name of their file, or in it, silences left out.

    textgrid, whisper: a folder with `<id>.TextGrid` or `<id>.json`, at any depth (MFA
    makes one folder a speaker); ctm: a file. A word to which Whisper gave no time has NaN.
    Raises UserError naming file and line where there is nothing that can be read.
    """
    if not source.exists():
        raise FileNotFoundError(f"{source} is missing; it holds the alignments")
    found = _read_ctm(source) if kind == "ctm" else _read_folder(source, kind)
    if not found.words:
        first = next(iter(found.faults.values()), f"{source}: no alignment in it")
        raise UserError(first)
    return found


def _read_folder(source: Path, kind: Format) -> Alignments:
    reader, suffix = {
        "textgrid": (_read_textgrid, ".TextGrid"),
        "whisper": (_read_whisper, ".json"),
    }[kind]
    found = Alignments({}, {})
    for path in files(source, suffix):
        name = path.name.removesuffix(suffix)
        if name in found.words or name in found.faults:
            found.faults[name] = f"{path}: another file of {source} has this name too"
            continue
        try:
            found.words[name] = list(_spoken(reader(path)))
        except Broken as error:
            found.faults[name] = str(error)
    if not found.words and not found.faults:
        raise UserError(f"{source}: no <utterance id>{suffix} in it")
    return Alignments(_without(found.words, found.faults), found.faults)


def _without(words: dict[str, list[TimedWord]], faults: dict[str, str]) -> dict:
    return {name: found for name, found in words.items() if name not in faults}


def files(source: Path, suffix: str) -> list[Path]:
    return sorted(path for path in source.rglob(f"*{suffix}") if path.is_file())


def _spoken(words: list[TimedWord]) -> Iterator[TimedWord]:
    for word in sorted(words, key=lambda one: (one.start_sec, one.end_sec)):
        if word.text.strip() and word.text not in SILENCES:
            yield word


def _read_textgrid(path: Path) -> list[TimedWord]:
    """The tier "words", or "<speaker> - words" as MFA calls it with speakers."""
    try:
        from praatio import textgrid
        from praatio.utilities.errors import PraatioException
    except ImportError:
        raise UserError("TextGrids are read by praatio: pip install praatio") from None
    try:
        grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    except (PraatioException, ValueError, LookupError, OSError) as error:
        raise Broken(f"{path}: cannot be read as a TextGrid ({error})") from None
    tiers = [
        tier
        for tier in grid.tiers
        if (tier.name == "words" or tier.name.endswith(" - words"))
        and isinstance(tier, textgrid.IntervalTier)
    ]
    if not tiers:
        names = ", ".join(grid.tierNames)
        raise Broken(f"{path}: no tier 'words' of intervals, only {names}")
    return [
        TimedWord(entry.label, entry.start, entry.end)
        for tier in tiers
        for entry in tier.entries
    ]


def _read_ctm(path: Path) -> Alignments:
    """`<id> <channel> <start> <duration> <word> [<confidence>]` a line, `;;` comments."""
    found = Alignments({}, {})
    for number, line in read_lines(path):
        fields = line.split()
        if not fields or line.startswith(";;"):
            continue
        try:
            utterance, _, start, length, text, *rest = fields
            score = _log(float(rest[0])) if rest else None
            begin, duration = _finite(start), _finite(length)
        except ValueError:
            found.faults[fields[0]] = (
                f"{path}:{number}: no line '<id> <channel> <start> <duration> <word> "
                "[<confidence>]'"
            )
            continue
        word = TimedWord(text, begin, begin + duration, score)
        found.words.setdefault(utterance, []).append(word)
    spoken = {name: list(_spoken(words)) for name, words in found.words.items()}
    return Alignments(_without(spoken, found.faults), found.faults)


def _read_whisper(path: Path) -> list[TimedWord]:
    """Of openai-whisper, faster-whisper or WhisperX, with word timestamps."""
    try:
        segments = json.loads(read_text(path))["segments"]
        words = [word for segment in segments for word in segment["words"]]
    except UserError as error:
        raise Broken(str(error)) from None
    except (ValueError, TypeError, KeyError) as error:
        raise Broken(
            f"{path}: no Whisper output with word timestamps ({error!r} is missing or "
            "broken): run it with --word_timestamps True"
        ) from None
    found = []
    for word in words:
        try:
            confidence = word.get("probability", word.get("score"))
            one = TimedWord(
                word["word"].strip(),
                float(word.get("start", math.nan)),
                float(word.get("end", math.nan)),
                None if confidence is None else _log(float(confidence)),
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            raise Broken(f"{path}: no word with times: {word!r}") from None
        found.append(one)
    return found


def _finite(text: str) -> float:
    """ValueError for what is no number, or no time."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _log(confidence: float) -> float:
    if not math.isfinite(confidence):
        raise ValueError(confidence)
    return round(math.log(max(confidence, 1e-6)), 3)
