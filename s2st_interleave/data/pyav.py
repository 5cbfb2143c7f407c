"""Decodes by PyAV (ffmpeg's libraries) what libsndfile cannot read, or reads wrongly."""

from dataclasses import dataclass, field
from typing import BinaryIO

import av
import numpy as np
from av.container import InputContainer

from s2st_interleave.data import checks, header
from s2st_interleave.data.ark import AudioFile
from s2st_interleave.errors import UserError

# Containers that may be opened. Playlists are left out: they would open other files.
CONTAINERS = ("aac", "amr", "asf", "caf", "flac", "matroska", "mov")
# Containers that give their length; ffmpeg guesses that of the others.
SAY_THEIR_LENGTH = {"asf", "caf", "flac", "matroska", "mov"}


@dataclass
class _Sound:
    """Decoded blocks (num_samples, num_channels), all of one rate and channel layout."""

    longest_sec: float
    rate: int = 0
    layout: str = ""
    start_sec: float = 0.0
    count: int = 0
    blocks: list[np.ndarray] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.count / self.rate if self.rate else 0.0

    def add(self, frame: av.AudioFrame, parts: list[av.AudioFrame]) -> None:
        """Append `parts`, the samples of a frame; UserError for another rate or layout."""
        if not self.blocks:
            self.rate, self.layout = frame.sample_rate, frame.layout.name
            self.start_sec = frame.time or 0.0
            checks.check_form(self.rate, frame.layout.nb_channels)
        if (frame.sample_rate, frame.layout.name) != (self.rate, self.layout):
            raise UserError(f"changes its rate or channels after {self.seconds:.1f} s")
        count = frame.layout.nb_channels
        self.blocks += [part.to_ndarray().reshape(-1, count) for part in parts]
        self.count += frame.samples
        checks.check_length(self.seconds, self.longest_sec)
        checks.check_size(self.count * count, self.longest_sec)

    def skips(self, frame: av.AudioFrame) -> bool:
        """Are samples missing before `frame`, by its time?"""
        if not self.blocks:
            return False
        return frame.time is None or frame.time - self.start_sec > self.seconds + 1e-3


def decode(path: AudioFile, longest_sec: float, why: str) -> tuple[np.ndarray, int]:
    """Float32 samples (num_samples, num_channels) and their rate in Hz.

    `why` is libsndfile's complaint, for the message if PyAV fails as well. Raises UserError
    without the file's name.
    """
    sound, promised, complaint, is_flac = _Sound(longest_sec), 0.0, "", False
    try:
        whitelist = ",".join(CONTAINERS)
        with (
            path.open("rb") as stream,
            av.open(
                stream,
                "r",
                options={"format_whitelist": whitelist},
                metadata_errors="replace",
            ) as container,
        ):
            is_flac = container.format.name == "flac"
            promised = _promised(container)
            checks.check_length(promised, longest_sec)
            # Samples of all channels in turn: PyAV 18 reads beyond its memory where 8 or
            # more channels lie one after another ("fltp").
            resampler = av.AudioResampler(format="flt")
            for frame in container.decode(audio=0):
                if is_flac and sound.skips(frame):  # ffmpeg skips damaged blocks
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


def _promised(container: InputContainer) -> float:
    """Seconds of audio by the container's header; 0 where it does not tell."""
    if not container.streams.audio:
        raise UserError("no audio in it")
    track = container.streams.audio[0]
    if track.codec_context is None:
        raise UserError("cannot be read as audio (of an unknown codec)")
    if SAY_THEIR_LENGTH.isdisjoint(container.format.name.split(",")):
        return 0.0
    if container.format.name == "caf":
        return track.frames / track.rate if track.rate else 0.0
    if track.duration is not None and track.time_base is not None:
        return float(track.duration * track.time_base)
    return (container.duration or 0) / 1e6


def _mp3(stream: BinaryIO) -> InputContainer:
    return av.open(stream, "r", format="mp3", metadata_errors="replace")


def mp3_seconds(path: AudioFile) -> float:
    """Seconds of all frames of an MP3, without decoding them."""
    with path.open("rb") as stream, _mp3(stream) as container:
        track = container.streams.audio[0]
        ticks = sum(packet.duration or 0 for packet in container.demux(track))
        return float(ticks * (track.time_base or 0))  # an MP3 always has one


def mp3_samples(path: AudioFile) -> np.ndarray:
    """All samples of an MP3, float32 (num_samples, num_channels)."""
    with path.open("rb") as stream, _mp3(stream) as container:
        decoded = list(container.decode(audio=0))
    if len({(frame.sample_rate, frame.layout.name) for frame in decoded}) > 1:
        raise UserError("changes its rate or channels on the way")
    frames = [frame.to_ndarray() for frame in decoded]
    return np.concatenate(frames, axis=1).T
