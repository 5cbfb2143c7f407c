"""Every kind of encoder through the same code: tiny random models of each real class."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel, AutoModelForCTC

from s2st_interleave.encoder import ctc
from s2st_interleave.encoder.speech_encoder import SpeechEncoder
from s2st_interleave.errors import UserError
from s2st_interleave.stage_dir import read_done
from s2st_interleave.train import checkpoint

SMALL = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "layerdrop": 0.1,  # as pretrained models come
}
WAVE = SMALL | {
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
LARGE = WAVE | {"feat_extract_norm": "layer", "do_stable_layer_norm": True}


class Kind(NamedTuple):
    config: str
    settings: dict
    masked: bool


KINDS = {
    "w2v-bert-2.0": Kind(
        "Wav2Vec2Bert", SMALL | {"conv_depthwise_kernel_size": 5}, True
    ),
    "wav2vec2-base": Kind("Wav2Vec2", WAVE, False),
    "xls-r": Kind("Wav2Vec2", LARGE, True),
    "hubert-base": Kind("Hubert", WAVE, False),
    "hubert-large": Kind("Hubert", LARGE, True),
    "mhubert": Kind("Hubert", WAVE | {"conv_pos_batch_norm": True}, False),
    "wavlm-large": Kind("WavLM", LARGE, True),
}


def pretrained(folder: Path, kind: Kind) -> Path:
    """What a hub's folder holds: a model without CTC, and its feature extractor."""
    config = getattr(transformers, f"{kind.config}Config")(**kind.settings)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoModel.from_config(config).save_pretrained(folder)
    if kind.config == "Wav2Vec2Bert":
        extractor = transformers.SeamlessM4TFeatureExtractor()
    else:
        extractor = transformers.Wav2Vec2FeatureExtractor(
            return_attention_mask=kind.masked
        )
    extractor.save_pretrained(folder)
    return folder


QUICK = ("w2v-bert-2.0", "xls-r", "hubert-base")  # features, a mask, neither
PARAMS = [
    pytest.param(kind, marks=() if kind in QUICK else pytest.mark.slow)
    for kind in KINDS
]


@pytest.fixture(scope="module", params=PARAMS)
def trained(request, train_encoder, tmp_path_factory):
    """Source, output of stage 2 with every option that touches the model, and kind."""
    kind = KINDS[request.param]
    root = tmp_path_factory.mktemp(request.param)
    source = pretrained(root / "it's a source", kind)
    options = {"spec_augment": True, "gradient_checkpointing": True, "lr": 1e-3}
    return source, train_encoder(source, root / "exp", **options), kind


def noise(seconds: float) -> np.ndarray:
    samples = np.random.default_rng(1).standard_normal(round(16_000 * seconds))
    return (0.1 * samples).astype(np.float32)


@pytest.mark.parametrize("seconds", [0.0, 0.005, 0.024, 0.026, 0.5, 1.03])
def test_a_frame_is_20_ms_and_no_clip_is_without_one(trained, seconds):
    encoder = SpeechEncoder.load(trained[1])
    assert encoder.frame_sec == pytest.approx(0.02)
    log_probs = encoder.forward(noise(seconds))
    assert len(log_probs) >= 1 and abs(len(log_probs) * 0.02 - seconds) <= 0.021
    assert np.exp(log_probs).sum(-1) == pytest.approx(1.0, abs=1e-4)
    features = encoder.frontend.features(noise(seconds))
    assert encoder.frontend.num_frames(features) == len(log_probs)


def test_layer_k_is_that_of_hidden_states_and_no_layer_above_is_computed(trained):
    encoder = SpeechEncoder.load(trained[1])
    computed = []
    base = encoder.model.base_model
    for number, layer in enumerate(base.encoder.layers, start=1):
        layer.register_forward_hook(lambda *_, number=number: computed.append(number))
    samples = noise(0.5)
    inputs = [encoder.frontend.features(samples)]
    batch = {encoder.frontend.name: torch.from_numpy(inputs[0])[None]}
    with torch.inference_mode():
        states = base(**batch, output_hidden_states=True).hidden_states
        plain = encoder.model(**batch).logits[0].log_softmax(-1).numpy()
    log_probs = encoder.forward(samples)
    assert np.array_equal(log_probs, plain)
    for number in range(4):
        computed.clear()
        features = encoder.forward(samples, number)
        assert np.array_equal(features, states[number][0].numpy())
        assert computed == list(range(1, number + 1))
        (both,) = encoder.hear(inputs, ctc=True, layer=number)
        assert np.array_equal(both.log_probs[0].numpy(), log_probs)
        assert np.array_equal(both.frames[0].numpy(), features)
    with pytest.raises(ValueError, match="--layer 4: this encoder has layers 0"):
        encoder.forward(samples, 4)


def test_the_source_is_where_training_starts_with_a_new_ctc_layer(
    trained, train_encoder, tmp_path
):
    source, _, _ = trained
    train_encoder(source, tmp_path, max_steps=0)
    before, after = (
        load_file(folder / "model.safetensors") for folder in (source, tmp_path)
    )
    prefix = AutoModelForCTC.from_pretrained(tmp_path).base_model_prefix
    new = after.keys() - {f"{prefix}.{name}" for name in before}
    assert new == {"lm_head.weight", "lm_head.bias"}
    assert all(torch.equal(before[n], after[f"{prefix}.{n}"]) for n in before)
    config = AutoConfig.from_pretrained(tmp_path)
    assert config.layerdrop == 0 and not config.apply_spec_augment
    assert config.ctc_zero_infinity and config.pad_token_id == 0


def test_every_weight_that_trains_has_moved(trained):
    source, out_dir, _ = trained
    before = load_file(source / "model.safetensors")
    after = load_file(out_dir / "model.safetensors")
    same = [n for n in before for m in after if m.endswith(f".{n}")
            if torch.equal(before[n], after[m])]  # fmt: skip
    assert all("masked_spec_embed" in n or "num_batches" in n for n in same), same


def test_a_resumed_run_is_bit_identical(trained, train_encoder, tmp_path):
    source, out_dir, _ = trained
    options = {"spec_augment": True, "gradient_checkpointing": True, "lr": 1e-3}
    train_encoder(source, tmp_path, max_steps=1, **options)
    train_encoder(source, tmp_path, **options, overwrite=False)
    a, b = (load_file(d / "model.safetensors") for d in (out_dir, tmp_path))
    assert all(torch.equal(a[name], b[name]) for name in a | b)
    assert max(checkpoint.by_step(tmp_path)) == 2
    assert read_done(tmp_path, "encoder")["options"]["max_steps"] == 2


def test_features_do_not_depend_on_batch_mates(trained):
    """With a mask; models without one read only utterances of equal length at once."""
    encoder, kind = SpeechEncoder.load(trained[1], batched=True), trained[2]
    assert encoder.may_pad == kind.masked
    seconds = (0.3, 1.0, 0.3)
    samples = [noise(s) * (k + 1) for k, s in enumerate(seconds)]
    inputs = [encoder.frontend.features(each) for each in samples]
    heard = list(encoder.hear(inputs, ctc=True, layer=2))
    rows = [[index for index, _ in each.rows] for each in heard]
    assert rows == ([[0, 1, 2]] if kind.masked else [[0, 2], [1]])
    for batch in heard:
        for row, (index, count) in enumerate(batch.rows):
            alone = encoder.forward(samples[index])
            assert len(alone) == count
            together = batch.log_probs[row, :count].numpy()
            assert np.allclose(together, alone, atol=1e-4)
            alone = encoder.forward(samples[index], 2)
            assert np.allclose(batch.frames[row, :count].numpy(), alone, atol=1e-4)


def test_a_waveform_is_normalised_as_its_extractor_says(trained):
    encoder = SpeechEncoder.load(trained[1])
    if encoder.frontend.name != "input_values":
        return
    features = encoder.frontend.features(3 * noise(0.5) + 1)
    assert abs(features.mean()) < 1e-4 and features.std() == pytest.approx(1, abs=1e-3)
    encoder.frontend.extractor.do_normalize = False
    assert np.array_equal(encoder.frontend.features(noise(0.5)), noise(0.5))


def bpe_of(size: int):
    class Bpe:
        def get_piece_size(self) -> int:
            return size

    return Bpe()


def test_a_ctc_layer_of_another_language_is_replaced(tmp_path):
    """facebook/hubert-large-ls960-ft and its like have a head of 32 letters."""
    config = transformers.HubertConfig(**WAVE, vocab_size=32)
    AutoModelForCTC.from_config(config).save_pretrained(tmp_path)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(tmp_path)
    old = load_file(tmp_path / "model.safetensors")
    for size in (24, 32):
        model, _ = ctc.build(tmp_path, bpe_of(size), scratch=False, seed=1)
        assert model.lm_head.weight.shape == (size, 24)
        assert not torch.equal(model.lm_head.weight[:24], old["lm_head.weight"][:24])
        again, _ = ctc.build(tmp_path, bpe_of(size), scratch=False, seed=1)
        assert torch.equal(model.lm_head.weight, again.lm_head.weight)


def test_weights_of_another_model_are_no_start(tmp_path):
    pretrained(tmp_path, KINDS["hubert-base"])
    config = transformers.HubertConfig(**(WAVE | {"num_hidden_layers": 5}))
    config.save_pretrained(tmp_path)
    with pytest.raises(
        ValueError, match=r"32 weights of HubertForCTC are missing.*layer"
    ):
        ctc.build(tmp_path, bpe_of(24), scratch=False, seed=1)


def test_what_is_no_such_encoder_is_refused(tmp_path):
    pretrained(tmp_path, KINDS["hubert-base"])
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=8000).save_pretrained(tmp_path)
    with pytest.raises(
        ValueError, match="reads audio of 8000 Hz, the recipe's is of 16000"
    ):
        ctc.build(tmp_path, bpe_of(24), scratch=True, seed=1)
    transformers.WhisperFeatureExtractor().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="is neither of the kind of w2v-BERT nor"):
        ctc.build(tmp_path, bpe_of(24), scratch=True, seed=1)


def test_an_adapter_before_the_ctc_layer_is_left_out_with_its_parts(tmp_path):
    """A w2v-BERT of two adapter parts, of which one was left, was a traceback."""
    parts = {"add_adapter": True, "use_intermediate_ffn_before_adapter": True}
    kind = KINDS["w2v-bert-2.0"]
    source = pretrained(tmp_path, kind._replace(settings=kind.settings | parts))
    model, front = ctc.build(source, bpe_of(24), scratch=True, seed=1)
    assert model.wav2vec2_bert.adapter is None and front.frame_sec == 0.02


def test_an_extractor_of_another_encoder_is_refused(tmp_path):
    """Frames of another width were a RuntimeError of torch."""
    source = pretrained(tmp_path, KINDS["w2v-bert-2.0"])
    transformers.SeamlessM4TFeatureExtractor(stride=1).save_pretrained(source)
    with pytest.raises(UserError, match=r"reads frames of 160 values, .* makes 80"):
        ctc.build(source, bpe_of(24), scratch=True, seed=1)


def test_bf16_trains_fp32_weights(train_encoder, tmp_path):
    source = pretrained(tmp_path / "source", KINDS["xls-r"])
    out_dir = train_encoder(source, tmp_path / "exp", dtype="bf16", max_steps=1)
    weights = load_file(out_dir / "model.safetensors").values()
    assert {w.dtype for w in weights} == {torch.float32}
