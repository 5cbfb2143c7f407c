"""Records in the header of each 16 kHz FLAC what it was made from.

An interrupted stage 1 may then reuse its files safely: silence in place of a broken
recording, or audio of a recording that was replaced since, never passes for the right one.
"""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from s2st_interleave.data import audio
from s2st_interleave.data.ark import AudioFile
from s2st_interleave.data.levels import Level
from s2st_interleave.record import digest

# The version of reading: raise it when the same recording gives other samples or Sound.
READING = 1
NONE = ""  # the proof of silence that was made from no recording


@dataclass(frozen=True)
class Sound:
    """Measurements of a recording by stage 1."""

    seconds: float
    level: Level


def proof(content: str, *reading: object) -> str:
    """The proof of audio made from `content` (as in `Sources`), read with these options."""
    return digest([READING, content, *reading]) if content else NONE


def encoded(samples: np.ndarray, sound: Sound, made_from: str) -> bytes:
    """A FLAC of 16 kHz samples (num_samples,), with `made_from` and `sound` in its header."""
    words = {"made_from": made_from} | asdict(sound)
    return audio.encoded(samples, comment=json.dumps(words))


def read(path: AudioFile, made_from: str) -> Sound | None:
    """The measurements in `path`; None unless it was made from just `made_from`."""
    if made_from == NONE:
        return None
    words = _words(path)
    names = {field.name for field in fields(Sound)}
    if words.keys() != names | {"made_from"} or words["made_from"] != made_from:
        return None
    return Sound(words["seconds"], Level(**words["level"]))


def is_ours(path: AudioFile) -> bool:
    """Was this audio `encoded` here, for any recording?"""
    return "made_from" in _words(path)


def _words(path: AudioFile) -> dict[str, Any]:
    try:
        words = json.loads(audio.comment(path))
    except json.JSONDecodeError:  # no comment, or one of another program
        return {}
    return words if isinstance(words, dict) else {}
