"""Rows for marks and units behind those of the text, in the tables of an LLM."""

from pathlib import Path
from typing import Literal

import torch
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from s2st_interleave import keyed
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_as
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm.backbone import output_layer
from s2st_interleave.llm.options import VOCABULARY_FILE

NewRows = Literal["mean", "normal", "zero"]


def known_vocabulary(source: Path, num_units: int) -> Vocabulary | None:
    """The vocabulary of an LLM that a training here has extended, or None.

    Raises UserError where it is for another number of units.
    """
    file = Path(source) / VOCABULARY_FILE
    if not file.is_file():
        return None
    vocabulary = read_as(Vocabulary, file)
    if vocabulary.num_units != num_units:
        raise UserError(
            f"{source}: an LLM of {vocabulary.num_units} units, and the dump has "
            f"{num_units}: take its codebook, or start from a text LLM"
        )
    return vocabulary


def new_vocabulary(
    source: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    num_units: int,
) -> Vocabulary:
    """A vocabulary of marks and units behind all rows of the text, spare ones too.

    Qwen and its like have no bos: their texts start behind the eos of the text before, so
    that eos stands for bos. Raises UserError for a tokenizer without eos.
    """
    num_rows = len(weight_of(model.get_input_embeddings()))
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    if eos is None:
        raise UserError(
            f"{source}: the tokenizer has no eos token, which ends a translation: set "
            "'eos_token' in its tokenizer_config.json"
        )
    num_text = max(num_rows, len(tokenizer))
    return Vocabulary(num_text, num_units, eos if bos is None else bos, eos)


def weight_of(layer: nn.Module) -> torch.Tensor:
    """The weight (num_rows, width) of an embedding or an output layer.

    It is a parameter, but where peft trains some of its rows.
    """
    assert isinstance(layer.weight, torch.Tensor)
    return layer.weight


def resize(
    model: PreTrainedModel, vocabulary: Vocabulary, new_rows: NewRows, seed: int
) -> None:
    """Add rows for marks and units to the tables, as the option `new_rows` says.

    "mean" puts them near the mean of the old rows, so that no unit starts as an outlier.
    """
    num_old = len(weight_of(model.get_input_embeddings()))
    model.resize_token_embeddings(vocabulary.size, mean_resizing=False)
    tables = [weight_of(model.get_input_embeddings())]
    if weight_of(output_layer(model)) is not tables[0]:
        tables.append(weight_of(output_layer(model)))
    key = keyed.stable_hash(seed, "new rows", bits=32)
    noise = torch.Generator().manual_seed(key)
    for table in tables:
        old = table.data[:num_old]
        shape = (len(table) - num_old, table.shape[1])
        rows = torch.randn(shape, generator=noise) * old.std(dim=0)
        if new_rows == "normal":
            table.data[num_old:] = rows
        elif new_rows == "mean":
            # A little noise keeps units apart: equal rows would get equal gradients.
            table.data[num_old:] = old.mean(dim=0) + 0.1 * rows
        else:
            table.data[num_old:] = 0
