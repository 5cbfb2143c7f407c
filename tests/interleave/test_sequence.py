"""Interleaving: no unit is lost, whole spans are one BPE call, loss where it belongs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2st_interleave import keyed
from s2st_interleave.interleave.layout import S2ST, Layout
from s2st_interleave.interleave.segments import Side
from s2st_interleave.interleave.sequence import (
    IGNORE,
    Text,
    build_example,
    interleave,
    prompt_ids,
    token_ids,
)
from s2st_interleave.interleave.spans import choose_spans
from s2st_interleave.interleave.vocabulary import Vocabulary

VOCABULARY = Vocabulary(num_text=1000, num_units=50, bos=0, eos=1)


def encode(text: str) -> list[int]:
    """A tokenizer that keeps every character, so that text can be read back."""
    return [ord(c) for c in text]


@st.composite
def sides(draw) -> Side:
    """Words of 1-4 units with gaps of 0-3 before, between and behind them."""
    count = draw(st.integers(1, 12))
    spans, position = [], 0
    for _ in range(count):
        start = position + draw(st.integers(0, 3))
        position = start + draw(st.integers(1, 4))
        spans.append((start, position))
    num_units = position + draw(st.integers(0, 3))
    units = np.array(
        [draw(st.integers(0, 49)) for _ in range(num_units)], dtype=np.int32
    )
    words = tuple(f"w{i}" for i in range(count))
    return Side(units, words, np.array(spans, dtype=np.int32))


def interleaved(side: Side, replaced: np.ndarray, **options) -> list[int]:
    """Token ids of a side; its texts are encoded by `encode`."""
    pieces = interleave(side, replaced, VOCABULARY, **options)
    texts = [piece for piece in pieces if isinstance(piece, Text)]
    encoded = {text: np.array(encode(text.text)) for text in texts}
    return token_ids(pieces, encoded).tolist()


def masks(side: Side, seed: int, ratio: float) -> np.ndarray:
    rng = keyed.generator(seed)
    return choose_spans(len(side.words), ratio, 1.0, "literal", rng)


@given(sides())
def test_ratio_0_gives_exactly_the_units(side):
    nothing = np.zeros(len(side.words), dtype=bool)
    ids = interleaved(side, nothing)
    assert ids == VOCABULARY.unit_ids(side.units)


def test_a_run_of_an_unspaced_script_is_text_without_spaces():
    words, spans = ("我", "们", "GPU"), np.array([(0, 1), (1, 2), (2, 3)], np.int32)
    side = Side(np.zeros(3, np.int32), words, spans)
    replaced = np.array([False, True, True])
    pieces = interleave(side, replaced, VOCABULARY)
    assert side.text == "我们GPU" and pieces[1:] == [Text("们GPU", inside=True)]


@given(sides())
def test_ratio_1_leaves_no_word_as_units(side):
    everything = np.ones(len(side.words), dtype=bool)
    ids = interleaved(side, everything)
    text = "".join(chr(i) for i in ids if i < VOCABULARY.num_text)
    assert text == side.text  # one BPE call on the whole text
    edges = [*side.units[: side.spans[0, 0]], *side.units[side.spans[-1, 1] :]]
    assert [i for i in ids if i >= VOCABULARY.offset] == VOCABULARY.unit_ids(edges)


@given(sides(), st.integers(0, 1000), st.sampled_from([0.1, 0.5, 0.9]))
def test_putting_back_the_units_of_each_run_restores_the_sequence(side, seed, ratio):
    replaced = masks(side, seed, ratio)
    ids = interleaved(side, replaced, fill="mask")
    runs = maximal_runs(replaced)
    assert ids.count(VOCABULARY.mask) == len(runs)
    restored, left = [], iter(runs)
    for token in ids:
        if token == VOCABULARY.mask:
            first, last = next(left)
            units = side.units[side.spans[first, 0] : side.spans[last, 1]]
            restored += VOCABULARY.unit_ids(units)
        else:
            restored.append(token)
    assert restored == VOCABULARY.unit_ids(side.units)


def maximal_runs(replaced: np.ndarray) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for word in np.flatnonzero(replaced).tolist():
        if runs and runs[-1][1] == word - 1:
            runs[-1] = (runs[-1][0], word)
        else:
            runs.append((word, word))
    return runs


def test_a_word_in_mid_sentence_keeps_its_leading_space():
    side = Side(
        np.arange(6, dtype=np.int32),
        ("a", "b", "c"),
        np.array([[0, 2], [2, 4], [4, 6]]),
    )
    ids = interleaved(side, np.array([False, True, True]))
    assert ids == [*VOCABULARY.unit_ids(side.units[:2]), *encode(" b c")]
    ids = interleaved(side, np.array([True, False, False]))
    assert ids == [*encode("a"), *VOCABULARY.unit_ids(side.units[2:])]


def test_uniform_alignment_is_one_argument():
    """Table 3: a_i = i * floor(M/N); seven units of three words leave one over."""
    side = Side(
        np.arange(7, dtype=np.int32),
        ("a", "b", "c"),
        np.array([[0, 1], [1, 2], [2, 7]]),
    )
    replaced = np.array([False, False, True])
    ids = interleaved(side, replaced, alignment="uniform")
    units = VOCABULARY.unit_ids(side.units)
    assert ids == [*units[:4], *encode(" c"), units[6]]


PARTS = {
    "src_speech": [1003, 1004],
    "src_text": [5],
    "tgt_text": [6, 7],
    "tgt_speech": [1005],
}
SEP, EOS = VOCABULARY.sep, VOCABULARY.eos


@pytest.mark.parametrize(
    ("line", "given", "wanted"),
    [
        (S2ST, [1003, 1004, SEP], [5, SEP, 6, 7, SEP, 1005, EOS]),
        ("src_speech -> tgt_speech", [1003, 1004, SEP], [1005, EOS]),
        ("src_speech -> src_text tgt_text", [1003, 1004, SEP], [5, SEP, 6, 7, EOS]),
        ("src_speech -> src_text", [1003, 1004, SEP], [5, EOS]),
        ("tgt_text -> tgt_speech", [6, 7, SEP], [1005, EOS]),
        ("src_speech src_text -> tgt_text", [1003, 1004, SEP, 5, SEP], [6, 7, EOS]),
    ],
)
def test_loss_is_on_everything_behind_what_is_given(line, given, wanted):
    layout = Layout.parse(line)
    example = build_example(layout, PARTS, VOCABULARY)
    ids = example.ids.tolist()
    assert ids == [0, *given, *wanted]
    assert example.labels.tolist() == [IGNORE] * (1 + len(given)) + wanted
    assert {name: ids[place] for name, place in example.blocks.items()} == {
        block.name: PARTS[block.name] for block in layout.blocks
    }
    start = prompt_ids([PARTS[block.name] for block in layout.given], VOCABULARY)
    assert start == [0, *given]


def test_unit_vocabulary_is_a_function_of_k_only():
    """Another toolkit built it from training labels: an unseen unit became unknown."""
    every_unit = np.arange(50, dtype=np.int32)
    ids = VOCABULARY.unit_ids(every_unit)
    assert ids == list(range(1003, 1053)) and VOCABULARY.size == 1053
    assert (VOCABULARY.units(ids) == every_unit).all()
