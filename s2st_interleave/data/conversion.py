"""Converts a recording to 16 kHz, or to silence and a fault where it cannot be read."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave.data import ark, audio, kaldi, proof
from s2st_interleave.data.ark import Held
from s2st_interleave.data.channels import Channels
from s2st_interleave.data.levels import Level
from s2st_interleave.data.proof import Sound
from s2st_interleave.data.sources import Reader, Source, file_of
from s2st_interleave.data.text import has_words
from s2st_interleave.errors import UserError

SILENCE_SEC = 0.1  # stands in for a recording of dev or test that cannot be read


@dataclass(frozen=True)
class Spoken:
    """A side of an utterance: its recording, its text, and where its 16 kHz audio may be.

    `source` is in memory if it lies in an archive of the corpus, and None if `known` is all
    that it takes. `stays`: may audio at `known` stay where it is?
    """

    id: str
    role: str
    source: Source | Held | None
    content: str  # hash of the recording, as in `Sources`
    text: str
    fault: str  # already known from the corpus's tables; "": none
    channels: Channels
    known: Path | None
    stays: bool

    @property
    def is_lost(self) -> bool:
        return self.fault.startswith(kaldi.NO_AUDIO)

    @property
    def made_from(self) -> str:
        """The proof of audio that was made from this recording."""
        return proof.proof(self.content, self.channels)


@dataclass(frozen=True)
class Conversion:
    """Measurements of a recording, its fault ("": none), and its 16 kHz audio.

    `flac` is a file, or the place where it lies already and stays.
    """

    id: str
    sound: Sound
    fault: str
    flac: bytes | Path


def convert(
    spoken: Spoken, reader: Reader, unfit: Callable[[str, Sound], str]
) -> Conversion:
    """Read a recording, unless its 16 kHz audio is there; nothing is written yet.

    `unfit(role, sound)` says what is wrong with a recording that could be read.
    """
    fault = spoken.fault
    there = None if spoken.is_lost else _known(spoken)
    if there is None:
        recording, fault = _read(spoken, reader)
        sound = Sound(len(recording.samples) / audio.SAMPLE_RATE, Level.of(recording))
        is_silence = fault.startswith(kaldi.NO_AUDIO)
        made_from = proof.NONE if is_silence else spoken.made_from
        flac: bytes | Path = proof.encoded(recording.samples, sound, made_from)
    else:
        sound, flac = there
    if not has_words(spoken.text):
        what = f"{kaldi.NO_WORDS} in the {spoken.role} text: {spoken.text!r}"
        fault = fault or what
    return Conversion(spoken.id, sound, fault or unfit(spoken.role, sound), flac)


def _known(spoken: Spoken) -> tuple[Sound, bytes | Path] | None:
    """What is known of a recording whose 16 kHz audio is there, and that audio."""
    if spoken.known is None:
        return None
    if spoken.stays:
        sound = proof.read(spoken.known, spoken.made_from)
        return (sound, spoken.known) if sound else None
    try:  # it moves to another archive: another thread may be writing over its own
        with ark.opened(spoken.known) as stream:
            flac = stream.read()
    except (UserError, OSError):
        return None
    sound = proof.read(Held("", flac), spoken.made_from)
    return (sound, flac) if sound else None


def _hint(path: Path) -> str:
    """The end of a message about a missing file whose name is there in another form."""
    for form in ("NFC", "NFD"):
        other = Path(unicodedata.normalize(form, str(path)))
        if other != path and other.exists():
            return (
                f" (a file of that name is there with its accents stored as {form}: "
                "rename it)"
            )
    return ""


def _read(spoken: Spoken, reader: Reader) -> tuple[audio.Recording, str]:
    """The 16 kHz recording and the fault known before, or silence and a new fault."""
    fault, source = spoken.fault, spoken.source
    try:
        if not spoken.is_lost:
            if source is None:
                raise UserError(f"{spoken.known} has changed while it was read")
            if isinstance(source, Held) or ark.is_there(file_of(source)):
                return reader(source, spoken.channels), fault
            path = file_of(source)
            fault = f"{kaldi.NO_AUDIO}, {spoken.role} is missing: {path}{_hint(path)}"
    except UserError as error:
        fault = f"{kaldi.NO_AUDIO}, {spoken.role} is broken: {error}"
    silence = np.zeros(round(SILENCE_SEC * audio.SAMPLE_RATE), np.float32)
    return audio.Recording(silence), fault
