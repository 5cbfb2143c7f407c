"""The dump gives back what was put in, and refuses what does not fit together."""

import pickle

import numpy as np
import pytest
import tiny_parts

from s2st_interleave.errors import UserError
from s2st_interleave.interleave import dump
from s2st_interleave.interleave.segments import Side


def make_side(*units: int, words: str = "a b") -> Side:
    half = len(units) // 2
    spans = np.array([[0, half], [half, len(units)]], dtype=np.int32)
    return Side(np.array(units, dtype=np.int32), tuple(words.split()), spans)


def pair_of(name: str, src: Side, tgt: Side) -> dump.Utterance:
    return dump.Utterance(name, {"src": src, "tgt": tgt})


def test_sides_are_roles_of_any_name(tmp_path):
    sides = {"user": make_side(1, 2), "agent": make_side(3)}
    dump.write(tmp_path, [dump.Utterance("u", sides)], dump.UnitVocabulary(10, 0.04))
    read = dump.Dump(tmp_path)
    assert read.sides == ("user", "agent")
    assert read[0].sides["agent"].units.tolist() == [3]


def test_round_trip_through_a_path_with_spaces(tmp_path):
    folder = tmp_path / "a dump's place"
    folder.mkdir()
    utterances = [
        pair_of("u1", make_side(9, 9, 9, 9), make_side(0, 7, 1, words="NA null")),
        pair_of("u2", make_side(1, 2, 3), make_side(4, 5)),
    ]
    dump.write(folder, utterances, dump.UnitVocabulary(10, 0.04))
    reopened = dump.Dump(folder)
    assert [utterance.id for utterance in reopened] == ["u1", "u2"]
    assert reopened.vocabulary == dump.UnitVocabulary(10, 0.04)
    for utterance in reopened:
        wanted = next(u for u in utterances if u.id == utterance.id)
        for name in ("src", "tgt"):
            side, want = utterance.sides[name], wanted.sides[name]
            assert side.words == want.words
            assert (side.units == want.units).all() and (side.spans == want.spans).all()
            assert side.units.dtype == np.int32


def test_a_unit_outside_the_codebook_names_the_utterance(tmp_path):
    bad = pair_of("u7", make_side(1, 10), make_side(1, 1))
    with pytest.raises(ValueError, match=r"u7, src: units outside 0\.\.9"):
        dump.write(tmp_path, [bad], dump.UnitVocabulary(10, 0.04))


def test_what_is_asked_for_without_reading_utterances(tmp_path):
    small = list(tiny_parts.utterances())
    dump.write(tmp_path, small, dump.UnitVocabulary(20, 0.04))
    read = dump.Dump(tmp_path)
    both = dump.Dumps([read, read])
    part = dump.Subset(dump.Dumps([read]), 9)
    for opened in (read, both, part):
        listed = [opened[index] for index in range(len(opened))]
        assert opened.ids == [each.id for each in listed]
        for name in ("src", "tgt"):
            sides = [each.sides[name] for each in listed]
            units, words = opened.num_units(name), opened.num_words(name)
            assert units.dtype == words.dtype == np.int64
            assert units.tolist() == [len(side.units) for side in sides]
            assert words.tolist() == [len(side.words) for side in sides]


def test_an_index_may_be_negative_and_has_an_end(tmp_path):
    dump.write(tmp_path, tiny_parts.utterances(), dump.UnitVocabulary(20, 0.04))
    read = dump.Dump(tmp_path)
    assert read[-1].id == read[len(read) - 1].id == "u29"
    for index in (30, -31):
        with pytest.raises(IndexError):
            read[index]


def test_a_dump_goes_to_another_process_by_its_path(tmp_path):
    dump.write(tmp_path, tiny_parts.utterances(), dump.UnitVocabulary(20, 0.04))
    packed = pickle.dumps(dump.Dump(tmp_path, "pt-en:"))
    again = pickle.loads(packed)
    assert len(packed) < 500 and again[3].pair == "pt-en:"


def test_a_dump_without_utterances_is_read(tmp_path):
    dump.write(tmp_path, [], dump.UnitVocabulary(20, 0.04))
    read = dump.Dump(tmp_path)
    assert len(read) == 0 and read.ids == [] and read.sides == ()


def test_utterances_out_of_order_are_a_fault_of_ours(tmp_path):
    sides = make_side(1, 2), make_side(3)
    with pytest.raises(ValueError, match="u1 comes after u2"):
        dump.write(
            tmp_path,
            [pair_of("u2", *sides), pair_of("u1", *sides)],
            dump.UnitVocabulary(10, 0.04),
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("word", ["a\tb", "a\n"])
def test_a_word_that_would_not_be_read_back_names_the_utterance(tmp_path, word):
    bad = Side(np.zeros(1, np.int32), (word,), np.array([[0, 1]]))
    with pytest.raises(UserError, match="utterance u, tgt: a word holds a tab"):
        dump.write(
            tmp_path,
            [pair_of("u", make_side(1), bad)],
            dump.UnitVocabulary(10, 0.04),
        )


def test_files_that_do_not_fit_together_are_named(tmp_path):
    dump.write(tmp_path, tiny_parts.utterances(), dump.UnitVocabulary(20, 0.04))
    words = (tmp_path / "tgt.words.txt").read_bytes()
    (tmp_path / "tgt.words.txt").write_bytes(words[:-3])
    with pytest.raises(UserError, match="the files of tgt do not fit together"):
        dump.Dump(tmp_path)
    (tmp_path / "tgt.index.npy").write_bytes(b"half")
    with pytest.raises(UserError, match=r"tgt.index.npy is broken: rerun stage 5"):
        dump.Dump(tmp_path)


def test_another_format_version_is_refused(tmp_path):
    utterance = pair_of("u", make_side(1, 2), make_side(3))
    dump.write(tmp_path, [utterance], dump.UnitVocabulary(10, 0.04))
    facts = (tmp_path / "vocab.json").read_text()
    facts = facts.replace('"version": 2', '"version": 3')
    (tmp_path / "vocab.json").write_text(facts)
    with pytest.raises(UserError, match="a dump of version 3, not of 2; rerun stage 5"):
        dump.Dump(tmp_path)
