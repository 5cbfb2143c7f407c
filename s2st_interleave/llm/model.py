"""Any causal LM of Hugging Face, its vocabulary extended by units."""

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from s2st_interleave.errors import UserError
from s2st_interleave.files import read_as, write_json
from s2st_interleave.hub import load, load_whole
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm import checks, dropout, lora
from s2st_interleave.llm.backbone import backbone, logits, without_flash
from s2st_interleave.llm.fragments import Encode, inner_encode
from s2st_interleave.llm.positions import max_positions
from s2st_interleave.llm.unit_rows import (
    VOCABULARY_FILE,
    NewRows,
    known_vocabulary,
    new_vocabulary,
    resize,
)
from s2st_interleave.llm.unit_tokens import add_unit_tokens
from s2st_interleave.precision import autocast
from s2st_interleave.progress import quiet_transformers

Attention = Literal["auto", "flash_attention_2", "sdpa", "eager"]


@dataclass(frozen=True)
class SpeechLlm:
    """Model, tokenizer of its text, and the ids of everything."""

    model: Any
    tokenizer: Any
    vocabulary: Vocabulary
    bf16: bool = False  # products in bf16; weights are fp32 in any case

    def encode(self, text: str) -> list[int]:
        """Ids of text only: what looks like a mark or a unit in it is text as well."""
        return self.tokenizer.encode(
            text, add_special_tokens=False, split_special_tokens=True
        )

    @cached_property
    def encode_inside(self) -> Encode:
        """`encode` of what stands in the midst of a text, its leading space included."""
        return inner_encode(self.tokenizer, self.encode)

    def decode(self, ids: list[int]) -> str:
        """Text of one line, whatever white space the model put into it."""
        return " ".join(self.tokenizer.decode(ids, skip_special_tokens=True).split())

    @property
    def max_length(self) -> int | None:
        """Tokens that the model has positions for, where it says so."""
        if self.model is None:  # a plan draws examples without a model
            return None
        return max_positions(self.model.config)

    @property
    def backbone(self) -> Any:
        return backbone(self.model)

    def autocast(self) -> Any:
        return autocast(self.model.device, self.bf16)

    def logits(self, hidden: Any) -> Any:
        """float32 logits of last hidden states, (..., width): the model's own."""
        return logits(self.model, hidden)

    def sample(self) -> Any:
        """float32 logits (12, vocabulary) of fixed tokens, on the CPU."""
        import torch

        ids = checks.few_tokens(self.vocabulary).to(self.model.device)
        with torch.no_grad(), without_flash(self.model):
            hidden = self.backbone(input_ids=ids, use_cache=False).last_hidden_state
            return self.logits(hidden)[0].cpu()

    def save(self, directory: Path) -> None:
        """A plain Hugging Face directory, and the unit vocabulary beside it.

        Adapters are merged into it; they lie beside it for a run that is resumed.
        """
        adapted = lora.has_lora(self.model)
        state = lora.merged_state(self.model) if adapted else None
        # By the names that the model has in memory, which `resume` looks for.
        self.model.save_pretrained(
            directory, state_dict=state, save_original_format=False
        )
        self.tokenizer.save_pretrained(directory)
        write_json(directory / VOCABULARY_FILE, asdict(self.vocabulary))
        if adapted:
            lora.save_trained(self.model, directory)

    @classmethod
    def load(
        cls,
        directory: Path,
        device: Any = "cpu",
        *,
        attention: str | None = None,
        bf16: bool = False,
    ) -> "SpeechLlm":
        """From what `save` wrote; `attention` is a backend, None the model's choice."""
        model, tokenizer = load_text_llm(directory, attention=attention)
        vocabulary = read_as(Vocabulary, directory / VOCABULARY_FILE)
        return cls(model.to(device).eval(), tokenizer, vocabulary, bf16)


def reader(source: Path) -> SpeechLlm:
    """Without weights and units: it tells how text is encoded and how long it may be."""
    from types import SimpleNamespace

    from transformers import AutoConfig, AutoTokenizer

    quiet_transformers()
    config = load(AutoConfig, source)
    tokenizer = load(AutoTokenizer, source)
    return SpeechLlm(SimpleNamespace(config=config), tokenizer, Vocabulary(0, 0, 0, 0))


def load_text_llm(
    source: Path, *, config: Any = None, attention: str | None = None
) -> tuple[Any, Any]:
    """Model and tokenizer of a directory or a hub's name, the same code for all sizes.

    In fp32 whatever the file holds: AdamW's small updates are lost on bf16 weights.
    Raises UserError for what is no causal LM.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    quiet_transformers()
    model = load_whole(
        AutoModelForCausalLM,
        source,
        config=config or load_config(source),
        dtype=torch.float32,
        attn_implementation=attention,
    )
    # Some come with sampling and repetition penalties; how to decode is for us to say.
    model.generation_config = GenerationConfig.from_model_config(model.config)
    return model, load(AutoTokenizer, source)


def load_config(source: Path) -> Any:
    """Hugging Face's configuration. Raises UserError for what is no causal LM."""
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as KINDS,
    )

    config = load(AutoConfig, source)
    if config.model_type not in KINDS:
        raise UserError(
            f"{source}: a {config.model_type} model is no causal LM: take another one"
        )
    return config


def attention_backend(wanted: Attention, device: Any, bf16: bool) -> str | None:
    """Hugging Face's name of it; None leaves it to the model: sdpa, else eager.

    `auto` takes FlashAttention 2 where its package, a GPU and bf16 are at hand. Raises
    UserError where it is asked for and one of them is missing: the library would fetch
    a kernel from its hub instead.
    """
    from transformers.utils import is_flash_attn_2_available

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
    """A text LLM with rows for marks and units (Sec. 3.1); dropout acts where it is put.

    The paper's "dropout 0.2": a Llama's configuration knows only `attention_dropout`;
    `residual_dropout` is put behind each attention and MLP block when asked for. An LLM
    that has rows for as many units already keeps them. `attention` is a backend of
    Hugging Face, None the model's own choice; `lora_rank` 0 trains all weights. Raises
    UserError where the LLM at `source` cannot do what is asked of it.
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
    for one in (model.config, model.generation_config):
        one.bos_token_id = vocabulary.bos
        one.eos_token_id = vocabulary.eos
        one.pad_token_id = vocabulary.pad

    if hasattr(model.config, "rescale_every"):
        model.config.rescale_every = 0  # RWKV would halve weights in place to evaluate

    made = SpeechLlm(model, tokenizer, vocabulary, bf16)
    checks.check(model, vocabulary)
    if attention_dropout:
        dropout.check_attention(model)
    if residual_dropout:
        dropout.add_residual(model, residual_dropout)
    if lora_rank:
        rows = range(vocabulary.num_text, vocabulary.size)
        lora.add_lora(model, lora_rank, lora_alpha, rows, seed)
    if gradient_checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    if flash:
        model.set_attn_implementation(attention)
    return made
