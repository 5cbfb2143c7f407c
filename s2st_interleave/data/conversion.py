"""Converts a recording to 16 kHz, or to silence and a fault where it cannot be read."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave.data import audio, kaldi, proof
from s2st_interleave.data.channels import Channels
from s2st_interleave.data.levels import Level
from s2st_interleave.data.proof import Sound
from s2st_interleave.data.sources import Reader, Source, file_of
from s2st_interleave.data.text import has_words
from s2st_interleave.errors import UserError

SILENCE_SEC = 0.1  # stands in for a recording of dev or test that cannot be read


@dataclass(frozen=True)
class Spoken:
    """A side of an utterance: its recording, its text, and the path of its 16 kHz audio."""

    role: str
    source: Source
    content: str  # hash of the recording, as in `Sources`
    text: str
    fault: str  # already known from the corpus's tables; "": none
    channels: Channels
    target: Path


@dataclass(frozen=True)
class Conversion:
    """Measurements of a recording, its fault ("": none), and 16 kHz samples to write.

    `samples` is None where the target already holds this recording.
    """

    sound: Sound
    fault: str
    made_from: str
    samples: np.ndarray | None = None

    def write(self, target: Path) -> None:
        """Write the samples, unless `target` already holds them."""
        if self.samples is not None:
            proof.write(target, self.samples, self.sound, self.made_from)


def convert(spoken: Spoken, reader: Reader) -> Conversion:
    """Read a recording, unless its 16 kHz audio is there; nothing is written yet."""
    made_from = proof.proof(spoken.content, spoken.channels)
    fault = spoken.fault
    is_lost = fault.startswith(kaldi.NO_AUDIO)
    samples = None
    sound = None if is_lost else proof.read(spoken.target, made_from)
    if sound is None:
        recording, fault = _read(spoken, reader)
        samples = recording.samples
        sound = Sound(len(samples) / audio.SAMPLE_RATE, Level.of(recording))
        if fault.startswith(kaldi.NO_AUDIO):
            made_from = proof.NONE
    if not has_words(spoken.text):
        what = f"{kaldi.NO_WORDS} in the {spoken.role} text: {spoken.text!r}"
        fault = fault or what
    return Conversion(sound, fault, made_from, samples)


def _read(spoken: Spoken, reader: Reader) -> tuple[audio.Recording, str]:
    """The 16 kHz recording and the fault known before, or silence and a new fault."""
    fault, path = spoken.fault, file_of(spoken.source)
    try:
        if not fault.startswith(kaldi.NO_AUDIO):
            if path.exists():
                return reader(spoken.source, spoken.channels), fault
            fault = f"{kaldi.NO_AUDIO}, {spoken.role} is missing: {path}"
    except UserError as error:
        fault = f"{kaldi.NO_AUDIO}, {spoken.role} is broken: {error}"
    silence = np.zeros(round(SILENCE_SEC * audio.SAMPLE_RATE), np.float32)
    return audio.Recording(silence), fault
