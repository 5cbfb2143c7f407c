"""Audio files: read anything libsndfile reads, write 16 kHz mono."""

from pathlib import Path

import numpy as np

from s2st_interleave.artifact import atomic_write
from s2st_interleave.errors import UserError

SAMPLE_RATE = 16_000


def read(path: Path, rate: int = SAMPLE_RATE) -> np.ndarray:
    """Mono float32 samples of shape (num_samples,) at `rate` Hz.

    Raises UserError naming the file when it cannot be decoded or holds no sample.
    """
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            found, claimed = file.samplerate, file.frames
            samples = file.read(dtype="float32", always_2d=True)
            if file.format == "MP3":
                samples = _whole_mp3(path, samples, claimed, found)
    except (soundfile.LibsndfileError, OSError) as error:
        raise UserError(f"{path}: cannot be read as audio ({error})") from None
    mono = samples.mean(axis=1)
    if found != rate:
        import soxr

        mono = soxr.resample(mono, found, rate).astype(np.float32)
    if not len(mono) or not np.isfinite(mono).all():
        raise UserError(f"{path}: no audio, or samples that are not numbers")
    return mono


def _whole_mp3(path: Path, samples: np.ndarray, claimed: int, rate: int) -> np.ndarray:
    """`samples`, or all of them where libsndfile stopped too early.

    An MP3 of variable bit rate need not say how long it is; libsndfile then guesses from
    its first frames and reads no further. UserError where a file that does say it
    breaks off.
    """
    import av

    try:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            ticks = sum(packet.duration or 0 for packet in container.demux(stream))
            length = float(ticks * stream.time_base)
        if length > len(samples) / rate + 0.1:
            with av.open(str(path)) as container:
                frames = [one.to_ndarray() for one in container.decode(audio=0)]
            return np.concatenate(frames, axis=1).T
    except av.FFmpegError as error:
        raise UserError(f"{path}: cannot be read as audio ({error})") from None
    if len(samples) < 0.9 * claimed and _says_its_length(path):
        raise UserError(
            f"{path}: breaks off after {len(samples) / rate:.1f} of "
            f"{claimed / rate:.1f} s"
        )
    return samples


def _says_its_length(path: Path) -> bool:
    """Whether the first frame of an MP3 is an encoder's note about all the others."""
    with path.open("rb") as stream:
        head = stream.read(10)
        if head[:3] == b"ID3":  # a tag before it, whose size has 7 bits a byte
            size = sum(byte << 7 * (3 - i) for i, byte in enumerate(head[6:10]))
            stream.seek(10 + size)
        else:
            stream.seek(0)
        frame = stream.read(64)
    return any(mark in frame for mark in (b"Xing", b"Info", b"VBRI"))


def write(
    path: Path, samples: np.ndarray, rate: int = SAMPLE_RATE, comment: str = ""
) -> None:
    """Write 16-bit PCM, WAV or FLAC by the name's ending; clips at full scale.

    `comment`: of a FLAC, in its own header: it appears with the file.
    """
    import soundfile

    with atomic_write(path, "wb") as stream:
        kind = path.suffix[1:].upper()
        clipped = np.clip(samples, -1.0, 1.0)
        with soundfile.SoundFile(stream, "w", rate, 1, "PCM_16", format=kind) as file:
            if comment:
                file.comment = comment
            file.write(clipped)


def comment(path: Path) -> str:
    """What `write` has put into a file's header; empty where there is none."""
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            return file.comment
    except (soundfile.LibsndfileError, OSError):
        return ""
