"""A made voice, and stage `vocoder` on it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_voice

from s2st_interleave.stages import vocoder
from s2st_interleave.vocoder.backends import BACKENDS


@pytest.fixture(scope="session")
def tone_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("a corpus")  # a space in its path
    tiny_voice.main(root)
    return root


@pytest.fixture(scope="session")
def stage_options(tone_corpus: Path) -> Callable[..., vocoder.Options]:
    """Options of stage `vocoder` on the corpus; a back-end's own are a mapping."""

    def options(out: Path, **values) -> vocoder.Options:
        for name in BACKENDS.keys() & values.keys():
            values[name] = BACKENDS[name].Options(**values[name])
        return vocoder.Options(
            data_dir=(tone_corpus / "data" / "train",),
            dev_data_dir=(tone_corpus / "data" / "dev",),
            units_dir=(tone_corpus / "units" / "train",),
            dev_units_dir=(tone_corpus / "units" / "dev",),
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
