"""Rows for marks and units behind those of the text, in the tables of an LLM."""

from pathlib import Path
from typing import Any, Literal

from s2st_interleave import keyed
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_as
from s2st_interleave.interleave.vocabulary import Vocabulary

VOCABULARY_FILE = "units_vocabulary.json"
NewRows = Literal["mean", "normal", "zero"]


def known_vocabulary(source: Path, num_units: int) -> Vocabulary | None:
    """Of an LLM that this recipe has extended before; UserError if for other units."""
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
    source: Path, model: Any, tokenizer: Any, num_units: int
) -> Vocabulary:
    """Behind the text's rows, spare ones included.

    Qwen and its like have no bos: a text of theirs starts behind the eos of the last
    one, so that eos stands for it. Raises UserError for a tokenizer without eos.
    """
    num_rows = len(model.get_input_embeddings().weight)
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    if eos is None:
        raise UserError(
            f"{source}: the tokenizer has no eos token, which ends a translation: set "
            "'eos_token' in its tokenizer_config.json"
        )
    num_text = max(num_rows, len(tokenizer))
    return Vocabulary(num_text, num_units, eos if bos is None else bos, eos)


def resize(model: Any, vocabulary: Vocabulary, new_rows: NewRows, seed: int) -> None:
    """New rows around the mean of the old ones, so that no unit starts as an outlier."""
    import torch

    num_old = len(model.get_input_embeddings().weight)
    model.resize_token_embeddings(vocabulary.size, mean_resizing=False)
    tables = [model.get_input_embeddings().weight]
    if model.get_output_embeddings().weight is not tables[0]:
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
