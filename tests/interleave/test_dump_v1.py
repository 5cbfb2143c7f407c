"""A dump of version 1 gives the utterances of version 2, and is replaced when made anew."""

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_parts

from s2st_interleave.errors import UserError
from s2st_interleave.interleave import dump
from s2st_interleave.interleave.segments import Side
from s2st_interleave.interleave.utterance import Utterance

VOCABULARY = dump.UnitVocabulary(20, 0.04)


def write_v1(directory: Path, utterances: list[Utterance]) -> None:
    """As version 1 wrote it, without the checks."""
    directory.mkdir()
    for name in ("src", "tgt"):
        sides = [each.sides[name] for each in utterances]
        units = np.concatenate([side.units for side in sides]).astype(np.int32)
        spans = np.concatenate([side.spans for side in sides]).astype(np.int32)
        np.save(directory / f"{name}.units.npy", units)
        np.save(directory / f"{name}.spans.npy", spans)
    ends, lines = dict.fromkeys(("src", "tgt"), (0, 0)), []
    for each in utterances:
        line: dict[str, object] = {"id": each.id}
        for name, side in each.sides.items():
            unit, word = ends[name]
            ends[name] = unit + len(side.units), word + len(side.words)
            line[name] = {
                "units": [unit, ends[name][0]],
                "first_word": word,
                "words": side.words,
            }
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    (directory / "utterances.jsonl").write_text("".join(lines), encoding="utf-8")
    facts = {"num_units": 20, "unit_sec": 0.04, "version": 1}
    (directory / "vocab.json").write_text(json.dumps(facts))


def utterances() -> list[Utterance]:
    unspaced = Side(
        np.arange(3), ("雨", " が", "é1"), np.array([[0, 1], [1, 1], [2, 3]])
    )
    sides = tiny_parts.utterances()[0].sides
    return [*tiny_parts.utterances(), Utterance("ü", {**sides, "tgt": unspaced})]


def same(one: Utterance, other: Utterance) -> bool:
    return one.id == other.id and all(
        one.sides[name].words == other.sides[name].words
        and np.array_equal(one.sides[name].units, other.sides[name].units)
        and np.array_equal(one.sides[name].spans, other.sides[name].spans)
        for name in ("src", "tgt")
    )


def test_both_versions_give_the_same_utterances(tmp_path):
    write_v1(tmp_path / "1", utterances())
    (tmp_path / "2").mkdir()
    dump.write(tmp_path / "2", utterances(), VOCABULARY)
    old, new = (dump.Dump(tmp_path / version) for version in "12")
    assert len(old) == len(new) == 31 and old.sides == new.sides == ("src", "tgt")
    assert old.vocabulary == new.vocabulary == VOCABULARY
    for wanted, before, now in zip(utterances(), old, new, strict=True):
        assert same(before, wanted) and same(now, wanted)
    assert old.ids == new.ids
    for name in ("src", "tgt"):
        assert np.array_equal(old.num_units(name), new.num_units(name))
        assert np.array_equal(old.num_words(name), new.num_words(name))
    assert np.array_equal(old.most_bytes(), new.most_bytes())


def test_a_dump_that_is_made_anew_leaves_nothing_of_version_1(tmp_path):
    write_v1(tmp_path / "1", utterances())
    dump.write(tmp_path / "1", utterances(), VOCABULARY)
    assert not (tmp_path / "1" / "utterances.jsonl").exists()
    assert len(dump.Dump(tmp_path / "1")) == 31


def test_a_broken_line_of_version_1_is_named(tmp_path):
    write_v1(tmp_path / "1", utterances())
    path = tmp_path / "1" / "utterances.jsonl"
    path.write_text(path.read_text() + '{"id')
    with pytest.raises(UserError, match=r"utterances.jsonl:32: not JSON"):
        dump.Dump(tmp_path / "1")
