"""Text among units is encoded as it stands in the midst of a text, by every tokenizer."""

import numpy as np
import plain_draws
import pytest
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import trainers as train
from transformers import PreTrainedTokenizerFast

from s2st_interleave.interleave.segments import Side
from s2st_interleave.interleave.sequence import Text, interleave, token_ids
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm.encoding import LLAMA_3
from s2st_interleave.llm.model import SpeechLlm

TEXTS = ["la casa roja come pan, agua y gato. perro! (uno) 12 = dos: tres | a",
         "雨が降る。 今日は、雨。 東京 é", "la casa. el gato) 1 2 3 b"]  # fmt: skip
SPECIAL = ["<unk>", "<s>", "</s>"]
BYTES = pre_tokenizers.ByteLevel.alphabet()


def metaspace(model, trainer, scheme: str) -> tuple:
    """SentencePiece as the library writes it today: Mistral, T5, XGLM."""
    backend = Tokenizer(model)
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    backend.decoder = decoders.Metaspace(prepend_scheme=scheme)
    return backend, trainer


def normalised(*steps) -> tuple:
    """SentencePiece as Llama 2 has it, and without `Prepend` as Gemma has it."""
    backend = Tokenizer(models.BPE(unk_token="<unk>"))
    backend.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    backend.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    return backend, bpe()


def byte_level(split: str | None = None, *, prefix: bool = False) -> tuple:
    backend = Tokenizer(models.BPE())
    last = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=split is None)
    first = [pre_tokenizers.Split(Regex(split), "isolated")] if split else []
    backend.pre_tokenizer = pre_tokenizers.Sequence([*first, last])
    backend.decoder = decoders.ByteLevel()
    return backend, bpe(initial_alphabet=BYTES)


def word_piece() -> tuple:
    backend = Tokenizer(models.WordPiece(unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    return backend, train.WordPieceTrainer(
        vocab_size=300, special_tokens=SPECIAL, show_progress=False
    )


def bpe(**more):
    return train.BpeTrainer(
        vocab_size=360, special_tokens=SPECIAL, show_progress=False, **more
    )


def unigram():
    return train.UnigramTrainer(
        vocab_size=150, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )


KINDS = {
    "metaspace always": lambda: metaspace(
        models.BPE(unk_token="<unk>"), bpe(), "always"
    ),
    "metaspace first": lambda: metaspace(models.BPE(unk_token="<unk>"), bpe(), "first"),
    "unigram": lambda: metaspace(models.Unigram(), unigram(), "always"),
    "llama 2": lambda: normalised(normalizers.Prepend("▁")),
    "gpt-2 with a prefix": lambda: byte_level(prefix=True),
    "gemma": lambda: normalised(),
    "gpt-2": byte_level,
    "llama 3": lambda: byte_level(LLAMA_3),
    "word piece": word_piece,
}
PREFIXED = tuple(KINDS)[:5]


@pytest.fixture(scope="module", params=KINDS)
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def llm(kind) -> SpeechLlm:
    backend, trainer = KINDS[kind]()
    backend.train_from_iterator(TEXTS * 5, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    return SpeechLlm(None, tokenizer, Vocabulary(len(tokenizer), 20, 1, 2))


def pieces(llm: SpeechLlm, ids: list[int]) -> list[str]:
    return llm.tokenizer.convert_ids_to_tokens(ids)


def among_units(llm: SpeechLlm, words: str, replaced: list[int]) -> list[str]:
    """Pieces of the replaced words of a text, one unit a word."""
    parts = tuple(words.split("/"))
    spans = np.array([[k, k + 1] for k in range(len(parts))])
    side = Side(np.zeros(len(parts), dtype=np.int32), parts, spans)
    chosen = np.isin(np.arange(len(parts)), replaced)
    made = interleave(side, chosen, llm.vocabulary)
    texts = llm.encode_all(piece for piece in made if isinstance(piece, Text))
    ids = token_ids(made, texts).tolist()
    return pieces(llm, [number for number in ids if number < llm.vocabulary.num_text])


@pytest.mark.parametrize(
    ("words", "whole"),
    [("la/casa/roja", "la casa roja"), ("come/pan,/agua", "come pan, agua"),
     ("東京/は、/雨", "東京は、雨"), ("a/12/3", "a 12 3"), ("gato/(uno)/y", "gato (uno) y")],
)  # fmt: skip
def test_a_fragment_has_the_pieces_that_it_has_in_its_text(kind, llm, words, whole):
    if kind == "word piece" and whole[0] == "東":
        pytest.skip("it marks what goes on within a word, which a fragment is not")
    text = pieces(llm, llm.encode(whole))
    first, rest = among_units(llm, words, [0]), among_units(llm, words, [1, 2])
    assert first == text[: len(first)]
    assert rest == text[len(text) - len(rest) :]
    if kind != "word piece":  # which forgets where spaces were
        assert [*first, *rest] == text
    assert among_units(llm, words, [0, 1, 2]) == text


def test_a_word_has_one_mark_and_not_two(kind, llm):
    if kind in PREFIXED:
        (mark,) = {p[0] for p in pieces(llm, llm.encode("casa come"))} & {"▁", "Ġ"}
        assert among_units(llm, "la/casa/roja", [1])[0] == f"{mark}casa"
        assert among_units(llm, "東/雨/京", [1]) != pieces(llm, llm.encode("雨"))
        assert pieces(llm, llm.encode("雨"))[0].startswith(mark)  # the start of a text


def test_what_takes_a_text_as_it_is_keeps_its_ids(kind, llm):
    if kind in PREFIXED:
        return
    assert llm._encoders[0] == llm._encoders[1]
    rng = np.random.default_rng(1)
    for text in (random_text(rng) for _ in range(300)):
        assert inside(llm, text) == llm.encode(text)


def random_text(rng: np.random.Generator) -> str:
    letters = list("abcXé雨今。.,:;-'\"()¿!   0129\t\n\xa0\u0301")
    return "".join(rng.choice(letters, rng.integers(0, 14)))


def inside(llm: SpeechLlm, text: str) -> list[int]:
    asked = Text(text, inside=True)
    return llm.encode_all([asked])[asked].tolist()


def test_many_texts_at_once_have_the_ids_of_each_alone(llm):
    rng = np.random.default_rng(2)
    reference = plain_draws.inner_encode(llm.tokenizer, llm.encode)
    for _ in range(10):
        many = [Text(random_text(rng), bool(rng.integers(2))) for _ in range(60)]
        many += [Text(" ".join(TEXTS[0].split()[:k]), k % 2 == 0) for k in range(9)]
        encoded = llm.encode_all(iter(many))
        assert encoded.keys() == set(many)
        for text, ids in encoded.items():
            assert ids.dtype == np.int32
            plain = reference if text.inside else llm.encode
            assert ids.tolist() == plain(text.text)
    assert llm.encode_all([]) == {}


def test_a_text_without_any_anchor_loses_its_space_alone():
    """A vocabulary of four words: no punctuation can stand before a fragment."""
    backend = Tokenizer(
        models.WordLevel({"▁la": 0, "▁casa": 1, "▁": 2, "<unk>": 3}, "<unk>")
    )
    backend.normalizer = normalizers.Prepend("▁")
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(prepend_scheme="never")]
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>")
    llm = SpeechLlm(None, tokenizer, Vocabulary(4, 20, 0, 0))
    assert pieces(llm, llm.encode(" casa")) == ["▁", "▁casa"]
    assert pieces(llm, inside(llm, " casa")) == ["▁casa"]
