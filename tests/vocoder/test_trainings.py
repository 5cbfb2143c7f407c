"""Both vocoders' trainings compute what they did, stopped in the middle or not."""

import pytest
from same_bits import STEPS, assert_same

pytest.importorskip("pyworld")
pytest.importorskip("espnet2.gan_tts.hifigan.loss", exc_type=ImportError)

from s2st_interleave.stages import vocoder

WORLD = {
    "backend": "world",
    "world": {
        "embedding_dim": 16,
        "unit_channels": 32,
        "num_unit_blocks": 1,
        "frame_channels": 24,
        "num_frame_blocks": 1,
        "num_cepstra": 20,
        "dropout": 0.1,
        "crop_units": 12,
        "accum_grad": 2,
        "weight_decay": 0.01,
        "adam_beta2": 0.98,
        "max_grad_norm": 0.5,
    },
    "batch_size": 6,
    "lr": 5e-3,
    "warmup_steps": 4,
}
HIFIGAN = {
    "backend": "hifigan",
    "hifigan": {
        "embedding_dim": 16,
        "channels": 32,
        "upsample_scales": (8, 5, 4, 4),
        "resblock_kernel_sizes": (3,),
        "resblock_dilations": (1, 3),
        "discriminator_channels": 16,
        "max_discriminator_channels": 32,
        "period_channels": 4,
        "crop_units": 3,
        "lr_halve_every": 8,
        "lambda_mel": 40.0,
    },
    "batch_size": 2,
    "lr": 2e-3,
    "log_every": 1,
}


@pytest.mark.parametrize("values", [WORLD, HIFIGAN], ids=["world", "hifigan"])
def test_a_training_that_is_resumed_computes_what_was_recorded(
    values, stage_options, tmp_path
):
    for max_steps in (10, 20):
        steps = STEPS | {"max_steps": max_steps}
        vocoder.run(stage_options(tmp_path / "exp", **values, **steps))
    assert_same(values["backend"], tmp_path / "exp")
