"""A 16 kHz FLAC says itself what it was made from, in its header, which appears with it.

So a file is taken up only as what it is: silence that stands in for a broken recording,
or audio of a recording that has been replaced since, never passes for the right one.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from s2st_interleave.artifact import digest
from s2st_interleave.data import audio

READING = (
    1  # to be raised when the same recording gives other samples, or another Sound
)
NONE = ""  # of what was made from nothing


@dataclass(frozen=True)
class Sound:
    """What stage 1 has measured of a recording."""

    seconds: float


def proof(content: str, *reading: object) -> str:
    """Of audio made from `content` (as in `Sources`), read with these options."""
    return digest([READING, content, *reading]) if content else NONE


def write(path: Path, samples: np.ndarray, sound: Sound, made_from: str) -> None:
    """Write 16 kHz samples and, unless `made_from` is NONE, the proof with them."""
    words = {"made_from": made_from} | asdict(sound)
    audio.write(path, samples, comment=json.dumps(words) if made_from else "")


def read(path: Path, made_from: str) -> Sound | None:
    """What was measured, if `path` is there and was made from just that."""
    if not made_from or not path.is_file():
        return None
    try:
        words = json.loads(audio.comment(path))
    except json.JSONDecodeError:  # no comment, or that of another program
        return None
    names = {field.name for field in fields(Sound)}
    known = isinstance(words, dict) and words.keys() == names | {"made_from"}
    return Sound(**words) if known and words.pop("made_from") == made_from else None
