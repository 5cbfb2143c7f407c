"""Texts are encoded word by word only where that gives the ids of the whole text."""

import pytest
from test_fragments import KINDS, byte_level
from tokenizers import AddedToken, normalizers
from transformers import PreTrainedTokenizerFast

from s2st_interleave.llm import encoding

TEXTS = ["la casa roja come pan, agua y gato. perro! (uno) 12 = dos: tres | a"] * 3


def trained(backend, trainer) -> PreTrainedTokenizerFast:
    backend.train_from_iterator(TEXTS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=backend)


def test_byte_level_tokenizers_are_cut_at_spaces_and_others_are_not():
    cut = {name for name, make in KINDS.items() if is_cut(trained(*make()))}
    assert cut == {"gpt-2", "llama 3"}
    assert not is_cut(trained(*byte_level(r"\s+|\S+")))  # an expression of another kind


def is_cut(tokenizer: PreTrainedTokenizerFast) -> bool:
    return encoding.cuts_at_spaces(tokenizer)


@pytest.mark.parametrize(
    ("token", "cut"),
    [
        (AddedToken("<think>"), True),
        (AddedToken("la casa"), False),
        (AddedToken("<x>", lstrip=True), False),
        (AddedToken("casa", single_word=True), False),
        (AddedToken("<unit_1>", special=True), True),
    ],
)
def test_added_tokens_that_reach_beyond_a_word_forbid_it(token, cut):
    tokenizer = trained(*byte_level(encoding.QWEN_2))
    tokenizer.add_tokens([token], special_tokens=token.special)
    assert is_cut(tokenizer) == cut
    if cut:
        text = f"la {token.content} casa,{token.content}a 12 {token.content}"
        wanted = tokenizer.encode(
            text, add_special_tokens=False, split_special_tokens=True
        )
        (ids,) = encoding.encoder(tokenizer)([text])
        assert ids.tolist() == wanted


def test_a_normaliser_that_composes_letters_is_no_hindrance():
    tokenizer = trained(*byte_level())
    tokenizer.backend_tokenizer.normalizer = normalizers.NFC()
    texts = ["cafe\u0301 con \u0301leche", " cafe\u0301", "a\u0301 \u0301b"]
    ids = encoding.encoder(tokenizer)(texts)
    assert is_cut(tokenizer)
    assert [each.tolist() for each in ids] == [
        tokenizer.encode(text, add_special_tokens=False) for text in texts
    ]
    tokenizer.backend_tokenizer.normalizer = normalizers.Strip()
    assert not is_cut(tokenizer)


def test_the_memory_of_words_is_bounded_and_never_wrong(monkeypatch):
    monkeypatch.setattr(encoding, "MOST_WORDS", 5)
    tokenizer = trained(*byte_level())
    memory = encoding.encoder(tokenizer)
    for start in range(8):
        texts = [" ".join(f"w{k}" for k in range(start, start + n)) for n in (1, 2, 4)]
        assert [ids.tolist() for ids in memory(texts)] == [
            tokenizer.encode(text, add_special_tokens=False) for text in texts
        ]
        assert len(memory._known) <= 5
