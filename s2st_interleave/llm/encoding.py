"""Token ids of many texts at once; a word that was seen before costs a look-up."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tokenizers import normalizers
from transformers import PreTrainedTokenizerBase

Texts = Sequence[str]
EncodeAll = Callable[[Texts], list[np.ndarray]]  # int32 (num_tokens,) for each text

MOST_WORDS = 2**16  # about 15 MB; then the memory starts anew
# Expressions of byte-level tokenizers: the space before a word belongs to its first piece.
LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN_2 = LLAMA_3.replace("{1,3}", "")
WHOLE = (("Isolated", False), ("Removed", True))  # these leave nothing of a text out


def encoder(tokenizer: PreTrainedTokenizerBase) -> EncodeAll:
    """Return what encodes texts without special tokens, each as if it were alone.

    A word that looks like a mark or a unit is text as well.
    """

    def encode_all(texts: Texts) -> list[np.ndarray]:
        if not texts:
            return []
        encoded = tokenizer(
            list(texts),
            add_special_tokens=False,
            split_special_tokens=True,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        return [np.array(ids, dtype=np.int32) for ids in encoded["input_ids"]]

    return WordMemory(encode_all) if cuts_at_spaces(tokenizer) else encode_all


class WordMemory:
    """Encodes word by word, for a tokenizer that `cuts_at_spaces`."""

    def __init__(self, encode_all: EncodeAll):
        self._encode_all = encode_all
        self._known: dict[str, bytes] = {}  # the int32 ids of a word with its space

    def __call__(self, texts: Texts) -> list[np.ndarray]:
        words_of = [words(text) for text in texts]
        unknown = {word for each in words_of for word in each} - self._known.keys()
        if unknown:
            if len(self._known) + len(unknown) > MOST_WORDS:
                self._known = {}
                unknown = {word for each in words_of for word in each}
            new = list(unknown)
            encoded = self._encode_all(new)
            self._known |= {
                w: ids.tobytes() for w, ids in zip(new, encoded, strict=True)
            }
        known = self._known.__getitem__
        joined = [b"".join(map(known, each)) for each in words_of]
        return [np.frombuffer(each, dtype=np.int32) for each in joined]


def words(text: str) -> list[str]:
    """The words of a text, each with the space before it, or the text if it has others.

    >>> words("la casa"), words(" la casa"), words("la  casa ")
    (['la', ' casa'], [' la', ' casa'], ['la  casa '])
    """
    first, *rest = text.removeprefix(" ").split(" ")
    if [first, *rest] != text.split():
        return [text]
    space = " " if text[0] == " " else ""
    return [space + first, *(f" {word}" for word in rest)]


def cuts_at_spaces(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Is a text, cut before each single space, encoded as its parts are, one by one?

    That is so where each piece of a text is merged by itself, and no piece reaches beyond
    a space: byte-level BPE with the expressions of GPT-2, Llama 3 or Qwen 2. For other
    tokenizers the answer is no, though it may be so.
    """
    if not tokenizer.is_fast:
        return False
    backend: Any = tokenizer.backend_tokenizer
    if type(backend.model).__name__ != "BPE" or backend.model.dropout:
        return False
    if backend.normalizer and not isinstance(backend.normalizer, normalizers.NFC):
        return False
    added = backend.get_added_tokens_decoder().values()
    if any(a.lstrip or a.rstrip or a.single_word or " " in a.content for a in added):
        return False
    state = backend.pre_tokenizer.__getstate__() if backend.pre_tokenizer else b"{}"
    steps = json.loads(state)
    return _are_byte_level(steps.get("pretokenizers", [steps]))


def _are_byte_level(steps: list[dict[str, Any]]) -> bool:
    """Is it the expression of GPT-2, or one of Llama 3 or Qwen 2 before bytes?"""
    if not steps:
        return False
    *before, last = steps
    if last.get("type") != "ByteLevel" or last["add_prefix_space"]:
        return False
    if not before:
        return last["use_regex"]
    split = before[0]
    return (
        len(before) == 1
        and not last["use_regex"]
        and split["type"] == "Split"
        and split["pattern"].get("Regex") in (LLAMA_3, QWEN_2)
        and (split["behavior"], split["invert"]) in WHOLE
    )
