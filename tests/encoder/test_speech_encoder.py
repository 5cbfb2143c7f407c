"""The encoder stage on a few noises: one loading code, one frame rate, no padding leaks."""

from pathlib import Path

import numpy as np
import pytest

from s2st_interleave.encoder.speech_encoder import SpeechEncoder

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "egs" / "mini_cvss" / "conf" / "w2v_bert"


@pytest.fixture(scope="module")
def trained(train_encoder, tmp_path_factory) -> SpeechEncoder:
    """Two steps of the real stage 2, from the mini recipe's configuration."""
    out_dir = tmp_path_factory.mktemp("w2v-bert") / "exp"
    return SpeechEncoder.load(train_encoder(TINY, out_dir, scratch=True))


def noise(seconds: float) -> np.ndarray:
    samples = np.random.default_rng(1).standard_normal(int(16_000 * seconds))
    return (0.1 * samples).astype(np.float32)


def test_blank_and_pad_are_0_and_the_defaults_that_hurt_are_off(trained):
    config = trained.model.config
    assert config.pad_token_id == 0 == trained.bpe.pad_id()
    assert config.ctc_zero_infinity and not config.apply_spec_augment
    assert config.layerdrop == 0 and config.vocab_size == trained.bpe.get_piece_size()


@pytest.mark.parametrize("seconds", [0.005, 0.02, 0.5, 1.03])
def test_a_frame_is_40_ms_and_no_clip_is_without_one(trained, seconds):
    """Clips of a few milliseconds exist in evaluation data."""
    log_probs = trained.forward(noise(seconds))
    assert trained.frame_sec == pytest.approx(0.04)
    assert abs(len(log_probs) * 0.04 - max(seconds, 0.04)) <= 0.04
    assert np.exp(log_probs).sum(-1) == pytest.approx(1.0, abs=1e-4)


def test_layers_count_as_in_hidden_states(trained):
    """0 is the projected input; the last feeds the CTC layer."""
    import torch

    samples = noise(0.5)
    layers = [trained.forward(samples, layer) for layer in range(5)]
    assert {layer.shape for layer in layers} == {layers[0].shape}
    with torch.inference_mode():
        logits = trained.model.lm_head(torch.from_numpy(layers[4]))
    log_probs = logits.log_softmax(-1).numpy()
    assert np.allclose(log_probs, trained.forward(samples), atol=1e-4)
    with pytest.raises(ValueError, match="--layer 5: this encoder has layers 0"):
        trained.forward(samples, 5)
