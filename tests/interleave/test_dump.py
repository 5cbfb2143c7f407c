"""The dump gives back what was put in, and refuses what does not fit together."""

import numpy as np
import pytest

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
        pair_of("u2", make_side(1, 2, 3), make_side(4, 5)),
        pair_of("u1", make_side(9, 9, 9, 9), make_side(0, 7, 1, words="NA null")),
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


def test_another_format_version_is_refused(tmp_path):
    utterance = pair_of("u", make_side(1, 2), make_side(3, 4))
    dump.write(tmp_path, [utterance], dump.UnitVocabulary(10, 0.04))
    facts = (
        (tmp_path / "vocab.json").read_text().replace('"version": 1', '"version": 0')
    )
    (tmp_path / "vocab.json").write_text(facts)
    with pytest.raises(ValueError, match="rerun stage 5"):
        dump.Dump(tmp_path)
