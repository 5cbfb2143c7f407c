"""What a packed model is asked to answer: recordings of any kind, as 16 kHz mono of 16 bits."""

import io
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from s2st_interleave.data import audio, checks
from s2st_interleave.data.channels import MIX, Channels, mono
from s2st_interleave.data.levels import NEAR_SILENT, Level
from s2st_interleave.errors import UserError

CHOOSE = " (of translate, --channels chooses)"


class Refused(UserError):
    """A recording that is not translated; `kind` is the reason without its figures.

    `hint` is the end of the message, about options: who has none to set, as a visitor of
    `serve`, reads `plain`, which ends before it.
    """

    def __init__(self, kind: str, message: str, hint: str = ""):
        super().__init__(message + hint)
        self.kind = kind
        self.plain = message


@dataclass(frozen=True)
class Bounds:
    """What is translated: lengths in seconds, the least level in dBFS, the channels."""

    min_sec: float = 0.3
    max_sec: float = 30.0
    min_dbfs: float = NEAR_SILENT
    channels: Channels = MIX


@dataclass(frozen=True, eq=False)
class Clip:
    """A recording that can be translated: 16 kHz mono, float32 (num_samples,).

    `name` is its path, or what stands for it in messages; `remarks` are about channels
    and levels.
    """

    name: str
    samples: np.ndarray
    remarks: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        return len(self.samples) / audio.SAMPLE_RATE


def read(source: Any, rate: int | None = None, bounds: Bounds = Bounds()) -> Clip:
    """Read a path, a binary file that is open, bytes of one, or an array with its rate.

    Arrays are (num_samples,) or (num_samples, num_channels), floats on the scale of 1 or
    integers of full scale, as `(array, rate)` or with `rate` in Hz. All rates, channels and
    formats of stage 1 are read, and rounded to 16 bits as there. Raises Refused for a
    recording that cannot be read, is too short, too long, or silent.
    """
    name, array = _name(source), _array(source, rate)
    try:
        if array is not None:
            recording = _recording_of(*array, bounds)
        else:
            recording = _decoded(source, bounds)
    except (UserError, OSError) as error:
        problem = str(error).removeprefix(f"{name}: ")
        raise Refused("cannot be read", f"{name}: {problem}") from None
    level = Level.of(recording)
    _check(name, len(recording.samples) / audio.SAMPLE_RATE, level, bounds)
    note = recording.note and recording.note + CHOOSE
    remarks = [note, *level.remarks(bounds.min_dbfs)]
    return Clip(name, _rounded(recording.samples), tuple(filter(None, remarks)))


def _check(name: str, seconds: float, level: Level, bounds: Bounds) -> None:
    if seconds < bounds.min_sec:
        raise Refused(
            "too short",
            f"{name}: {seconds:.2f} s is too short to hold a word",
            f" (min_sec {bounds.min_sec:g})",
        )
    if seconds > bounds.max_sec:
        raise Refused(
            "too long",
            f"{name}: {seconds:.0f} s is more than the {bounds.max_sec:g} s that are "
            "translated at once: cut it into sentences",
            ", or raise max_sec (training had none longer)",
        )
    if level.rms < bounds.min_dbfs:
        raise Refused(
            "silent",
            f"{name}: silent: its level is {level.rms:.1f} dBFS, and speech is at -50 to "
            "-10: nothing to translate",
            f" (min_dbfs {bounds.min_dbfs:g})",
        )


def _name(source: Any) -> str:
    if isinstance(source, str | Path):
        return str(Path(source))
    if hasattr(source, "read"):
        name = getattr(source, "name", "")
        return str(name) if isinstance(name, str) and name else "the open file"
    return "the bytes" if isinstance(source, bytes) else "the array"


def _array(source: Any, rate: int | None) -> tuple[np.ndarray, int] | None:
    """Array and rate, in either order as libraries give them; None for files."""
    is_file = isinstance(source, str | Path | bytes) or hasattr(source, "read")
    if is_file:
        if rate is not None:
            raise UserError(
                f"{_name(source)}: a file says its rate itself: leave it out"
            )
        return None
    if isinstance(source, tuple) and len(source) == 2:
        first, second = source
        source, rate = (second, first) if np.ndim(first) == 0 else (first, second)
    if rate is None:
        raise UserError("an array needs its rate in Hz: (array, rate), or rate=16000")
    if int(rate) != rate:
        raise UserError(f"a rate of {rate}: wants whole Hz")
    return np.asarray(source), int(rate)


def _recording_of(samples: np.ndarray, rate: int, bounds: Bounds) -> audio.Recording:
    if samples.ndim not in (1, 2) or samples.dtype.kind not in "fiu":
        raise UserError(
            f"{samples.dtype} of shape {samples.shape}: wants numbers (num_samples,) or "
            "(num_samples, num_channels)"
        )
    samples = samples if samples.ndim == 2 else samples[:, None]
    if samples.shape[1] > checks.MAX_CHANNELS >= samples.shape[0]:
        raise UserError(
            f"shape {samples.shape}: wants (num_samples, num_channels), turn it with .T"
        )
    checks.check_form(rate, samples.shape[1])
    checks.check_length(len(samples) / rate, _longest(bounds))
    samples = _scaled(samples)
    checks.check_values(samples, rate)
    signal, note = mono(samples, bounds.channels)
    if rate != audio.SAMPLE_RATE:
        signal = soxr.resample(signal, rate, audio.SAMPLE_RATE).astype(np.float32)
    checks.check_any(len(signal), audio.SAMPLE_RATE)
    return audio.Recording(signal, note)


def _scaled(samples: np.ndarray) -> np.ndarray:
    """Float32 on the scale of 1; integers as libsndfile scales them."""
    kind, bits = samples.dtype.kind, 8 * samples.dtype.itemsize
    if kind == "f":
        return samples.astype(np.float32)
    middle = 2 ** (bits - 1) if kind == "u" else 0
    return ((samples.astype(np.float64) - middle) / 2 ** (bits - 1)).astype(np.float32)


def _decoded(source: Any, bounds: Bounds) -> audio.Recording:
    wanted = {"channels": bounds.channels, "longest_sec": _longest(bounds)}
    if isinstance(source, str | Path):
        return audio.load(Path(source), **wanted)
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    with tempfile.TemporaryDirectory() as place:  # decoders look at headers in a file
        path = Path(place) / "recording"
        with path.open("wb") as copy:
            try:
                shutil.copyfileobj(stream, copy)
            except TypeError:
                raise UserError("it is open as text: open it with mode 'rb'") from None
        try:
            return audio.load(path, **wanted)
        except UserError as error:
            raise UserError(str(error).removeprefix(f"{path}: ")) from None


def _longest(bounds: Bounds) -> float:
    return checks.LONGEST_UTTERANCE * bounds.max_sec


def _rounded(samples: np.ndarray) -> np.ndarray:
    """Samples as the FLAC of stage 1 gives them back."""
    return soundfile.read(io.BytesIO(audio.encoded(samples)), dtype="float32")[0]
