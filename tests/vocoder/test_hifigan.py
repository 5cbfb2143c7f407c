"""The unit HiFi-GAN, in a size that trains a few steps in seconds."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("espnet2.gan_tts.hifigan.loss", exc_type=ImportError)

from s2st_interleave.errors import UserError
from s2st_interleave.stages import vocoder
from s2st_interleave.train.bad_steps import NotFiniteError
from s2st_interleave.vocoder.backends import load
from s2st_interleave.vocoder.base import UnitTiming
from s2st_interleave.vocoder.gan import GanLearner, halved
from s2st_interleave.vocoder.hifigan import HifiganSizes
from s2st_interleave.vocoder.hifigan_net import Gan, HifiganVocoder, UnitGenerator

SIZES = {
    "embedding_dim": 16,
    "channels": 32,
    "upsample_scales": (8, 5, 4, 4),
    "resblock_kernel_sizes": (3,),
    "resblock_dilations": (1, 3),
    "discriminator_channels": 16,
    "max_discriminator_channels": 32,
    "period_channels": 4,
    "crop_units": 3,
}
SMALL = {
    "backend": "hifigan",
    "hifigan": SIZES,
    "batch_size": 2,
    "lr": 2e-3,
    "max_steps": 8,
    "save_every": 4,
    "eval_every": 4,
    "log_every": 1,
}


@pytest.fixture(scope="module")
def trained(tone_corpus: Path, stage_options) -> Path:
    out = tone_corpus / "exp" / "hifigan"
    vocoder.run(stage_options(out, **SMALL))
    return out


def test_training_lowers_the_mel_loss(trained: Path, read_metrics):
    lines = read_metrics(trained)
    assert "mel" not in lines[0] and lines[-1]["mel"] < 0.9 * lines[1]["mel"]
    assert lines[-1]["dev_loss"] < lines[3]["dev_loss"]


def test_resume_is_bit_identical(
    tone_corpus: Path, trained: Path, stage_options, read_metrics
):
    out = tone_corpus / "exp" / "hifigan resumed"
    vocoder.run(stage_options(out, **SMALL | {"max_steps": 4}))
    vocoder.run(stage_options(out, **SMALL))
    assert read_metrics(out) == read_metrics(trained)
    name = "checkpoint-8/model.safetensors"
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
        exported, load(trained / "checkpoint-8").synthesise(units)
    )
    name = "model.safetensors"
    whole = trained / "checkpoint-8" / name
    assert (trained / name).stat().st_size < whole.stat().st_size


def test_removing_weight_norm_changes_no_sample(trained: Path):
    import torch
    from safetensors.torch import load_model

    model = load(trained)
    gan = Gan(model.timing, HifiganSizes(**SIZES))
    load_model(gan, trained / "checkpoint-8" / "model.safetensors")
    normed = HifiganVocoder(gan.generator.eval(), model.timing, torch.device("cpu"))
    units = np.array([4, 4, 0, 2], np.int32)
    np.testing.assert_allclose(
        normed.synthesise(units), model.synthesise(units), atol=1e-5
    )


def test_no_warning_of_torch_stands_amid_the_tables_of_plan():
    code = """
from s2st_interleave.vocoder import base, hifigan, hifigan_net
timing = base.UnitTiming(num_units=5, samples_per_unit=320, sample_rate=16_000)
hifigan_net.UnitGenerator(timing, hifigan.HifiganSizes(channels=32))
"""
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (made.returncode, made.stderr) == (0, "")


def test_scales_must_make_a_unit(tone_corpus: Path, stage_options):
    sizes = SIZES | {"upsample_scales": (8, 5)}
    bad = stage_options(tone_corpus / "bad gan", **SMALL | {"hifigan": sizes})
    with pytest.raises(ValueError, match="make 40 samples of a unit, which has 640"):
        vocoder.run(bad)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"discriminator_channels": 3}, "discriminator_channels 3: hifigan wants mult"),
        ({"max_discriminator_channels": 1}, "max_discriminator_channels 1: hifigan"),
        ({"upsample_scales": (1, 640)}, "a 1 changes nothing"),
    ],
)
def test_sizes_of_which_no_network_can_be_built_are_told(sizes, message):
    """They ended in errors of torch."""
    with pytest.raises(UserError, match=message):
        HifiganSizes(**SIZES | sizes)


def test_a_step_that_the_discriminators_leave_out_changes_nothing(
    tone_corpus, stage_options, monkeypatch
):
    """The generator had learned from it by then, and its buffers had moved."""
    kept: dict[int, dict] = {}
    learn = GanLearner._learn

    def spoilt(self, name, loss, step, lr):
        if name == "discriminator" and step == 2:
            learn(self, name, lambda: loss() * float("nan"), step, lr)
        learn(self, name, loss, step, lr)

    monkeypatch.setattr(GanLearner, "_learn", spoilt)
    step_of = GanLearner.step

    def watched(self, step, lr):
        kept[step] = state(self)
        try:
            return step_of(self, step, lr)
        except NotFiniteError:
            kept[-step] = state(self)
            raise

    monkeypatch.setattr(GanLearner, "step", watched)
    out = tone_corpus / "exp" / "left out"
    values = SMALL | {"max_steps": 4, "max_bad_steps": 1}
    vocoder.run(stage_options(out, **values))
    assert kept[2].keys() == kept[-2].keys()
    assert all(torch.equal(kept[2][key], kept[-2][key]) for key in kept[2])
    assert not all(torch.equal(kept[1][key], kept[2][key]) for key in kept[1])


def state(learner: GanLearner) -> dict[str, torch.Tensor]:
    tensors = {k: v.clone() for k, v in learner.model.state_dict().items()}
    for name, weight in learner.model.named_parameters():
        for key, value in learner.optimizer.state.get(weight, {}).items():
            tensors[f"{name} {key}"] = value.clone()
    return tensors


def test_the_learning_rate_halves_four_times_at_most():
    rates = [halved(2e-3, step, 10) for step in (0, 9, 10, 25, 40, 900)]
    np.testing.assert_allclose(
        np.array(rates) / 2e-3, [1, 1, 1 / 2, 1 / 4, 1 / 16, 1 / 16]
    )


def test_the_recipe_builds_at_full_size():
    """The paper's vocoder, 320 samples a unit: about 14 M parameters in the generator."""
    import torch

    with torch.device("meta"):
        model = UnitGenerator(UnitTiming(2048, 320, 16_000), HifiganSizes())
    assert 12e6 < sum(p.numel() for p in model.parameters()) < 16e6
