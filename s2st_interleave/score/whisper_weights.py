"""Whisper of transformers, from a folder of Hugging Face, its hub, or CTranslate2's weights.

CTranslate2's `model.bin` holds the same arrays under other names, with queries, keys and
values in one. Float weights are taken over as they are, so that a recipe that brings them
for faster-whisper needs no second download on a GPU.
"""

import re
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tokenizers
import torch
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.hub import load_whole, snapshot, split_revision
from s2st_interleave.progress import quiet_transformers
from s2st_interleave.weights import reading

CTRANSLATE = "model.bin"
HUB_FILES = ["*.json", "model.safetensors", "model-*-of-*.safetensors"]
FLOATS = {0: "<f4", 4: "<f2"}  # CTranslate2's number of a type; others are quantised
MULTILINGUAL = 51865  # rows of the smallest vocabulary with languages
# CTranslate2's names of weights -> those of transformers, in this order
NAMES = [
    ("(encoder|decoder)/", r"model.\1."),
    (r"layer_(\d+)/", r"layers.\1."),
    ("position_encodings/encodings", "embed_positions.weight"),
    ("embeddings/", "embed_tokens."),
    ("self_attention/layer_norm/", "self_attn_layer_norm."),
    ("ffn/layer_norm/", "final_layer_norm."),
    ("attention/layer_norm/", "encoder_attn_layer_norm."),
    ("ffn/linear_0/", "fc1."),
    ("ffn/linear_1/", "fc2."),
    ("self_attention/linear_0/", "self_attn.qkv_proj."),
    ("self_attention/linear_1/", "self_attn.out_proj."),
    ("attention/linear_0/", "encoder_attn.q_proj."),
    ("attention/linear_1/", "encoder_attn.kv_proj."),
    ("attention/linear_2/", "encoder_attn.out_proj."),
    ("gamma", "weight"),
    ("beta", "bias"),
    ("/", "."),
]


@dataclass(frozen=True)
class Whisper:
    """A model, its tokenizer, and the tokens that it must not say, ever or first."""

    model: WhisperForConditionalGeneration
    tokenizer: tokenizers.Tokenizer
    suppressed: list[int]
    suppressed_first: list[int]

    @property
    def multilingual(self) -> bool:
        return self.model.config.vocab_size >= MULTILINGUAL

    @cached_property
    def end(self) -> int:
        return self.token("<|endoftext|>")

    @cached_property
    def first_timestamp(self) -> int:
        """The token of 0.00 s; each later one is 0.02 s more."""
        return self.token("<|notimestamps|>") + 1

    def prompt(self, code: str) -> list[int]:
        """What stands before a transcript in the language `code`."""
        names = ["startoftranscript"]
        if self.multilingual:
            names += [code, "transcribe"]
        return [self.token(f"<|{name}|>") for name in names]

    def token(self, name: str) -> int:
        number = self.tokenizer.token_to_id(name)
        if number is None:
            raise UserError(f"the recogniser's tokenizer.json has no {name}")
        return number

    def text(self, tokens: list[int]) -> str:
        return self.tokenizer.decode([token for token in tokens if token < self.end])


def weights(model: str) -> list[Path]:
    """The files of weights of a folder, or of a name, which is fetched from the hub.

    Raises UserError where there are none.
    """
    folder = _folder(model)
    names = [CTRANSLATE, "model.safetensors", "model-*-of-*.safetensors"]
    for name in names:
        if paths := sorted(folder.glob(name)):
            return paths
    raise UserError(f"{model} holds no Whisper: it has none of {', '.join(names)}")


def load(model: str, dtype: torch.dtype, device: torch.device | str = "cpu") -> Whisper:
    """Load Whisper; UserError where something is missing, broken or no Whisper."""
    quiet_transformers()
    first = weights(model)[0]
    folder = first.parent
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise UserError(f"{model}: {path.name} is missing; fetch it again")
    tokenizer = tokenizers.Tokenizer.from_file(str(path))
    if first.name == CTRANSLATE:
        facts = read_json(folder / "config.json")
        kept = (facts["suppress_ids"], facts["suppress_ids_begin"])
        whisper = _of_ctranslate(first)
    else:
        whisper = load_whole(WhisperForConditionalGeneration, folder, dtype=dtype)
        rules: Any = whisper.generation_config
        kept = (rules.suppress_tokens or [], rules.begin_suppress_tokens or [])
    whisper.generation_config = GenerationConfig()  # the rules are whisper_batched.py's
    # pyrefly: ignore[bad-argument-type]: the wrapper of `to` has no types
    whisper.to(device, dtype).eval()
    return Whisper(whisper, tokenizer, *map(list, kept))


def _folder(model: str) -> Path:
    """The folder of a model; UserError for a name that the hub does not have."""
    if Path(model).is_dir():
        return Path(model)
    name, revision = split_revision(model)
    repository = name if "/" in name else f"openai/whisper-{name}"
    return snapshot(repository, revision, HUB_FILES)


def _of_ctranslate(path: Path) -> WhisperForConditionalGeneration:
    """The model of a `model.bin`; UserError where it is no Whisper, or is quantised."""
    with reading(path), path.open("rb") as stream:
        try:
            arrays = _arrays(stream)
        except struct.error:
            raise EOFError from None
    state: dict[str, torch.Tensor] = {}
    for name, array in arrays.items():
        if name.endswith(("weight", "bias", "gamma", "beta", "encodings")):
            state |= _renamed(name, array)
    with reading(path), torch.device("meta"):
        model = WhisperForConditionalGeneration(_config(arrays, state))
        model.load_state_dict(state, assign=True)
    return model


def _arrays(stream: BinaryIO) -> dict[str, np.ndarray]:
    """The arrays of CTranslate2's format, by name; those of no floats as they lie."""

    def number(form: str) -> int:
        return struct.unpack(form, stream.read(struct.calcsize(form)))[0]

    def word() -> str:
        return stream.read(number("<H")).rstrip(b"\0").decode()

    number("<I")  # the format's version
    if (kind := word()) != "WhisperSpec":
        raise KeyError(f"Whisper, but {kind}")
    number("<I")  # the kind's revision
    arrays = {}
    for _ in range(number("<I")):
        name = word()
        shape = [number("<I") for _ in range(number("<B"))]
        kind = FLOATS.get(number("<B"), "i1")
        arrays[name] = np.frombuffer(stream.read(number("<I")), kind)
        if kind != "i1":
            arrays[name] = arrays[name].reshape(shape)
        elif name.endswith("weight"):
            raise UserError(
                f"{stream.name}: its weights are quantised, which CTranslate2 alone "
                "can use: --asr_backend faster-whisper, or --asr openai/whisper-..."
            )
    return arrays


def _renamed(name: str, array: np.ndarray) -> dict[str, torch.Tensor]:
    """An array by the names of transformers: several where it holds queries, keys ..."""
    for pattern, to in NAMES:
        name = re.sub(pattern, to, name)
    if name.endswith("embed_tokens.weight"):
        tensor = torch.from_numpy(array.astype(np.float32))
        return {name: tensor, "proj_out.weight": tensor}
    fused = re.search(r"\.([qkv]+)_proj\.", name)
    letters = fused[1] if fused else "_"
    parts = {
        name.replace(f".{letters}_proj", f".{letter}_proj"): torch.from_numpy(part)
        for letter, part in zip(
            letters, np.split(array.astype(np.float32), len(letters)), strict=True
        )
    }
    return {
        key: part
        for key, part in parts.items()
        if not key.endswith("k_proj.bias") or part.any()  # Whisper's keys have none
    }


def _config(
    arrays: dict[str, np.ndarray], state: dict[str, torch.Tensor]
) -> WhisperConfig:
    """The dimensions of a model, by its weights."""
    rows, width = state["proj_out.weight"].shape
    sizes: dict[str, Any] = {}
    for side in ("encoder", "decoder"):
        layers = [n for n in state if re.search(rf"{side}.*layers.\d+.fc1.weight", n)]
        sizes[f"{side}_layers"] = len(layers)
        sizes[f"{side}_ffn_dim"] = len(state[layers[0]])
        heads = arrays[f"{side}/num_heads"].view("<i2")
        sizes[f"{side}_attention_heads"] = int(heads[0])
    return WhisperConfig(
        vocab_size=rows,
        d_model=width,
        num_mel_bins=state["model.encoder.conv1.weight"].shape[1],
        max_source_positions=len(state["model.encoder.embed_positions.weight"]),
        max_target_positions=len(state["model.decoder.embed_positions.weight"]),
        **sizes,
    )
