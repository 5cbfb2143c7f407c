"""Any causal LM of Hugging Face, its vocabulary extended by units."""

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL_LMS,
)
from transformers.utils import is_flash_attn_2_available

from s2st_interleave.errors import UserError
from s2st_interleave.files import read_as, write_json
from s2st_interleave.hub import load, load_whole
from s2st_interleave.interleave.sequence import Text
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm import checks, dropout, unit_heads
from s2st_interleave.llm.backbone import backbone, logits, without_flash
from s2st_interleave.llm.encoding import EncodeAll, encoder
from s2st_interleave.llm.fragments import inner_encoder
from s2st_interleave.llm.options import VOCABULARY_FILE, Attention
from s2st_interleave.llm.positions import max_positions
from s2st_interleave.llm.unit_rows import (
    NewRows,
    known_vocabulary,
    new_vocabulary,
    resize,
)
from s2st_interleave.llm.unit_tokens import add_unit_tokens
from s2st_interleave.precision import autocast
from s2st_interleave.progress import quiet_transformers

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class SpeechLlm:
    """A causal LM, the tokenizer of its text, and the ids of text, marks and units."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    vocabulary: Vocabulary
    bf16: bool = False  # in training: products in bf16, of weights that stay fp32

    def encode(self, text: str) -> list[int]:
        """Token ids of a text; a word that looks like a mark or a unit is text as well."""
        return self.tokenizer.encode(
            text, add_special_tokens=False, split_special_tokens=True
        )

    def encode_all(self, texts: Iterable[Text]) -> dict[Text, np.ndarray]:
        """int32 token ids (num_tokens,) of each text, as it stands alone or in mid-sentence."""
        distinct, encoded = dict.fromkeys(texts), {}
        for encode, inside in zip(self._encoders, (False, True), strict=True):
            some = [text for text in distinct if text.inside == inside]
            ids = encode([text.text for text in some])
            encoded |= dict(zip(some, ids, strict=True))
        return encoded

    @cached_property
    def _encoders(self) -> tuple[EncodeAll, EncodeAll]:
        """What encodes whole texts, and what encodes texts in mid-sentence."""
        encode_all = encoder(self.tokenizer)
        return encode_all, inner_encoder(self.tokenizer, encode_all)

    def decode(self, ids: list[int]) -> str:
        """The text of token ids, on one line: white space of any kind becomes a space.

        So do control characters, of which a byte-level vocabulary has tokens: a file of texts
        has none, and a terminal obeys them.
        """
        text = self.tokenizer.decode(ids, skip_special_tokens=True)
        return " ".join(_CONTROL.sub(" ", str(text)).split())

    @property
    def max_length(self) -> int | None:
        """Tokens that the model has positions for; None where there is no limit."""
        return max_positions(self.model.config)

    @property
    def backbone(self) -> nn.Module:
        return backbone(self.model)

    def autocast(self) -> AbstractContextManager[object]:
        return autocast(self.model.device, self.bf16)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """float32 logits (..., vocabulary) of last hidden states (..., width)."""
        return logits(self.model, hidden)

    def sample(self) -> torch.Tensor:
        """float32 logits (12, vocabulary) of fixed tokens, on the CPU."""
        ids = checks.few_tokens(self.vocabulary).to(self.model.device)
        with torch.no_grad(), without_flash(self.model):
            hidden = self.backbone(input_ids=ids, use_cache=False).last_hidden_state
            return self.logits(hidden)[0].cpu()

    def save(self, directory: Path) -> None:
        """Write a plain Hugging Face directory, and the unit vocabulary into it.

        Adapters are merged into its weights, and heads for further units are no part of
        it; files with them alone serve resumed runs.
        """
        unit_heads.save_heads(self.model, directory)
        with unit_heads.left_out(self.model):
            self._save_plain(directory)
        self.tokenizer.save_pretrained(directory)
        write_json(directory / VOCABULARY_FILE, asdict(self.vocabulary))

    def _save_plain(self, directory: Path) -> None:
        state = None
        if hasattr(self.model, "peft_config"):  # peft, an extra, is there
            from s2st_interleave.llm import lora, merge

            state = merge.merged_state(self.model)
            lora.save_trained(self.model, directory)
        # Weights keep the names that they have in memory: a resumed run looks for these.
        self.model.save_pretrained(
            directory, state_dict=state, save_original_format=False
        )

    @classmethod
    def load(
        cls,
        directory: Path,
        device: torch.device | str = "cpu",
        *,
        attention: str | None = None,
        bf16: bool = False,
    ) -> "SpeechLlm":
        """Load what `save` wrote, to decode with it.

        `attention` names a backend of Hugging Face; None leaves the choice to the model.
        With `bf16` the weights are in bf16, so that no step casts them.
        """
        dtype = torch.bfloat16 if bf16 else torch.float32
        model, tokenizer = load_text_llm(directory, attention=attention, dtype=dtype)
        vocabulary = read_as(Vocabulary, directory / VOCABULARY_FILE)
        model.to(device)  # pyrefly: ignore[bad-argument-type]: its wrapper has no types
        return cls(model.eval(), tokenizer, vocabulary)


def reader(source: Path) -> SpeechLlm:
    """An LLM without weights, which encodes texts and says how long they may be.

    It knows the units of an LLM that `SpeechLlm.save` wrote, and no units of another one.
    """
    quiet_transformers()
    shell = SimpleNamespace(config=load(AutoConfig, source))
    tokenizer, file = load(AutoTokenizer, source), source / VOCABULARY_FILE
    vocabulary = Vocabulary(0, 0, 0, 0)
    if file.is_file():
        vocabulary = read_as(Vocabulary, file)
    return SpeechLlm(cast(PreTrainedModel, shell), tokenizer, vocabulary)


def load_text_llm(
    source: Path,
    *,
    config: PreTrainedConfig | None = None,
    attention: str | None = None,
    dtype: torch.dtype = torch.float32,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load model and tokenizer of a directory or a hub's name.

    Weights become `dtype`, whatever the file holds: in bf16 a training would lose AdamW's
    small updates.
    Raises UserError for a model that is no causal LM.
    """
    quiet_transformers()
    model = load_whole(
        AutoModelForCausalLM,
        source,
        config=config or load_config(source),
        dtype=dtype,
        attn_implementation=attention,
    )
    # Some come with sampling and repetition penalties; our options say how to decode.
    model.generation_config = GenerationConfig.from_model_config(model.config)
    return model, load(AutoTokenizer, source)


def load_config(source: Path) -> PreTrainedConfig:
    """Load a configuration. Raises UserError for a model that is no causal LM."""
    config = load(AutoConfig, source)
    if config.model_type not in CAUSAL_LMS:
        raise UserError(
            f"{source}: a {config.model_type} model is no causal LM: take another one"
        )
    return config


def attention_backend(
    wanted: Attention, device: torch.device, bf16: bool
) -> str | None:
    """Hugging Face's name of the backend; None leaves the choice to the model.

    `auto` takes FlashAttention 2 where its package, a GPU and bf16 are at hand; else the
    model takes sdpa, or eager. Raises UserError where FlashAttention 2 is asked for and one
    of the three is missing: the library would fetch a kernel from its hub instead.
    """
    flash = device.type == "cuda" and bf16 and is_flash_attn_2_available()
    if wanted == "auto":
        return "flash_attention_2" if flash else None
    if wanted == "flash_attention_2" and not flash:
        raise UserError(
            "--attention flash_attention_2 wants the package flash-attn, a GPU and "
            "--dtype bf16; 'auto' takes the best that is there"
        )
    return wanted


def extend(
    source: Path,
    num_units: int,
    *,
    new_rows: NewRows = "mean",
    attention_dropout: float = 0.0,
    residual_dropout: float = 0.0,
    seed: int = 1,
    attention: str | None = None,
    lora_rank: int = 0,
    lora_alpha: float = 16.0,
    gradient_checkpointing: bool = False,
    bf16: bool = False,
) -> SpeechLlm:
    """Load a text LLM and give it rows for marks and `num_units` units (Sec. 3.1).

    The paper's "dropout 0.2" is `attention_dropout`, the only one that a Llama's
    configuration has; `residual_dropout` acts behind each attention and MLP block. An LLM
    that has rows for as many units already keeps them. `attention` names a backend of
    Hugging Face; None leaves the choice to the model. `lora_rank` 0 trains all weights.
    Raises UserError where the LLM at `source` cannot do what is asked of it.
    """
    config = load_config(source)
    dropout.configure(config.get_text_config(), attention_dropout, residual_dropout)
    # Weights are checked on the CPU, where FlashAttention does not run.
    flash = attention == "flash_attention_2"
    model, tokenizer = load_text_llm(
        source, config=config, attention=None if flash else attention
    )
    vocabulary = known_vocabulary(source, num_units)
    if vocabulary is None:
        vocabulary = new_vocabulary(source, model, tokenizer, num_units)
        resize(model, vocabulary, new_rows, seed)
        add_unit_tokens(tokenizer, vocabulary)
    for config in (model.config, model.generation_config):
        for name in ("bos", "eos", "pad"):
            setattr(config, f"{name}_token_id", getattr(vocabulary, name))
    if hasattr(model.config, "rescale_every"):
        model.config.rescale_every = 0  # RWKV would halve weights in place to evaluate

    checks.check(model, vocabulary)
    if attention_dropout:
        dropout.check_attention(model)
    if residual_dropout:
        dropout.add_residual(model, residual_dropout)
    if lora_rank:  # peft is an extra that few trainings need
        from s2st_interleave.llm import lora

        rows = range(vocabulary.num_text, vocabulary.size)
        lora.add_lora(model, lora_rank, lora_alpha, rows, seed)
    if gradient_checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    if flash:
        model.set_attn_implementation(attention)
    return SpeechLlm(model, tokenizer, vocabulary, bf16)
