"""WORLD parameters of recordings: smooth numbers that a small network can regress.

Regression blurs the harmonics of a spectrogram, but not log F0, voicing and a smooth
envelope. The columns of a frame are log F0, voicing, band aperiodicity, and cepstra of the
envelope.
"""

import io
import warnings
import zlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.data import audio
from s2st_interleave.files import atomic_write
from s2st_interleave.progress import progress
from s2st_interleave.weights import reading
from s2st_interleave.workers import mapped

LOG_F0, VOICED, APERIODICITY, CEPSTRA = 0, 1, 2, 3  # the last: where they begin
LOG_F0_WITHOUT_VOICE = np.log(150.0)
FFT_SIZE = 1024  # pyworld's own choice at 16 kHz and its lowest F0 of 71 Hz
DITHER = 1 / 32768  # a step of 16-bit audio: digital silence would have no logarithm


def analyse(
    samples: np.ndarray, frame_ms: float, num_cepstra: int, key: str
) -> np.ndarray:
    """WORLD parameters, float32 (num_frames, 3 + num_cepstra), of samples at 16 kHz.

    `samples` are float32 (num_samples,); frame k lies at k * `frame_ms`. The dither depends
    on `key` (the utterance id) alone.
    """
    pw = _pyworld()
    noise = keyed.generator("dither", key).standard_normal(len(samples))
    wave = samples.astype(np.float64) + DITHER * noise
    rate = audio.SAMPLE_RATE
    # Not harvest: it takes 0.2 s for a second of speech, dio with stonemask 0.006 s.
    coarse, times = pw.dio(wave, rate, frame_period=frame_ms)
    f0 = pw.stonemask(wave, coarse, times, rate)
    envelope = pw.cheaptrick(wave, f0, times, rate, fft_size=FFT_SIZE)
    aperiodicity = pw.d4c(wave, f0, times, rate, fft_size=FFT_SIZE)
    voiced = f0 > 0
    log_f0 = np.full(len(f0), LOG_F0_WITHOUT_VOICE)
    if voiced.any():  # through unvoiced frames: a jump to 0 cannot be regressed
        log_f0 = np.interp(times, times[voiced], np.log(f0[voiced]))
    columns = [
        log_f0[:, None],
        voiced[:, None],
        pw.code_aperiodicity(aperiodicity, rate),
        pw.code_spectral_envelope(envelope, rate, num_cepstra),
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)


def synthesise(frames: np.ndarray, frame_ms: float, num_samples: int) -> np.ndarray:
    """Make float32 (num_samples,) of frames like those of `analyse`.

    A frame is voiced where its voicing is 0.5 or more.
    """
    pw = _pyworld()
    rate = audio.SAMPLE_RATE
    # WORLD makes one step less than there are frames, so the last one is repeated.
    frames = np.concatenate([frames, frames[-1:]]).astype(np.float64)
    voiced = frames[:, VOICED] >= 0.5
    f0 = np.where(voiced, np.exp(frames[:, LOG_F0]), 0.0)
    coded = np.minimum(frames[:, APERIODICITY:CEPSTRA], 0.0)  # dB
    aperiodicity = pw.decode_aperiodicity(np.ascontiguousarray(coded), rate, FFT_SIZE)
    cepstra = np.ascontiguousarray(frames[:, CEPSTRA:])
    envelope = pw.decode_spectral_envelope(cepstra, rate, FFT_SIZE)
    wave = pw.synthesize(f0, envelope, aperiodicity, rate, frame_ms)
    assert len(wave) >= num_samples
    return np.clip(wave[:num_samples], -1.0, 1.0).astype(np.float32)


def analyse_all(
    wavs: Mapping[str, Path],
    folder: Path,
    *,
    frame_ms: float,
    num_cepstra: int,
    nj: int = 1,
) -> dict[str, Path]:
    """Analyse recordings that have no file in `folder` yet; return all files (.npy) by id.

    The content of a file does not depend on `nj`, the number of processes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {utterance: folder / f"{utterance}.npy" for utterance in sorted(wavs)}
    missing = [u for u, path in paths.items() if not path.is_file()]
    job = partial(_analyse_file, frame_ms=frame_ms, num_cepstra=num_cepstra)
    work = [(u, wavs[u], paths[u]) for u in missing]
    for _ in progress(mapped(job, work, nj, chunk=8), "analysis", len(work)):
        pass
    return paths


def _analyse_file(
    item: tuple[str, Path, Path], *, frame_ms: float, num_cepstra: int
) -> None:
    utterance, wav, path = item
    frames = analyse(audio.read(wav, of=utterance), frame_ms, num_cepstra, utterance)
    content = io.BytesIO()
    np.save(content, frames)
    with atomic_write(path, "wb") as stream:
        stream.write(content.getvalue())
        stream.write(_sum(content.getvalue()))  # numpy does not read so far


def read(path: Path) -> np.ndarray:
    """Frames of a file of `analyse_all`; UserError where it is not what was written."""
    content = path.read_bytes()
    with reading(path, "remove it, and the same command makes it again"):
        stream = io.BytesIO(content)
        frames = np.load(stream)
        end = stream.tell()
        # An earlier version wrote no sum.
        if content[end:] not in (b"", _sum(content[:end])):
            raise ValueError
    return frames


def _sum(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4, "little")


def _pyworld() -> Any:
    """pyworld, an extra, whose functions are in a compiled module without types."""
    with warnings.catch_warnings():  # it imports the deprecated pkg_resources
        warnings.simplefilter("ignore")
        import pyworld
    return pyworld
