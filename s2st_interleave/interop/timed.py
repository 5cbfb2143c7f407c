"""Reads words with times that other aligners wrote: TextGrid, CTM, Whisper's JSON."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from s2st_interleave.errors import UserError
from s2st_interleave.files import parse_json
from s2st_interleave.text_file import read_lines, read_text

Format = Literal["textgrid", "ctm", "whisper"]
# Labels of silence; an empty label is one as well.
SILENCES = {"<eps>", "<sil>", "<s>", "</s>"}
# Likewise, in small letters or capitals, but where a transcript has such a word.
SILENT_WORDS = {"sil", "sp"}


@dataclass(frozen=True)
class TimedWord:
    text: str
    start_sec: float
    end_sec: float
    score: float | None = None  # log probability; None where the aligner has none


@dataclass(frozen=True)
class Alignments:
    """Words in the order of time by name, and faults of names without words."""

    words: dict[str, list[TimedWord]]
    faults: dict[str, str]


class Broken(UserError):
    """The alignment of one utterance cannot be read."""


def read(source: Path, kind: Format) -> Alignments:
    """Words by the name of their file (CTM: by the name in the file), without silences.

    SILENT_WORDS are left among them: `matching.match` knows the transcript.

    textgrid, whisper: a folder with `<id>.TextGrid` or `<id>.json`, at any depth (MFA
    makes one folder a speaker); ctm: a file. A word to which Whisper gave no time has NaN.
    Raises UserError naming file and line if no alignment can be read, FileNotFoundError
    if `source` is missing.
    """
    if not source.exists():
        raise FileNotFoundError(f"{source} is missing; it holds the alignments")
    alignments = _read_ctm(source) if kind == "ctm" else _read_folder(source, kind)
    if not alignments.words:
        first = next(iter(alignments.faults.values()), f"{source}: no alignment in it")
        raise UserError(first)
    return alignments


def _read_folder(source: Path, kind: Format) -> Alignments:
    reader, suffix = {
        "textgrid": (_read_textgrid, ".TextGrid"),
        "whisper": (_read_whisper, ".json"),
    }[kind]
    alignments = Alignments({}, {})
    for path in files(source, suffix):
        name = path.name.removesuffix(suffix)
        if name in alignments.words or name in alignments.faults:
            alignments.faults[name] = (
                f"{path}: another file of {source} has this name too"
            )
            continue
        try:
            alignments.words[name] = list(_spoken(reader(path)))
        except Broken as error:
            alignments.faults[name] = str(error)
    if not alignments.words and not alignments.faults:
        raise UserError(f"{source}: no <utterance id>{suffix} in it")
    return Alignments(_without(alignments.words, alignments.faults), alignments.faults)


def _without(
    words: dict[str, list[TimedWord]], faults: dict[str, str]
) -> dict[str, list[TimedWord]]:
    return {name: timed for name, timed in words.items() if name not in faults}


def files(source: Path, suffix: str) -> list[Path]:
    """Files below a folder whose name ends so, sorted."""
    return sorted(path for path in source.rglob(f"*{suffix}") if path.is_file())


def _spoken(words: list[TimedWord]) -> Iterator[TimedWord]:
    for word in sorted(words, key=lambda word: (word.start_sec, word.end_sec)):
        if word.text.strip() and word.text not in SILENCES:
            yield word


def _read_textgrid(path: Path) -> list[TimedWord]:
    """Words of the tier "words", or of "<speaker> - words", which MFA writes a speaker."""
    try:  # praatio is an extra that only TextGrids need
        from praatio import textgrid
    except ImportError:
        raise UserError("TextGrids are read by praatio: pip install praatio") from None
    try:
        grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    except Exception as error:  # praatio runs into what a broken file leads it to
        line = " ".join(str(error).split()) or type(error).__name__
        raise Broken(f"{path}: cannot be read as a TextGrid ({line})") from None
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
    """Words of a CTM: `<id> <channel> <start> <duration> <word> [<confidence>]` a line."""
    alignments = Alignments({}, {})
    for number, line in read_lines(path):
        fields = line.split()
        if not fields or line.startswith(";;"):
            continue
        try:
            utterance, _, start, length, text, *rest = fields
            score = _confidence(rest[0]) if rest else None
            begin, duration = _finite(start), _finite(length)
        except ValueError:
            alignments.faults[fields[0]] = (
                f"{path}:{number}: no line '<id> <channel> <start> <duration> <word> "
                "[<confidence>]', numbers of seconds and a confidence of 0 to 1 or NA"
            )
            continue
        word = TimedWord(text, begin, begin + duration, score)
        alignments.words.setdefault(utterance, []).append(word)
    spoken = {name: list(_spoken(words)) for name, words in alignments.words.items()}
    return Alignments(_without(spoken, alignments.faults), alignments.faults)


def _read_whisper(path: Path) -> list[TimedWord]:
    """Words of openai-whisper, faster-whisper or WhisperX, with word timestamps."""
    try:
        segments = parse_json(read_text(path), str(path))["segments"]
        words = [word for segment in segments for word in segment["words"]]
    except UserError as error:
        raise Broken(str(error)) from None
    except (TypeError, KeyError) as error:
        raise Broken(
            f"{path}: no Whisper output with word timestamps ({error!r} is missing or "
            "broken): run it with --word_timestamps True"
        ) from None
    timed = []
    for word in words:
        try:
            confidence = word.get("probability", word.get("score"))
            timed_word = TimedWord(
                word["word"].strip(),
                float(word.get("start", math.nan)),
                float(word.get("end", math.nan)),
                None if confidence is None else _log(float(confidence)),
            )
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            raise Broken(f"{path}: no word with times: {word!r:.80}") from None
        timed.append(timed_word)
    return timed


def _finite(text: str) -> float:
    """The number in a text; ValueError for anything else, 1_0, infinity and NaN."""
    if "_" in text:
        raise ValueError(text)
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _confidence(text: str) -> float | None:
    """The logarithm of a CTM's confidence, None for "NA"; ValueError for what is none."""
    if text in ("NA", "-"):
        return None
    confidence = _finite(text)
    if not 0 <= confidence <= 1:
        raise ValueError(text)
    return _log(confidence)


def _log(confidence: float) -> float:
    """The logarithm of a confidence; ValueError for infinity and NaN."""
    if not math.isfinite(confidence):
        raise ValueError(confidence)
    return round(math.log(max(confidence, 1e-6)), 3)
