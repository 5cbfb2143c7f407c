"""Decodes a file to samples, by libsndfile, or by PyAV where libsndfile cannot read it.

A file whose header promises more than `longest_sec` seconds is refused before it is
decoded; one that holds less than its header promises is refused after it.
"""

from typing import BinaryIO

import numpy as np
import soundfile

from s2st_interleave.data import checks, header
from s2st_interleave.data.ark import AudioFile, Held
from s2st_interleave.errors import UserError

HEADERLESS = "cannot be read as audio (raw samples have no header)"
UNKNOWN = 1 << 62  # frames that libsndfile reports for a FLAC without a length


def decode(path: AudioFile, longest_sec: float) -> tuple[np.ndarray, int]:
    """Float32 samples (num_samples, num_channels) and their rate in Hz.

    Raises UserError, without the file's name, for what is no whole recording.
    """
    _check_file(path)

    def other(complaint: str) -> tuple[np.ndarray, int]:
        from s2st_interleave.data import (
            pyav,
        )  # takes time to load, and few files need it

        return pyav.decode(path, longest_sec, complaint)

    try:
        with soundfile.SoundFile(_handle(path)) as file:
            if file.format == "RAW":  # guessed from names such as x.au, x.vox and x.gsm
                raise UserError(HEADERLESS)
            if file.frames < UNKNOWN:
                samples, rate = _read(path, file, longest_sec), file.samplerate
            else:
                samples, rate = other("no length")
    except soundfile.LibsndfileError as error:
        samples, rate = other(error.error_string)
    if sum_and_bits := header.flac_sum(path):
        checks.check_sum(samples, *sum_and_bits)
    checks.check_values(samples, rate)
    return samples, rate


def _handle(path: AudioFile) -> str | BinaryIO:
    """What soundfile opens: a file by its name, whose ending may say how to read it."""
    return path.open() if isinstance(path, Held) else str(path)


def _check_file(path: AudioFile) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise UserError("its name is not in UTF-8: rename it") from None
    if isinstance(path, Held):
        if not path.content:
            raise UserError("cannot be read as audio (empty file)")
        return
    if path.is_dir():
        raise UserError("is a folder, not a recording")
    if not path.is_file():
        raise UserError("is no plain file" if path.exists() else "no such file")
    if not path.stat().st_size:
        raise UserError("cannot be read as audio (empty file)")
    if path.suffix.lower() == ".raw":  # soundfile goes by that name
        raise UserError(HEADERLESS)


def _read(path: AudioFile, file: soundfile.SoundFile, longest_sec: float) -> np.ndarray:
    """Samples (num_samples, num_channels) of an open file that knows its length."""
    rate = file.samplerate
    checks.check_form(rate, file.channels)
    if file.format == "MP3":
        return _mp3(path, file, longest_sec)
    checks.check_length(file.frames / rate, longest_sec)
    checks.check_size(file.frames * file.channels, longest_sec)
    size = len(path.content) if isinstance(path, Held) else path.stat().st_size
    checks.check_claim(file.frames, size)
    promise = header.promise(path)
    if not file.frames and promise and promise.promised is None and promise.there:
        # No sample of any format has more than 8 bytes.
        least_sec = promise.there / (8 * file.channels * rate)
        checks.check_length(least_sec, longest_sec)
        return _completed(path, longest_sec)
    samples = _all(file, file.frames)
    if promise and promise.promised is not None:
        _keep(promise, len(samples) / rate)
    seconds = len(samples) / rate
    if file.format == "OGG" and not header.ends(path):
        raise UserError(f"breaks off after {seconds:.1f} s: its last page is missing")
    if header.is_chained(path):
        raise UserError(
            f"goes on after {seconds:.1f} s: it is several recordings, one after another; "
            "write them as one (ffmpeg -i this one.wav)"
        )
    lossy = file.subtype.startswith("MPEG")  # MP3 in a WAV: its delay is counted
    slack = checks.CODEC_SLACK_SEC if lossy else checks.SLACK_SEC
    checks.check_delivered(seconds, file.frames / rate, slack)
    return samples


def _all(file: soundfile.SoundFile, num_samples: int) -> np.ndarray:
    return file.read(frames=num_samples, dtype="float32", always_2d=True)


def _completed(path: AudioFile, longest_sec: float) -> np.ndarray:
    """Samples (num_samples, num_channels) of a WAV whose length is 0, written to a pipe."""
    completed = header.completed(path)
    if completed is None:
        raise UserError("no audio in it, says its header")
    with soundfile.SoundFile(completed) as file:
        checks.check_length(file.frames / file.samplerate, longest_sec)
        return _all(file, file.frames)


def _keep(promise: header.Promise, seconds: float) -> None:
    """UserError if the file has less or more samples than its header promises."""
    promised = promise.promised or 0
    if not promise.there or not seconds:
        if promised:
            raise UserError(
                f"no audio in it, though its header promises {promised} bytes"
            )
        return
    of_byte = seconds / min(promise.there, promised)
    checks.check_delivered(seconds, promised * of_byte)
    if promise.behind * of_byte > checks.CODEC_SLACK_SEC:
        raise UserError(
            f"goes on after the {seconds:.1f} s that its header tells of: "
            f"{promise.behind} bytes more are of no chunk"
        )


def _mp3(path: AudioFile, file: soundfile.SoundFile, longest_sec: float) -> np.ndarray:
    """All samples of an MP3 (num_samples, num_channels), also where libsndfile stops early.

    An MP3 of variable bit rate need not give its length; libsndfile then guesses it from
    the first frames and reads no further. Raises UserError where a file that does give its
    length breaks off.
    """
    import av

    from s2st_interleave.data import pyav

    rate, claimed = file.samplerate, file.frames
    try:
        length = pyav.mp3_seconds(path)
        checks.check_length(length, longest_sec)
        samples = _all(file, min(claimed, round((length + 1) * rate)))
        if length > len(samples) / rate + 0.1:
            samples = pyav.mp3_samples(path)
    except (av.FFmpegError, OSError) as error:
        raise UserError(f"cannot be read as audio ({error})") from None
    if header.mp3_says_its_length(path):
        slack = checks.CODEC_SLACK_SEC
        checks.check_delivered(len(samples) / rate, claimed / rate, slack)
    return samples
