"""A made voice in which a unit is a pitch: what it says can be learned in seconds.

python tests/tiny_voice.py tiny/voice      # data/ and units/ of train and dev
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.data import audio, kaldi, sides
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.units import store

SIDES = {"src": "es", "tgt": "en"}
WORDS = "do re mi fa so la".split()  # of a unit each
NUM_UNITS, UNIT_SEC, SAMPLES_PER_UNIT = 6, 0.04, 640


@dataclass(frozen=True)
class _Options:
    """A made voice has none."""


def tones(units: np.ndarray) -> np.ndarray:
    """Ten harmonics whose pitch is the unit's, without a jump in phase."""
    f0 = np.repeat(110 * 2 ** (units / NUM_UNITS), SAMPLES_PER_UNIT)
    phase = 2 * np.pi * np.cumsum(f0) / audio.SAMPLE_RATE
    return 0.3 * sum(np.sin(k * phase) / k for k in range(1, 11)).astype(np.float32) / 2


def write_split(root: Path, split: str, count: int) -> None:
    """`count` utterances as stages 1 and 4 leave them, below data/ and units/."""
    data_dir, units_dir = root / "data" / split, root / "units" / split
    wavs, texts, units = {}, {}, {}
    for number in range(count):
        utterance = f"utt{number:02d}"
        drawn = keyed.generator(split, number).integers(NUM_UNITS, size=5)
        units[utterance] = np.repeat(drawn, 4).astype(np.int32)
        texts[utterance] = " ".join(WORDS[unit] for unit in drawn[:2])
        wavs[utterance] = root / "audio" / split / f"{utterance}.wav"
        audio.write(wavs[utterance], tones(units[utterance]))
    # An encoder may see a unit more than the samples hold.
    units["utt00"] = np.append(units["utt00"], 0).astype(np.int32)
    stage = open_stage(data_dir, stage="data", options=_Options(), inputs={})
    assert stage is not None
    sides.write(data_dir, SIDES)
    kaldi.write_table(data_dir / "wav.scp.tgt", {u: str(p) for u, p in wavs.items()})
    kaldi.write_table(data_dir / "text.tgt", texts)
    kaldi.write_table(data_dir / "utt2dur.tgt", dict.fromkeys(wavs, "0.800"))
    stage.finish(num_in=count, num_out=count)
    stage = open_stage(units_dir, stage="units", options=_Options(), inputs={})
    assert stage is not None
    store.write_units(units_dir / "units.tgt", units)
    facts = {"num_units": NUM_UNITS, "unit_sec": UNIT_SEC, "sides": SIDES}
    stage.finish(num_in=count, num_out=count, **facts)


def main(root: Path) -> None:
    write_split(root, "train", 8)
    write_split(root, "dev", 2)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
