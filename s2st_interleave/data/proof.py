"""A 16 kHz FLAC says itself what it was made from, in its header, which appears with it.

So a file is taken up only as what it is: silence that stands in for a broken recording,
or audio of a recording that has been replaced since, never passes for the right one.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave.data import audio
from s2st_interleave.data.levels import Level
from s2st_interleave.record import digest

# To be raised when the same recording gives other samples, or another Sound.
READING = 1
NONE = ""  # of what was made from nothing


@dataclass(frozen=True)
class Sound:
    """What stage 1 has measured of a recording."""

    seconds: float
    level: Level


def proof(content: str, *reading: object) -> str:
    """Of audio made from `content` (as in `Sources`), read with these options."""
    return digest([READING, content, *reading]) if content else NONE


def write(path: Path, samples: np.ndarray, sound: Sound, made_from: str) -> None:
    """Write 16 kHz samples, and in the same file `made_from` and what was measured."""
    words = {"made_from": made_from} | asdict(sound)
    audio.write(path, samples, comment=json.dumps(words))


def read(path: Path, made_from: str) -> Sound | None:
    """What was measured, if `path` is there and was made from just that."""
    if made_from == NONE or not path.is_file():
        return None
    words = _words(path)
    names = {field.name for field in fields(Sound)}
    if words.keys() != names | {"made_from"} or words["made_from"] != made_from:
        return None
    return Sound(words["seconds"], Level(**words["level"]))


def is_ours(path: Path) -> bool:
    """Whether `write` has made this file, of whatever recording."""
    return "made_from" in _words(path)


def _words(path: Path) -> dict[str, Any]:
    try:
        words = json.loads(audio.comment(path))
    except json.JSONDecodeError:  # no comment, or that of another program
        return {}
    return words if isinstance(words, dict) else {}
