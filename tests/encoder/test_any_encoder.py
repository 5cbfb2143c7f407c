"""Encoders beside those that the recipe names: they work, or are refused by their name."""

from pathlib import Path

import pytest
import torch
import transformers
from transformers import AutoModel, AutoModelForCTC, PreTrainedModel

from s2st_interleave.encoder import ctc
from s2st_interleave.encoder.checks import logits_of_noise, noise
from s2st_interleave.encoder.speech_encoder import SpeechEncoder
from s2st_interleave.errors import UserError

SMALL = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
LAYER = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}
DATA2VEC = {"num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 5}
SEW = {"conv_dim": (16,) * 13, "squeeze_factor": 2}


class Bpe:
    @staticmethod
    def get_piece_size() -> int:
        return 24


def pretrained(folder: Path, kind: str, *, masked: bool = True, **settings) -> Path:
    config = getattr(transformers, f"{kind}Config")(**SMALL | settings)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoModel.from_config(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(return_attention_mask=masked).save_pretrained(
        folder
    )
    return folder


@pytest.mark.parametrize(
    ("kind", "settings", "heard"),
    [
        ("UniSpeech", LAYER, False),
        ("UniSpeechSat", LAYER, False),
        ("Wav2Vec2Conformer", LAYER, True),  # its convolutions see past the mask
        ("Data2VecAudio", DATA2VEC, True),
        ("WavLM", {}, True),  # a norm over time, and a mask
    ],
)
def test_it_is_trained_and_makes_units(
    kind, settings, heard, train_encoder, tmp_path, capsys
):
    source = pretrained(tmp_path / "source", kind, **settings)
    out_dir = train_encoder(source, tmp_path / "exp", max_steps=1)
    assert ("in a padded batch than alone" in capsys.readouterr().out) == heard
    encoder = SpeechEncoder.load(out_dir, batched=True)
    assert encoder.may_pad != (heard or not encoder.frontend.masked)
    samples = noise(0.7)
    frames = len(encoder.forward(samples))
    assert [len(encoder.forward(samples, k)) for k in range(4)] == [frames] * 4
    assert abs(frames * encoder.frame_sec - 0.7) < 0.021


@pytest.mark.parametrize("kind", ["SEW", "SEWD"])
def test_layers_of_another_rate_give_no_units(kind, tmp_path):
    source = pretrained(tmp_path, kind, **SEW)
    with pytest.raises(
        UserError, match=r"the layers of a sew(-d)? encoder have not the fr"
    ):
        ctc.build(source, Bpe, scratch=False, seed=1)


@pytest.mark.parametrize("kind", ["Parakeet", "Lasr"])
def test_what_has_another_front_end_is_refused(kind, tmp_path):
    inner = {k: SMALL[k] for k in SMALL if "conv" not in k} | {
        "conv_kernel_size": 5,
        "subsampling_conv_channels": 8,
    }
    config = getattr(transformers, f"{kind}CTCConfig")(
        encoder_config=inner, vocab_size=24
    )
    AutoModelForCTC.from_config(config).save_pretrained(tmp_path)
    getattr(transformers, f"{kind}FeatureExtractor")().save_pretrained(tmp_path)
    with pytest.raises(
        UserError, match=f"a {kind.lower()}_ctc encoder with a .* neither"
    ):
        ctc.build(tmp_path, Bpe, scratch=False, seed=1)


def test_weights_that_scratch_does_not_take_are_told_of(tmp_path, capsys):
    """`--encoder FOLDER` of the preset laptop trained another model than the folder's."""
    source = pretrained(tmp_path, "Wav2Vec2", masked=False)
    ctc.build(source, Bpe, scratch=False, seed=1)
    assert "not taken" not in capsys.readouterr().out
    ctc.build(source, Bpe, scratch=True, seed=1)
    assert f"warning: the weights of {source} are not taken" in capsys.readouterr().out


def test_several_files_are_resumed_and_read(train_encoder, tmp_path, monkeypatch):
    whole = PreTrainedModel.save_pretrained
    source = pretrained(tmp_path / "source", "Wav2Vec2", masked=False)
    single = train_encoder(source, tmp_path / "one", lr=1e-3)
    monkeypatch.setattr(
        PreTrainedModel,
        "save_pretrained",
        lambda *args, **more: whole(*args, max_shard_size="20KB", **more),
    )
    train_encoder(source, tmp_path / "several", max_steps=1, lr=1e-3)
    several = train_encoder(source, tmp_path / "several", lr=1e-3)
    assert len(list(several.glob("model-*.safetensors"))) > 2
    assert not (several / "model.safetensors").exists()
    a, b = (SpeechEncoder.load(folder) for folder in (single, several))
    assert torch.equal(*(logits_of_noise(e.model, e.frontend, 0.5) for e in (a, b)))
