"""Predicted speech quality: a tone in noise is worse than less noise; kept by content."""

import numpy as np
import pytest

from s2st_interleave.data import audio
from s2st_interleave.score import utmos
from s2st_interleave.score.metrics import mos


def speech_like(noise: float) -> np.ndarray:
    """Two seconds of a voiced hum with syllables, and white noise of this level."""
    time = np.arange(32_000) / 16_000
    hum = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 4 * time), 0, None)
    rng = np.random.default_rng(0)
    return 0.1 * hum * syllables + noise * rng.standard_normal(len(time))


def test_noise_lowers_the_score_and_a_second_look_computes_nothing(
    tmp_path, monkeypatch
):
    wavs = {name: tmp_path / f"{name}.wav" for name in ("clean", "noisy")}
    audio.write(wavs["clean"], speech_like(0.0))
    audio.write(wavs["noisy"], speech_like(0.2))
    dnsmos = mos.MosOptions("dnsmos")
    scores = mos.rate(wavs, dnsmos, tmp_path / "cache")
    assert 1 <= scores["noisy"] < scores["clean"] <= 5

    def fail(*_, **__):
        raise AssertionError("computed again")

    monkeypatch.setattr(audio, "read", fail)
    assert mos.rate(wavs, dnsmos, tmp_path / "cache") == scores


SIZES = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}


def released(seed: int) -> dict:
    """Random weights of these sizes by the names of the released file (fairseq's)."""
    import torch

    rng = torch.Generator().manual_seed(seed)
    shapes = {"mask_emb": [24], "layer_norm": 16, "encoder.layer_norm": 24}
    shapes |= {"post_extract_proj": (24, 16), "feature_extractor.conv_layers.0.2": 16}
    kernels = (10, 3, 3, 3, 3, 2, 2)
    for number, kernel in enumerate(kernels):
        key = f"feature_extractor.conv_layers.{number}.0.weight"
        shapes[key] = [16, 16 if number else 1, kernel]
    pos = "encoder.pos_conv.0."
    shapes |= {pos + "bias": [24], pos + "weight_g": [1, 1, 16]}
    shapes[pos + "weight_v"] = [24, 6, 16]
    for layer in range(2):
        key = f"encoder.layers.{layer}."
        shapes |= {f"{key}self_attn.{n}_proj": (24, 24) for n in ("q", "k", "v", "out")}
        shapes |= {key + "fc1": (32, 24), key + "fc2": (24, 32)}
        shapes |= {key + "self_attn_layer_norm": 24, key + "final_layer_norm": 24}
    shapes = {f"wav2vec2.{name}": shape for name, shape in shapes.items()}
    shapes |= {"projection.0": (2048, 1024), "projection.2": (1, 2048)}
    shapes |= {"domain_emb": [1, 128], "judge_emb": [1, 128]}
    for end in ("", "_reverse"):
        shapes |= {f"blstm.bias_{n}_l0{end}": [2048] for n in ("ih", "hh")}
        shapes |= {f"blstm.weight_ih_l0{end}": [2048, 280]}
        shapes |= {f"blstm.weight_hh_l0{end}": [2048, 512]}
    state = {}
    for name, shape in shapes.items():  # a list: one tensor; else weight and bias
        if isinstance(shape, list):
            state[name] = torch.randn(shape, generator=rng) * 0.3
        else:
            shape = shape if isinstance(shape, tuple) else (shape,)
            state[f"{name}.weight"] = torch.randn(shape, generator=rng) * 0.3
            state[f"{name}.bias"] = torch.randn(shape[:1], generator=rng) * 0.1
    return state


def score_by_hand(state: dict, wave):
    """UTMOS22 strong in plain functions, as fairseq's wav2vec 2.0 computes it."""
    import torch
    from torch.nn import functional as f

    def linear(x, name):
        return f.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])

    def norm(x, name):
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        return f.layer_norm(x, weight.shape, weight, bias)

    x = wave[:, None]
    for number, stride in enumerate((5, 2, 2, 2, 2, 2, 2)):
        key = f"wav2vec2.feature_extractor.conv_layers.{number}"
        x = f.conv1d(x, state[f"{key}.0.weight"], stride=stride)
        if not number:
            x = f.group_norm(x, 16, state[f"{key}.2.weight"], state[f"{key}.2.bias"])
        x = f.gelu(x)
    x = norm(x.transpose(1, 2), "wav2vec2.layer_norm")
    x = linear(x, "wav2vec2.post_extract_proj")

    pos = "wav2vec2.encoder.pos_conv.0."
    v = state[pos + "weight_v"]
    kernel = state[pos + "weight_g"] * v / v.norm(dim=(0, 1), keepdim=True)
    moved = f.conv1d(x.transpose(1, 2), kernel, state[pos + "bias"], 1, 8, groups=4)
    x = norm(x + f.gelu(moved[..., :-1]).transpose(1, 2), "wav2vec2.encoder.layer_norm")
    for layer in range(2):
        key = f"wav2vec2.encoder.layers.{layer}."
        q, k, v = (
            linear(x, f"{key}self_attn.{n}_proj").unflatten(2, (2, 12)).transpose(1, 2)
            for n in ("q", "k", "v")
        )
        seen = (q @ k.transpose(2, 3) / 12**0.5).softmax(-1) @ v
        seen = linear(seen.transpose(1, 2).flatten(2), f"{key}self_attn.out_proj")
        x = norm(x + seen, f"{key}self_attn_layer_norm")
        fed = linear(f.gelu(linear(x, f"{key}fc1")), f"{key}fc2")
        x = norm(x + fed, f"{key}final_layer_norm")

    given = torch.cat([state["domain_emb"], state["judge_emb"]], 1)
    x = torch.cat([x, given[None].expand(*x.shape[:2], -1)], 2)
    lstm = torch.nn.LSTM(280, 512, batch_first=True, bidirectional=True)
    lstm.load_state_dict(
        {n.removeprefix("blstm."): t for n, t in state.items() if "blstm" in n}
    )
    x = linear(f.relu(linear(lstm(x)[0], "projection.0")), "projection.2")
    return x.mean(dim=(1, 2)) * 2 + 3


def test_utmos_is_what_its_release_computes():
    """The whole one was compared with SpeechMOS' own code, at full size, by hand."""
    import torch

    state = released(0)
    model = utmos.Utmos(**SIZES).eval()
    model.load_released(state)
    for num_samples in (400, 1040, 8000):
        wave = 0.1 * torch.randn(
            2, num_samples, generator=torch.Generator().manual_seed(1)
        )
        with torch.inference_mode():
            wanted = score_by_hand(state, wave)
            assert torch.allclose(model(wave), wanted, rtol=1e-4)
        assert model.rate(wave[0].numpy()) == pytest.approx(wanted[0].item(), rel=1e-4)
    assert np.isfinite([model.rate(np.zeros(n)) for n in (0, 80)]).all()
    with pytest.raises(RuntimeError, match="Missing key"):
        model.load_released({k: v for k, v in state.items() if k != "judge_emb"})


def test_only_the_released_weights_are_taken(tmp_path):
    with pytest.raises(ValueError, match="--mos utmos wants --mos_weights"):
        mos.MosOptions("utmos")
    wrong = tmp_path / "it's not it.pt"
    with pytest.raises(ValueError, match="no such file; get it from https"):
        utmos.Utmos.load(wrong)
    wrong.write_bytes(b"<html>404</html>")
    with pytest.raises(ValueError, match=r"sha256 \w+, wants 38aa51ab"):
        mos.rate({"u": wrong}, mos.MosOptions("utmos", wrong), tmp_path / "cache")


def test_scores_of_two_predictors_are_kept_apart(tmp_path):
    how = [mos.MosOptions("dnsmos"), mos.MosOptions("utmos", tmp_path)]
    assert mos.describe(how[0]) != mos.describe(how[1])
    elsewhere = mos.MosOptions("utmos", tmp_path / "moved")
    assert mos.describe(how[1]) == mos.describe(elsewhere)


@pytest.mark.parametrize("seconds", [0.4, 2.0, 9.5, 12.3])
def test_dnsmos_is_that_of_its_package(tmp_path, seconds):
    from speechmos import dnsmos

    rng = np.random.default_rng(0)
    samples = 0.1 * rng.standard_normal(int(16_000 * seconds)).astype(np.float32)
    audio.write(tmp_path / "a.wav", samples)
    found = mos.rate({"a": tmp_path / "a.wav"}, mos.MosOptions(), tmp_path / "cache")
    whole = dnsmos.run(audio.read(tmp_path / "a.wav"), 16_000)["p808_mos"]
    assert found["a"] == pytest.approx(float(whole), abs=1e-4)
