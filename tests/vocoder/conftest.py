"""A made corpus in which a unit is a pitch: what it says can be learned in seconds."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from s2st_interleave import keyed
from s2st_interleave.data import audio, kaldi, sides
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.stages import vocoder
from s2st_interleave.units import store

SIDES = {"src": "es", "tgt": "en"}
NUM_UNITS, UNIT_SEC, SAMPLES_PER_UNIT = 6, 0.04, 640


@dataclass(frozen=True)
class Nothing:
    pass


def tones(units: np.ndarray) -> np.ndarray:
    """Ten harmonics whose pitch is the unit's, without a jump in phase."""
    f0 = np.repeat(110 * 2 ** (units / NUM_UNITS), SAMPLES_PER_UNIT)
    phase = 2 * np.pi * np.cumsum(f0) / audio.SAMPLE_RATE
    return 0.3 * sum(np.sin(k * phase) / k for k in range(1, 11)).astype(np.float32) / 2


def make_split(root: Path, split: str, count: int) -> None:
    data_dir, units_dir = root / "data" / split, root / "dump" / "units" / split
    wavs, units = {}, {}
    for number in range(count):
        utterance = f"utt{number:02d}"
        drawn = keyed.generator(split, number).integers(NUM_UNITS, size=5)
        units[utterance] = np.repeat(drawn, 4).astype(np.int32)
        wavs[utterance] = root / "audio" / split / f"{utterance}.wav"
        audio.write(wavs[utterance], tones(units[utterance]))
    # An encoder may see a unit more than the samples hold.
    units["utt00"] = np.append(units["utt00"], 0).astype(np.int32)
    stage = open_stage(data_dir, stage="data", options=Nothing(), inputs={})
    sides.write(data_dir, SIDES)
    kaldi.write_table(data_dir / "wav.scp.tgt", {u: str(p) for u, p in wavs.items()})
    stage.finish(num_in=count, num_out=count)
    stage = open_stage(units_dir, stage="units", options=Nothing(), inputs={})
    store.write_units(units_dir / "units.tgt", units)
    facts = {"num_units": NUM_UNITS, "unit_sec": UNIT_SEC, "sides": SIDES}
    stage.finish(num_in=count, num_out=count, **facts)


@pytest.fixture(scope="session")
def tone_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("a corpus")  # a space in its path
    make_split(root, "train", 8)
    make_split(root, "dev", 2)
    return root


@pytest.fixture(scope="session")
def stage_options(tone_corpus: Path) -> Callable[..., vocoder.Options]:
    """Options of stage `vocoder` on the corpus."""

    def options(out: Path, **values) -> vocoder.Options:
        return vocoder.Options(
            data_dir=(tone_corpus / "data" / "train",),
            dev_data_dir=(tone_corpus / "data" / "dev",),
            units_dir=(tone_corpus / "dump" / "units" / "train",),
            dev_units_dir=(tone_corpus / "dump" / "units" / "dev",),
            out_dir=out,
            device="cpu",
            num_threads=1,
            num_dev=2,
            **values,
        )

    return options


@pytest.fixture(scope="session")
def read_metrics() -> Callable[[Path], list[dict]]:
    """Lines of a run's metrics without the clock."""

    def read(out: Path) -> list[dict]:
        lines = map(json.loads, (out / "metrics.jsonl").read_text().splitlines())
        return [{k: v for k, v in line.items() if k != "sec"} for line in lines]

    return read
