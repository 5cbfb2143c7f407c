"""The unit HiFi-GAN, in a size that trains a few steps in seconds."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("espnet2.gan_tts.hifigan.loss", exc_type=ImportError)

from s2st_interleave.stages import vocoder
from s2st_interleave.vocoder.base import load
from s2st_interleave.vocoder.gan import gan_learning_rate

SMALL = {
    "backend": "hifigan",
    "embedding_dim": 16,
    "channels": 32,
    "upsample_scales": (8, 5, 4, 4),
    "resblock_kernel_sizes": (3,),
    "resblock_dilations": (1, 3),
    "discriminator_channels": 16,
    "max_discriminator_channels": 32,
    "period_channels": 4,
    "crop_units": 6,
    "batch_size": 4,
    "lr": 2e-3,
    "max_steps": 16,
    "save_every": 8,
    "eval_every": 4,
    "num_dev": 2,
}


@pytest.fixture(scope="module")
def trained(tone_corpus: Path) -> Path:
    out = tone_corpus / "exp" / "hifigan"
    vocoder.run(options(tone_corpus, out))
    return out


def options(root: Path, out: Path, **changes) -> vocoder.Options:
    places = {
        "data_dir": root / "data" / "train",
        "dev_data_dir": root / "data" / "dev",
        "units_dir": root / "dump" / "units" / "train",
        "dev_units_dir": root / "dump" / "units" / "dev",
    }
    common = {"device": "cpu", "num_threads": 1, "out_dir": out}
    return vocoder.Options(**places | common | SMALL | changes)


def metrics(out: Path) -> list[dict]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").open()]
    return [{k: v for k, v in line.items() if k != "sec"} for line in lines]


def test_training_lowers_the_mel_loss(trained: Path):
    lines = metrics(trained)
    assert "mel" not in lines[0] and lines[-1]["mel"] < 0.9 * lines[1]["mel"]
    assert lines[-1]["dev_loss"] < lines[3]["dev_loss"]


def test_resume_is_bit_identical(tone_corpus: Path, trained: Path):
    out = tone_corpus / "exp" / "hifigan resumed"
    vocoder.run(options(tone_corpus, out, max_steps=8))
    vocoder.run(options(tone_corpus, out))
    assert metrics(out) == metrics(trained)
    name = "checkpoint-16/model.safetensors"
    assert (out / name).read_bytes() == (trained / name).read_bytes()


def test_a_unit_has_its_samples_and_bad_ones_are_errors(trained: Path):
    model = load(trained)
    for count in (1, 3, 20):
        samples = model.synthesise(np.zeros(count, np.int32))
        assert samples.shape == (count * 640,) and samples.dtype == np.float32
    with pytest.raises(ValueError, match="no units"):
        model.synthesise(np.array([], np.int32))
    with pytest.raises(ValueError, match=r"not one of 0\.\.5"):
        model.synthesise(np.array([6]))


def test_the_exported_generator_sounds_like_its_checkpoint(trained: Path):
    units = np.array([0, 1, 2, 5], np.int32)
    exported = load(trained).synthesise(units)
    np.testing.assert_array_equal(
        exported, load(trained / "checkpoint-16").synthesise(units)
    )
    with_discriminators = trained / "checkpoint-16" / "model.safetensors"
    sizes = [p.stat().st_size for p in (trained / with_discriminators.name,)]
    assert sizes[0] < with_discriminators.stat().st_size


def test_removing_weight_norm_changes_no_sample(trained: Path):
    import torch

    from s2st_interleave.vocoder.base import HifiganSizes
    from s2st_interleave.vocoder.gan import Gan
    from s2st_interleave.vocoder.hifigan import HifiganVocoder

    model = load(trained)
    gan = Gan(model.rate, HifiganSizes.of(SMALL | {"num_mels": 80, "kernel_size": 7}))
    from safetensors.torch import load_model

    load_model(gan, trained / "checkpoint-16" / "model.safetensors")
    normed = HifiganVocoder(gan.generator.eval(), model.rate, torch.device("cpu"))
    units = np.array([4, 4, 0, 2], np.int32)
    np.testing.assert_allclose(
        normed.synthesise(units), model.synthesise(units), atol=1e-5
    )


def test_scales_must_make_a_unit(tone_corpus: Path):
    bad = options(tone_corpus, tone_corpus / "exp" / "bad gan", upsample_scales=(8, 5))
    with pytest.raises(ValueError, match="make 40 samples of a unit, which has 640"):
        vocoder.run(bad)


def test_the_learning_rate_halves_four_times_at_most(tone_corpus: Path):
    wanted = options(tone_corpus, tone_corpus / "unused")
    rates = [gan_learning_rate(wanted, step, 10) for step in (0, 9, 10, 25, 40, 900)]
    np.testing.assert_allclose(np.array(rates) / 2e-3, [1, 1, 1 / 2, 1 / 4, 1 / 16, 1 / 16])


def test_the_recipe_builds_at_full_size(tone_corpus: Path):
    """The paper's vocoder, 320 samples a unit: about 14 M parameters in the generator."""
    import torch

    from s2st_interleave.vocoder.base import HifiganSizes, Rate
    from s2st_interleave.vocoder.hifigan import UnitGenerator

    with torch.device("meta"):
        model = UnitGenerator(Rate(2048, 320, 16_000), HifiganSizes())
    assert 12e6 < sum(p.numel() for p in model.parameters()) < 16e6
