"""Words with times as other aligners write them: TextGrid, CTM, Whisper's JSON."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from s2st_interleave.errors import UserError

Format = Literal["textgrid", "ctm", "whisper"]
# Labels that say that nobody speaks; empty ones do so as well.
SILENCES = {"<eps>", "<sil>", "<s>", "</s>", "sil", "sp", "SIL"}


@dataclass(frozen=True)
class TimedWord:
    text: str
    start_sec: float
    end_sec: float
    score: float | None = None  # log probability; None where the aligner tells none


def read(source: Path, kind: Format) -> dict[str, list[TimedWord]]:
    """Words in the order of time by utterance id, silences left out.

    textgrid, whisper: a folder with `<id>.TextGrid` or `<id>.json`, at any depth (MFA
    makes one folder a speaker); ctm: a file. A word to which Whisper gave no time has NaN.
    Raises UserError naming file and line.
    """
    if not source.exists():
        raise FileNotFoundError(f"{source} is missing; it holds the alignments")
    if kind == "ctm":
        return _read_ctm(source)
    one, suffix = {
        "textgrid": (_read_textgrid, ".TextGrid"),
        "whisper": (_read_whisper, ".json"),
    }[kind]
    found: dict[str, list[TimedWord]] = {}
    for path in files(source, suffix):
        if path.stem in found:
            raise UserError(f"{path}: another file of {source} has this name as well")
        found[path.stem] = list(_spoken(one(path)))
    if not found:
        raise UserError(f"{source}: no <utterance id>{suffix} in it")
    return found


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
    except (PraatioException, ValueError, IndexError, OSError) as error:
        raise UserError(f"{path}: cannot be read as a TextGrid ({error})") from None
    names = [n for n in grid.tierNames if n == "words" or n.endswith(" - words")]
    if not names:
        tiers = ", ".join(grid.tierNames)
        raise UserError(f"{path}: no tier 'words', only {tiers}")
    return [
        TimedWord(entry.label, entry.start, entry.end)
        for name in names
        for entry in grid.getTier(name).entries
    ]


def _read_ctm(path: Path) -> dict[str, list[TimedWord]]:
    """`<id> <channel> <start> <duration> <word> [<confidence>]` a line, `;;` comments."""
    found: dict[str, list[TimedWord]] = {}
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            fields = line.split()
            if not fields or line.startswith(";;"):
                continue
            try:
                utterance, _, start, length, text, *rest = fields
                score = _log(float(rest[0])) if rest else None
                begin, duration = float(start), float(length)
            except ValueError:
                raise UserError(
                    f"{path}:{number}: no line '<id> <channel> <start> <duration> "
                    "<word> [<confidence>]'"
                ) from None
            word = TimedWord(text, begin, begin + duration, score)
            found.setdefault(utterance, []).append(word)
    return {utterance: list(_spoken(words)) for utterance, words in found.items()}


def _read_whisper(path: Path) -> list[TimedWord]:
    """Of openai-whisper, faster-whisper or WhisperX, with word timestamps."""
    try:
        segments = json.loads(path.read_text(encoding="utf-8"))["segments"]
        words = [word for segment in segments for word in segment["words"]]
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
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
            raise UserError(f"{path}: no word with times: {word!r}") from None
        found.append(one)
    return found


def _log(confidence: float) -> float:
    return round(math.log(max(confidence, 1e-6)), 3)
