"""The shapes that pieces measure: those of the paper on a GPU, and tiny ones on a CPU."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

CONF = Path(__file__).parents[2] / "egs" / "cvss" / "conf"
LLAMA = CONF / "llama_3.2_1b.json"


@dataclass(frozen=True)
class Shape:
    """One size of everything. Networks are given as arguments of their configurations.

    `train` are options of stage 6. A turn is what is timed at once: `num_steps` optimizer
    steps, or all of `num_utterances`. `trainer_rows`: rows of a micro-batch that Hugging
    Face's Trainer tries. `slow_utterances` are read where one is read at a time.
    """

    name: str
    device: torch.device
    bf16: bool
    turns: int
    llm: Mapping[str, Any]
    num_units: int
    train: Mapping[str, Any]
    num_steps: int
    trainer_rows: tuple[int, ...]
    num_utterances: int
    slow_utterances: int
    decode_batch: int
    encoder: Mapping[str, Any]
    layer: int
    num_pieces: int
    batch_sec: float
    ctc: Mapping[str, Any]
    whisper: Mapping[str, Any]
    whisper_batch: int
    whisper_tokens: int  # of a clip of a few seconds
    hifigan: Mapping[str, Any]
    compile: str  # backend of torch.compile

    @property
    def dtype(self) -> torch.dtype:
        return torch.bfloat16 if self.bf16 else torch.float32


def of(name: str) -> Shape:
    """The shapes of a size, "full" or "tiny"; SystemExit for "full" without a GPU."""
    if name == "tiny":
        return _tiny()
    if not torch.cuda.is_available():
        raise SystemExit("no GPU here: --size tiny rehearses on the CPU")
    return _full()


def _full() -> Shape:
    return Shape(
        name="full",
        device=torch.device("cuda"),
        bf16=True,
        turns=3,
        llm=json.loads(LLAMA.read_text()),
        num_units=2048,
        train=_stage_6(),
        num_steps=6,
        trainer_rows=(8, 16, 32),
        num_utterances=1024,
        slow_utterances=64,
        decode_batch=256,
        encoder={},  # Wav2Vec2BertConfig's defaults are w2v-BERT 2.0
        layer=20,
        num_pieces=5000,
        batch_sec=_options("encoding", "batch_sec")["batch_sec"],
        ctc=_options("encoder", "batch_size accum_grad batch_sec num_workers"),
        whisper={
            "vocab_size": 51866,
            "d_model": 1280,
            "encoder_layers": 32,
            "decoder_layers": 32,
            "encoder_attention_heads": 20,
            "decoder_attention_heads": 20,
            "encoder_ffn_dim": 5120,
            "decoder_ffn_dim": 5120,
            "num_mel_bins": 128,
        },
        whisper_batch=32,
        whisper_tokens=20,
        hifigan=yaml.safe_load((CONF / "vocoder.yaml").read_text())["hifigan"],
        compile="inductor",
    )


def _stage_6() -> dict[str, Any]:
    """The batches of conf/train.yaml."""
    wanted = "batch_size accum_grad batch_tokens logits_at_once num_workers"
    options = {"accum_grad": 1} | _options("train", wanted)
    if not hasattr(torch.nn.functional, "linear_cross_entropy"):
        options.pop("logits_at_once", None)  # this torch is older than the pinned one
    return options


def _options(name: str, wanted: str) -> dict[str, Any]:
    """Some of the options of a file of egs/cvss/conf."""
    options = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    return {key: value for key, value in options.items() if key in wanted.split()}


def _tiny() -> Shape:
    return Shape(
        name="tiny",
        device=torch.device("cpu"),
        bf16=False,
        turns=1,
        llm={
            "model_type": "llama",
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "vocab_size": 400,
            "max_position_embeddings": 4096,
            "tie_word_embeddings": True,
        },
        num_units=50,
        train={"batch_size": 4, "accum_grad": 1, "batch_tokens": 2000},
        num_steps=2,
        trainer_rows=(1, 2),
        num_utterances=8,
        slow_utterances=2,
        decode_batch=4,
        encoder={
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 64,
            "output_hidden_size": 32,
        },
        layer=1,
        num_pieces=60,
        batch_sec=20.0,
        ctc={"batch_size": 4, "accum_grad": 2},
        whisper={
            "vocab_size": 51866,
            "d_model": 16,
            "encoder_layers": 1,
            "decoder_layers": 1,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 32,
            "decoder_ffn_dim": 32,
            "num_mel_bins": 128,
        },
        whisper_batch=2,
        whisper_tokens=4,
        hifigan={
            "embedding_dim": 8,
            "channels": 32,
            "upsample_scales": [5, 4, 4, 2, 2],
            "resblock_kernel_sizes": [3],
            "resblock_dilations": [1],
            "discriminator_channels": 16,
            "max_discriminator_channels": 32,
            "period_channels": 4,
            "crop_units": 26,
        },
        compile="eager",
    )
