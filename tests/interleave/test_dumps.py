"""Several pairs as one training set, each named to the model in a prompt."""

from pathlib import Path

import pytest

from s2st_interleave import keyed
from s2st_interleave.errors import UserError
from s2st_interleave.interleave import dump
from s2st_interleave.interleave.layout import S2ST, Layout
from s2st_interleave.interleave.sequence import IGNORE, build_example, prompt_ids
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.stages.dump import Options
from s2st_interleave.stages.dumps import open_dumps

VOCABULARY = Vocabulary(num_text=10, num_units=20, bos=0, eos=1)


def copy_of(small: dump.Dump, folder: Path, source: str, num_units: int = 20) -> Path:
    options = Options(align_dir=folder, units_dir=folder, out_dir=folder)
    stage = open_stage(folder, stage="dump", options=options, inputs={})
    vocabulary = dump.UnitVocabulary(num_units, 0.04)
    dump.write(folder, list(small)[: len(source) * 5], vocabulary)
    stage.finish(num_in=1, num_out=1, sides={"src": source, "tgt": "en"})
    return folder


def test_dumps_are_read_as_one_and_name_their_pair(small_dump, tmp_path):
    paths = tuple(copy_of(small_dump, tmp_path / s, s) for s in ("p", "xy"))
    joined = open_dumps(paths, True)
    assert len(joined) == 5 + 10
    assert [utterance.pair for utterance in joined] == ["p-en:"] * 5 + ["xy-en:"] * 10
    assert [utterance.id for utterance in joined] == [
        utterance.id for k in (5, 10) for utterance in first(small_dump, k)
    ]
    assert {utterance.pair for utterance in open_dumps(paths, False)} == {""}


def test_an_index_of_several_dumps_may_be_negative_and_has_an_end(small_dump, tmp_path):
    """[-1] was the last of the first dump."""
    paths = tuple(copy_of(small_dump, tmp_path / s, s) for s in ("p", "xy"))
    joined = open_dumps(paths, True)
    listed = [utterance.id for utterance in joined]
    assert [joined[index].id for index in range(-15, 0)] == listed
    for index in (15, -16):
        with pytest.raises(IndexError):
            joined[index]


def test_a_dump_that_is_named_twice_is_refused(small_dump, tmp_path):
    """Each of its utterances was read twice, and nothing said so."""
    path = copy_of(small_dump, tmp_path / "p", "p")
    (tmp_path / "link").symlink_to(path)
    for other in (path, tmp_path / "link"):
        with pytest.raises(UserError, match="p is named twice"):
            open_dumps((path, other), True)


def test_a_subset_of_dumps_that_share_ids_has_its_size(small_dump, tmp_path):
    """An id of two dumps was drawn with both of its utterances."""
    paths = tuple(copy_of(small_dump, tmp_path / s, s) for s in ("p", "q"))
    drawn = {}
    for size in range(1, 11):
        subset = open_dumps(paths, True, size)
        drawn[size] = {(utterance.pair, utterance.id) for utterance in subset}
        assert len(drawn[size]) == len(subset) == size
        assert size == 1 or drawn[size - 1] < drawn[size]
    alone = open_dumps(paths[:1], True, 3)
    assert {u.id for u in alone} == keyed.draw([u.id for u in first(small_dump, 5)], 3)


def first(small: dump.Dump, count: int) -> list[dump.Utterance]:
    return [small[k] for k in range(count)]


def test_units_of_different_codebooks_do_not_mix(small_dump, tmp_path):
    paths = (
        copy_of(small_dump, tmp_path / "p", "p"),
        copy_of(small_dump, tmp_path / "q", "q", num_units=30),
    )
    with pytest.raises(ValueError, match="different codebooks"):
        open_dumps(paths, True)


@pytest.mark.parametrize("line", [S2ST, "src_speech -> tgt_speech"])
def test_the_name_of_a_pair_stands_before_the_speech(line):
    layout = Layout.parse(line)
    parts = {
        "src_speech": [20, 21],
        "src_text": [5],
        "tgt_text": [6, 7],
        "tgt_speech": [22],
    }
    plain = build_example(layout, parts, VOCABULARY)
    named = build_example(layout, parts, VOCABULARY, prompt=[8, 9])
    ids = named.ids.tolist()
    assert ids == [VOCABULARY.bos, 8, 9, *plain.ids[1:]]
    assert named.labels.tolist() == [IGNORE, IGNORE, *plain.labels]
    start = prompt_ids([[20, 21]], VOCABULARY, [8, 9])
    assert ids[: len(start)] == start
    for name, place in plain.blocks.items():
        assert plain.ids[place].tolist() == ids[named.blocks[name]]
