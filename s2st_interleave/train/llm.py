"""Any causal LM of Hugging Face, its vocabulary extended by units."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from s2st_interleave import keyed
from s2st_interleave.artifact import read_json, write_json
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.progress import quiet_transformers

VOCABULARY_FILE = "units_vocabulary.json"
NewRows = Literal["mean", "normal", "zero"]


@dataclass(frozen=True)
class SpeechLlm:
    """Model, tokenizer of its text, and the ids of everything."""

    model: Any
    tokenizer: Any
    vocabulary: Vocabulary

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False)

    def decode(self, ids: list[int]) -> str:
        """Text of one line, whatever white space the model put into it."""
        return " ".join(self.tokenizer.decode(ids, skip_special_tokens=True).split())

    def save(self, directory: Path) -> None:
        """A plain Hugging Face directory, and the unit vocabulary beside it."""
        self.model.save_pretrained(directory)
        self.tokenizer.save_pretrained(directory)
        write_json(directory / VOCABULARY_FILE, asdict(self.vocabulary))

    @classmethod
    def load(cls, directory: Path, device: Any = "cpu") -> "SpeechLlm":
        model, tokenizer = load_text_llm(directory)
        vocabulary = Vocabulary(**read_json(directory / VOCABULARY_FILE))
        return cls(model.to(device).eval(), tokenizer, vocabulary)


def load_text_llm(source: Path) -> tuple[Any, Any]:
    """Model and tokenizer of a directory or a hub's name, the same code for all sizes.

    In fp32 whatever the file holds: AdamW's small updates are lost on bf16 weights.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    quiet_transformers()
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    return model, AutoTokenizer.from_pretrained(source)


def extend(
    source: Path,
    num_units: int,
    *,
    new_rows: NewRows = "mean",
    attention_dropout: float = 0.0,
    residual_dropout: float = 0.0,
    seed: int = 1,
) -> SpeechLlm:
    """A text LLM with rows for marks and units (Sec. 3.1); dropout acts where it is put.

    The paper's "dropout 0.2": a Llama's configuration knows only `attention_dropout`;
    `residual_dropout` is put behind each attention and MLP block when asked for.
    """
    model, tokenizer = load_text_llm(source)
    num_text = max(model.config.vocab_size, len(tokenizer))
    vocabulary = Vocabulary(
        num_text, num_units, tokenizer.bos_token_id, tokenizer.eos_token_id
    )
    if None in (vocabulary.bos, vocabulary.eos):
        raise ValueError(f"{source}: the tokenizer has no bos or no eos token")
    model.config.attention_dropout = attention_dropout
    for layer in model.base_model.layers:
        layer.self_attn.attention_dropout = attention_dropout
    if residual_dropout:
        _add_residual_dropout(model, residual_dropout)
    _resize(model, vocabulary, new_rows, seed)
    model.config.bos_token_id = model.generation_config.bos_token_id = vocabulary.bos
    model.config.eos_token_id = model.generation_config.eos_token_id = vocabulary.eos
    model.config.pad_token_id = model.generation_config.pad_token_id = vocabulary.pad
    return SpeechLlm(model, tokenizer, vocabulary)


def _resize(model: Any, vocabulary: Vocabulary, new_rows: NewRows, seed: int) -> None:
    """New rows around the mean of the old ones, so that no unit starts as an outlier."""
    import torch

    num_old = model.get_input_embeddings().weight.shape[0]
    model.resize_token_embeddings(vocabulary.size, mean_resizing=False)
    tables = [model.get_input_embeddings().weight]
    if not model.config.tie_word_embeddings:
        tables.append(model.get_output_embeddings().weight)
    key = keyed.stable_hash(seed, "new rows", bits=32)
    noise = torch.Generator().manual_seed(key)
    for table in tables:
        old = table.data[:num_old]
        shape = (len(table) - num_old, table.shape[1])
        drawn = torch.randn(shape, generator=noise) * old.std(dim=0)
        if new_rows == "normal":
            table.data[num_old:] = drawn
        elif new_rows == "mean":
            # A little noise keeps units apart: equal rows would get equal gradients.
            table.data[num_old:] = old.mean(dim=0) + 0.1 * drawn
        else:
            table.data[num_old:] = 0


def _add_residual_dropout(model: Any, probability: float) -> None:
    import torch

    def drop(module: Any, _: Any, output: Any) -> Any:
        first = output[0] if isinstance(output, tuple) else output
        first = torch.nn.functional.dropout(first, probability, module.training)
        return (first, *output[1:]) if isinstance(output, tuple) else first

    for layer in model.base_model.layers:
        layer.self_attn.register_forward_hook(drop)
        layer.mlp.register_forward_hook(drop)
