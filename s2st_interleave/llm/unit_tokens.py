"""Names for marks and units in the tokenizer, so that a saved LLM explains itself."""

from tokenizers import AddedToken
from transformers import PreTrainedTokenizerBase

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.vocabulary import Vocabulary


def add_unit_tokens(tokenizer: PreTrainedTokenizerBase, vocabulary: Vocabulary) -> None:
    """Append `<unit_0>` ... behind the text tokens, with the ids of the vocabulary.

    They help people who read ids: training never passes units through tokenizer text, and
    text never becomes a unit. Spare rows, which the LLM has and its tokenizer does not
    know, get names as well, since a tokenizer counts without gaps. Raises UserError where
    one of these names is taken.
    """
    known = max(tokenizer.get_vocab().values()) + 1
    names = [f"<spare_{row}>" for row in range(known, vocabulary.num_text)]
    names += ["<s2st_sep>", "<s2st_mask>", "<s2st_pad>"]
    names += [f"<unit_{unit}>" for unit in range(vocabulary.num_units)]
    first = vocabulary.size - len(names)
    tokenizer.add_tokens(
        [AddedToken(name, normalized=False, special=True) for name in names],
        special_tokens=True,
    )
    tokenizer.pad_token = "<s2st_pad>"
    wrong = [
        name
        for row, name in enumerate(names, start=first)
        if tokenizer.convert_tokens_to_ids(name) != row
    ]
    if wrong:
        raise UserError(
            f"the tokenizer of {tokenizer.name_or_path or 'the LLM'} gives {wrong[0]} "
            "another id than its row: does it have a token of that name, or ids with a gap?"
        )
