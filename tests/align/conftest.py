"""An encoder that hears the speech of tests/tones.py, and one that hears nothing."""

from pathlib import Path

import pytest
import tones


@pytest.fixture(scope="session")
def encoders(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("encoders of tones")
    train = tones.write_data(root, "train", tones.both(tones.clips("train", 60)))
    dev = tones.write_data(root, "dev", tones.both(tones.clips("dev", 8)))
    return {
        "hears": tones.train_encoder(root / "hears", train, dev),
        "deaf": tones.train_encoder(root / "deaf", train, dev, max_steps=2),
    }
