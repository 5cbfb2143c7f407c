"""Checks of a decoded recording. Callers add the file's name to the UserErrors."""

import hashlib

import numpy as np

from s2st_interleave.errors import UserError

LONGEST_UTTERANCE = 20  # times --max_sec: longer recordings are not even decoded
RATES = (4_000, 768_000)  # Hz
MAX_CHANNELS = 64
# Of all channels, on average over the length that may be read: small files may hold more.
VALUES_PER_SEC = 192_000
# Of one channel: a block of a FLAC has 65535 samples at most, in 9 bytes where all are equal.
MOST_PER_BYTE = 8192
FULL_SCALE = 8.0  # +18 dB, more than the headroom of any recorder; integers are larger
# Some recorders count their header among the samples, and lossy codecs their delay.
SLACK_SEC, CODEC_SLACK_SEC = 0.02, 0.15


def check_form(rate: int, channels: int) -> None:
    """UserError for a sampling rate (Hz) or a number of channels out of range."""
    low, high = RATES
    if not low <= rate <= high:
        raise UserError(f"a sampling rate of {rate} Hz, wants {low} to {high}")
    if channels > MAX_CHANNELS:
        raise UserError(f"{channels} channels, at most {MAX_CHANNELS} are read")


def check_length(seconds: float, longest_sec: float) -> None:
    """UserError for more seconds than are read at once."""
    if seconds > longest_sec:
        raise UserError(
            f"lasts {seconds:.0f} s, more than the {longest_sec:.0f} s that are read at "
            f"once: cut it (of an utterance, {LONGEST_UTTERANCE} times --max_sec are read)"
        )


def check_size(num_values: int, longest_sec: float) -> None:
    """UserError for more samples, over all channels, than memory should hold."""
    most = longest_sec * VALUES_PER_SEC
    if num_values > most:
        raise UserError(
            f"unpacks to {num_values / 1e6:.0f} million samples over all channels, more "
            f"than the {most / 1e6:.0f} million that are read at once: cut it, or mix it "
            "to one channel of 48 kHz"
        )


def check_claim(num_samples: int, num_bytes: int) -> None:
    """UserError where a file's header promises more samples than its bytes can hold."""
    if num_samples > MOST_PER_BYTE * num_bytes:
        raise UserError(
            f"its header promises {num_samples} samples, and no codec puts so many into "
            f"{num_bytes} bytes"
        )


def check_any(num_samples: int, rate: int) -> None:
    """UserError for less than a millisecond, which is no recording and 0.000 s in tables."""
    if num_samples * 1000 < rate:
        count = (
            f"{num_samples} samples at {rate} Hz" if num_samples else "not one sample"
        )
        raise UserError(f"no audio in it, {count}")


def check_delivered(
    seconds: float, promised: float, slack: float = SLACK_SEC, complaint: str = ""
) -> None:
    """UserError if `seconds` were decoded and more than `slack` are missing of `promised`.

    `complaint` is the decoder's, "" for none; with one, any length is too short.
    """
    if promised - seconds > slack or complaint:
        of = f" of {promised:.1f}" if promised else ""
        if 0 < promised - seconds < 0.1:  # one decimal would read "4.0 of 4.0 s"
            seconds, of = round(seconds, 2), f" of {promised:.2f}"
            raise UserError(f"breaks off after {seconds:.2f}{of} s{complaint}")
        raise UserError(f"breaks off after {seconds:.1f}{of} s{complaint}")


def check_values(samples: np.ndarray, rate: int) -> None:
    """UserError for samples (num_samples, num_channels) that are no audio on scale 1."""
    if not samples.size:
        return
    peak = max(float(samples.max()), -float(samples.min()))
    if not np.isfinite(peak):
        bad = np.flatnonzero(~np.isfinite(samples).all(axis=1))
        raise UserError(
            f"{len(bad)} of {len(samples)} samples are not numbers, the first at "
            f"{bad[0] / rate:.2f} s"
        )
    if peak > FULL_SCALE or (peak > 1 and np.array_equal(samples, np.rint(samples))):
        bits = next((b for b in (16, 24, 32) if peak <= 2 ** (b - 1)), None)
        scale = f"the scale seems to be that of {bits}-bit integers: " if bits else ""
        raise UserError(
            f"samples reach {peak:.6g} where 1 is full scale; {scale}scale them, or write "
            "integers as integers"
        )


def check_sum(samples: np.ndarray, md5: bytes, bits: int) -> None:
    """UserError unless `md5` is that of the samples as little-endian integers."""
    if bits not in (16, 24):
        return
    values = np.rint(samples * 2 ** (bits - 1)).astype("<i4")
    content = values.view(np.uint8).reshape(-1, 4)[:, : bits // 8]
    if hashlib.md5(content.tobytes(), usedforsecurity=False).digest() != md5:
        raise UserError("its samples are not those that its header has the MD5 of")
