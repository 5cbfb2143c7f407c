"""What libsndfile cannot read, or misjudges, decoded by PyAV (ffmpeg's libraries)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave.data import checks, header
from s2st_interleave.errors import UserError

# What may be opened. A playlist, which would open other files, is not among them.
CONTAINERS = ("aac", "amr", "asf", "caf", "flac", "matroska", "mov")
SAY_THEIR_LENGTH = {
    "asf",
    "caf",
    "flac",
    "matroska",
    "mov",
}  # ffmpeg guesses the others'


@dataclass
class _Sound:
    """Blocks (num_samples, num_channels) as they come, all of one form."""

    longest_sec: float
    rate: int = 0
    layout: str = ""
    start_sec: float = 0.0
    count: int = 0
    blocks: list[np.ndarray] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.count / self.rate if self.rate else 0.0

    def add(self, frame: Any, parts: list[Any]) -> None:
        if not self.blocks:
            self.rate, self.layout = frame.sample_rate, frame.layout.name
            self.start_sec = frame.time or 0.0
            checks.check_form(self.rate, frame.layout.nb_channels)
        if (frame.sample_rate, frame.layout.name) != (self.rate, self.layout):
            raise UserError(f"changes its rate or channels after {self.seconds:.1f} s")
        self.blocks += [part.to_ndarray().T for part in parts]
        self.count += frame.samples
        checks.check_length(self.seconds, self.longest_sec)

    def skips(self, frame: Any) -> bool:
        """Whether samples are missing before `frame`, which says its time."""
        if not self.blocks:
            return False
        late = frame.time is None or frame.time - self.start_sec > self.seconds + 1e-3
        return late


def decode(path: Path, longest_sec: float, why: str) -> tuple[np.ndarray, int]:
    """Float32 samples (num_samples, num_channels) and their rate in Hz.

    `why`: libsndfile's complaint, for what PyAV cannot open either. Raises UserError
    without the file's name.
    """
    import av

    sound, promised, complaint, is_flac = _Sound(longest_sec), 0.0, "", False
    try:
        options = {"format_whitelist": ",".join(CONTAINERS)}
        with path.open("rb") as stream, av.open(stream, options=options) as container:
            is_flac = container.format.name == "flac"
            promised = _promised(container)
            checks.check_length(promised, longest_sec)
            resampler = av.AudioResampler(format="fltp")
            for frame in container.decode(audio=0):
                if is_flac and sound.skips(frame):  # where a block is damaged
                    complaint = " (damaged there)"
                    break
                sound.add(frame, resampler.resample(frame))
    except (av.FFmpegError, OSError) as error:
        complaint = f" ({error.strerror})"
    if not sound.blocks:
        if text := header.text_of(path):
            why = f"it is text: '{text}'"
        raise UserError(f"cannot be read as audio ({why})")
    slack = checks.SLACK_SEC if is_flac else checks.CODEC_SLACK_SEC
    checks.check_delivered(sound.seconds, promised, slack, complaint)
    return np.concatenate(sound.blocks), sound.rate


def _promised(container: Any) -> float:
    """Seconds that the container says it has, 0 where it does not."""
    if not container.streams.audio:
        raise UserError("no audio in it")
    if SAY_THEIR_LENGTH.isdisjoint(container.format.name.split(",")):
        return 0.0
    track = container.streams.audio[0]
    if container.format.name == "caf":
        return track.frames / track.rate
    if track.duration is not None:
        return float(track.duration * track.time_base)
    return (container.duration or 0) / 1e6


def mp3_seconds(path: Path) -> float:
    """Seconds of all frames of an MP3, none of them decoded."""
    import av

    with path.open("rb") as stream, av.open(stream, format="mp3") as container:
        track = container.streams.audio[0]
        ticks = sum(packet.duration or 0 for packet in container.demux(track))
        return float(ticks * track.time_base)


def mp3_samples(path: Path) -> np.ndarray:
    """All of an MP3, float32 (num_samples, num_channels)."""
    import av

    with path.open("rb") as stream, av.open(stream, format="mp3") as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(frames, axis=1).T
