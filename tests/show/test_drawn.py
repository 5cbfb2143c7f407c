"""What is shown is what training draws, token by token."""

import numpy as np
import pytest

from s2st_interleave.interleave.sequence import IGNORE
from s2st_interleave.llm.model import extend
from s2st_interleave.train.batches import batch_at, steps_of
from s2st_interleave.train.examples import draw_examples

VARIANTS = {
    "paper": {},
    "mask": {"fill": "mask"},
    "uniform": {"alignment": "uniform"},
    "exact": {"stop": "exact"},
    "one side": {"sides": "tgt"},
    "direct": {"layout": "src_speech -> tgt_speech"},
    "transcripts": {"layout": "src_speech -> src_text"},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_tokens_labels_and_shares_are_those_of_training(
    name, make_training, text_llm, small_dump
):
    training = make_training(**VARIANTS[name])
    llm = extend(text_llm, 20)
    assert training.llm.vocabulary == llm.vocabulary
    course = training.course(())
    for step in (0, 9, 17, 35, 39):
        examples = draw_examples(
            list(small_dump),
            training.interleaving.ratio(step),
            step,
            training.interleaving,
            llm,
        )
        for utterance, each in zip(small_dump, examples, strict=True):
            shown = training.draw(utterance, step, 0.04, {}, course)
            labels = each.example.labels
            assert shown.num_tokens == len(labels)
            assert shown.num_predicted == np.count_nonzero(labels != IGNORE)
            shares = {t.side: t.num_text / t.num_words for t in shown.tracks}
            assert shares == each.realised
            ids = [
                unit + llm.vocabulary.offset
                for row in shown.rows
                for run in row.runs
                for unit in run.units
            ]
            units = each.example.ids[each.example.ids >= llm.vocabulary.offset]
            assert ids == units.tolist()
            for row in shown.rows:
                place = each.example.blocks[f"{row.side}_{row.kind}"]
                marks = sum(r.num_tokens for r in row.runs if r.kind == "mark")
                assert row.num_tokens - marks == place.stop - place.start


def test_parts_are_all_units_in_time_and_text_where_the_llm_reads_text(draw):
    shown = draw(step=17)
    for track, row in zip(shown.tracks, (shown.rows[0], shown.rows[-1]), strict=True):
        assert [p.units for p in track.parts if not p.is_text and p.units]
        kept = [u for p in track.parts if not p.is_text for u in p.units]
        assert kept == [u for run in row.runs for u in run.units]
        assert track.parts[0].start_sec == 0
        borders = [
            (a.end_sec, b.start_sec)
            for a, b in zip(track.parts, track.parts[1:], strict=False)
        ]
        assert all(end == pytest.approx(start) for end, start in borders)
    assert [p.word for p in shown.tracks[0].parts if p.word] == ["la", "casa", "roja"]


def test_at_ratio_0_nothing_is_text_and_the_length_is_that_of_inference(draw):
    shown = draw(step=39)
    assert shown.ratio == 0
    assert not any(part.is_text for track in shown.tracks for part in track.parts)
    assert shown.num_tokens == shown.num_tokens_at_0


def test_steps_of_an_item_are_those_whose_batch_holds_it():
    for count, size in ((7, 3), (5, 5), (3, 7), (50, 4)):
        for index in (0, count - 1):
            held = [
                step
                for step in range(30)
                if index in batch_at(range(count), step, size, seed=2)
            ]
            assert steps_of(index, count, size, 2, 30) == held
