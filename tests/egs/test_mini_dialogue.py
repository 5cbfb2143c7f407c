"""The conversation: one right answer a question, and no question of the test in training."""

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from s2st_interleave.errors import UserError

LOCAL = Path(__file__).parents[2] / "egs/mini_dialogue/local"
sys.path.insert(0, str(LOCAL))

import conversation  # noqa: E402
from conversation import GOODS, ONES, TENS, dollars, number, pieces, turns  # noqa: E402

SIZES = {"test": 60, "dev": 20, "train": 400}
VALUES = {number(value): value for value in range(100)}


@pytest.fixture(scope="module")
def said():
    return turns(1, SIZES)


def test_there_are_as_many_turns_as_asked_for_and_none_twice(said):
    assert {split: len(drawn) for split, drawn in said.items()} == SIZES
    asked = [turn.user for drawn in said.values() for turn in drawn]
    assert len(set(asked)) == len(asked)


def test_no_meaning_of_dev_or_test_occurs_in_training(said):
    meanings = {
        split: {turn.meaning for turn in drawn} for split, drawn in said.items()
    }
    assert not meanings["train"] & (meanings["dev"] | meanings["test"])
    assert not meanings["dev"] & meanings["test"]


def test_every_kind_of_question_of_the_test_is_learned_from(said):
    """Each has so many meanings that dev and test do not hold all of them out."""

    def kinds(split: str) -> Counter:
        return Counter((t.meaning.split()[0], " and " in t.user) for t in said[split])

    assert all(kinds("train")[kind] >= 10 for kind in kinds("test"))


def test_a_larger_corpus_has_the_same_test(said):
    assert turns(1, SIZES | {"train": 900})["test"] == said["test"]
    assert turns(2, SIZES)["test"] != said["test"]


def test_an_order_is_answered_from_what_was_said(said):
    """Each price is computed here from the words of the question alone."""
    orders = [turn for turn in said["train"] if turn.meaning.startswith("order")]
    assert len(orders) > 100
    prices = {name: price for name, (price, *_) in GOODS.items()}
    prices |= {plural: price for price, plural, _ in GOODS.values()}
    many = "|".join(ONES[1:7])
    for turn in orders:
        listed = re.findall(rf"\b({many}) ({'|'.join(prices)})\b", turn.user)
        answers = [
            f"{dollars(VALUES[count] * prices[what])} for {count} {what}"
            for count, what in listed
        ]
        assert turn.agent == f"that is {' and '.join(answers)}"


def test_more_turns_than_there_are_is_an_error(monkeypatch):
    monkeypatch.setattr(conversation, "KINDS", (conversation._cheaper,))
    with pytest.raises(UserError, match="different turns can be drawn: ask for fewer"):
        turns(1, SIZES)


def test_numbers_and_pieces_are_said_as_one_says_them():
    assert [number(v) for v in (0, 13, 20, 45, 99)] == [
        "zero",
        "thirteen",
        "twenty",
        "forty five",
        "ninety nine",
    ]
    assert (pieces(1, "potato"), pieces(2, "potato")) == ("one potato", "two potatoes")
    assert len(TENS) == 10 and dollars(1) == "one dollar"
