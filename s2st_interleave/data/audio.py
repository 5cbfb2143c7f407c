"""Reads audio files of any format that libsndfile or PyAV knows, and writes 16 kHz mono.

A path may be that of a recording in a Kaldi archive: see ark.py.

Recordings of users are checked: a file that holds less audio than its header promises, or
samples that are not on the scale of 1, is refused by name.
"""

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from s2st_interleave.data import ark, checks, decoder
from s2st_interleave.data.ark import AudioFile
from s2st_interleave.data.channels import MIX, Channels, mono
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write

SAMPLE_RATE = 16_000
UNREADABLE = (soundfile.LibsndfileError, OSError, UserError)
LONGEST_SEC = 12 * 3600.0  # a day at a parliament: 3 GB in memory


@dataclass(frozen=True)
class Recording:
    """Mono float32 samples (num_samples,), and a note where the file's channels differ."""

    samples: np.ndarray
    note: str = ""


def read(path: AudioFile, *, of: str = "") -> np.ndarray:
    """Mono float32 samples of shape (num_samples,) at 16 kHz; errors as of `load`.

    `of` is an utterance, for messages.
    """
    try:
        return load(path).samples
    except UserError as error:
        raise UserError(f"{of}: {error}" if of else str(error)) from None


def load(
    path: AudioFile,
    *,
    channels: Channels = MIX,
    longest_sec: float = LONGEST_SEC,
) -> Recording:
    """The recording of `path` at 16 kHz.

    Raises UserError naming the file when it cannot be decoded, breaks off, promises more
    than `longest_sec`, holds no millisecond or samples that are not numbers or not on the
    scale of 1, or when its channels are not what `channels` wants.
    """
    try:
        samples, file_rate = decoder.decode(ark.whole(path), longest_sec)
        signal, note = mono(samples, channels)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return Recording(_resampled(path, signal, file_rate), note)


def load_channels(path: Path) -> np.ndarray:
    """All channels at 16 kHz, float32 (num_samples, num_channels); errors as of `load`."""
    try:
        samples, file_rate = decoder.decode(ark.whole(path), LONGEST_SEC)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return _resampled(path, samples, file_rate)


def num_samples(path: Path, *, of: str = "") -> int:
    """The number of samples that `read` gives; of a FLAC of stage 1 its header says it."""
    with _seekable(path) as file:
        return file.frames if file else len(read(path, of=of))


def seconds(path: Path, *, of: str = "") -> float:
    """Seconds of a recording, by its header where that is enough; errors as of `read`."""
    try:
        with sound_file(path) as file:
            return file.frames / file.samplerate
    except UNREADABLE:
        return len(read(path, of=of)) / SAMPLE_RATE


def read_span(path: Path, start: int, stop: int, *, of: str = "") -> np.ndarray:
    """`read(path)[start:stop]`, of which no more is decoded where that can be.

    That is in a FLAC as stage 1 writes it; `read` checks its sum, which is over the whole
    file, and this does not. Errors are those of `load`.
    """
    with _seekable(path) as file:
        try:
            if file and file.seek(start) == start:
                samples = file.read(stop - start, dtype="float32")
                if len(samples) == stop - start:
                    return samples
        except soundfile.LibsndfileError:
            pass  # `read` tells what is wrong with the file
    return read(path, of=of)[start:stop]


@contextmanager
def _seekable(path: Path) -> Iterator[soundfile.SoundFile | None]:
    """An open FLAC that needs no resampling and no mixing; None for all other files."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(sound_file(path))
        except UNREADABLE:
            file = None
        form = (file.format, file.samplerate, file.channels) if file else ()
        is_ready = form == ("FLAC", SAMPLE_RATE, 1)
        yield file if file and is_ready and file.frames < decoder.UNKNOWN else None


@contextmanager
def sound_file(path: AudioFile) -> Iterator[soundfile.SoundFile]:
    """A file of audio, opened by soundfile; raises one of UNREADABLE."""
    if isinstance(path, Path) and ark.split(str(path))[1] is None:
        with soundfile.SoundFile(str(path)) as file:
            yield file
    else:
        with ark.opened(path) as stream, soundfile.SoundFile(stream) as file:
            yield file


def _resampled(path: AudioFile, samples: np.ndarray, file_rate: int) -> np.ndarray:
    if file_rate != SAMPLE_RATE:
        samples = soxr.resample(samples, file_rate, SAMPLE_RATE).astype(np.float32)
    try:
        checks.check_any(len(samples), SAMPLE_RATE)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return samples


def write(path: Path, samples: np.ndarray, rate: int = SAMPLE_RATE) -> None:
    """Write 16-bit PCM, WAV or FLAC by the name's ending; clips at full scale."""
    with atomic_write(path, "wb") as stream:
        stream.write(encoded(samples, rate, path.suffix[1:].upper()))


def encoded(
    samples: np.ndarray,
    rate: int = SAMPLE_RATE,
    kind: str = "FLAC",
    *,
    subtype: str = "PCM_16",
    comment: str = "",
) -> bytes:
    """The content of a file of float32 samples (num_samples,); clips at full scale.

    `kind` and `subtype` are libsndfile's names; `comment` is text for the header of a FLAC.
    """
    stream = io.BytesIO()
    with soundfile.SoundFile(stream, "w", rate, 1, subtype, format=kind) as file:
        if comment:
            file.comment = comment
        file.write(np.clip(samples, -1.0, 1.0))
    return stream.getvalue()


def comment(path: AudioFile) -> str:
    """The comment that `encoded` has put into a file's header; "" where there is none.

    It is "" as well for a file that lacks its end, such as an interrupted copy.
    """
    try:
        with sound_file(path) as file:
            file.seek(max(0, file.frames - 1))
            return file.comment if len(file.read(1)) else ""
    except UNREADABLE:
        return ""
