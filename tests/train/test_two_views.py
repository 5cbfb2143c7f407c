"""Two views of an utterance, with and without text, that are to predict the same texts."""

from dataclasses import replace

import pytest
import torch

from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.interleave.task import Task
from s2st_interleave.llm import model as llm
from s2st_interleave.train.interleaved import InterleavedTask

INTERLEAVING = Interleaving(Schedule("step", 0.9, 0.3, 2), seed=5)


@pytest.fixture
def make_task(text_llm, small_dump):
    def make(attention_dropout: float = 0.2) -> InterleavedTask:
        speech_llm = llm.extend(text_llm, 20, attention_dropout=attention_dropout)
        return InterleavedTask(
            speech_llm, small_dump, small_dump, INTERLEAVING, 8, 2, "cpu"
        )

    return make


def test_two_views_of_an_utterance_have_their_texts_in_the_same_order(make_task):
    """What is compared are the transcript's and the translation's tokens, and their ends."""
    task = make_task()
    task.consistency = 1.0
    layout = INTERLEAVING.tasks[0].layout
    for step in (0, 3):  # the ratio is 0.9, then 0.6
        for batch in task.batches(step):
            first, second = batch.targets[batch.views]
            assert torch.equal(first, second) and len(first)
            texts = [
                token
                for each in batch.examples
                if each.second
                for block in layout.wanted
                if block.kind == "text"
                for token in (
                    *each.example.ids[each.example.blocks[block.name]],
                    task.llm.vocabulary.sep,
                )
            ]
            assert first.tolist() == texts
            # The views of a pair lie in rows of their own: other states predict them.
            assert not set(batch.views[0].tolist()) & set(batch.views[1].tolist())


def test_the_divergence_of_two_views_is_a_part_of_the_loss(make_task):
    task = make_task(attention_dropout=0.0)
    task.consistency = 2.0
    batch = task.batches(0)[0]
    whole = task.loss_sum(batch).item()
    task.consistency = 0.0
    alone = task.loss_sum(batch).item()
    with torch.no_grad():
        _, hidden = task._states(batch)
        first, second = task.llm.logits(hidden)[batch.views].log_softmax(-1)
        kl = torch.nn.functional.kl_div
        parted = kl(first, second, reduction="sum", log_target=True)
        parted += kl(second, first, reduction="sum", log_target=True)
    assert whole == pytest.approx(alone + 2.0 * parted.item() / 2, rel=1e-5)
    assert parted > 0


def test_an_example_that_shows_no_text_is_read_once(make_task):
    """Where the ratio is 0 both views are one: nothing is read twice, or compared."""
    task, plain = make_task(), make_task()
    task.consistency = 1.0
    for batch, same_batch in zip(task.batches(7), plain.batches(7), strict=True):
        assert batch.views.shape == (2, 0)
        assert torch.equal(batch.input_ids, same_batch.input_ids)
    twice = task.metrics(0, task.batches(0))["tokens"]
    assert twice > 2 * plain.metrics(0, plain.batches(0))["tokens"]


@pytest.mark.parametrize(
    "rule",
    [
        {"sides": "tgt"},
        {"side_every": (("src", 1),)},  # at step 3 the source shows no text any more
    ],
)
def test_text_after_all_texts_to_learn_makes_no_second_view(make_task, rule):
    """Both views were the same up to there: a text was compared with itself."""
    task, plain = make_task(), make_task()
    for each in (task, plain):
        each.interleaving = replace(INTERLEAVING, **rule)
    task.consistency = 1.0
    for batch, same_batch in zip(task.batches(3), plain.batches(3), strict=True):
        assert any(each.realised["tgt"] for each in batch.examples)
        assert torch.equal(batch.input_ids, same_batch.input_ids)


def test_what_a_source_shows_is_read_twice_beside_a_target_without_text(make_task):
    task = make_task()
    task.interleaving = replace(INTERLEAVING, sides="src")
    task.consistency = 1.0
    assert all(each.second for batch in task.batches(0) for each in batch.examples)


def test_a_task_without_texts_has_no_second_view(make_task):
    """There was nothing to compare, and each example was read and learned twice."""
    task, plain = make_task(), make_task()
    direct = Task(Layout.parse("src_speech -> tgt_speech"))
    for each in (task, plain):
        each.interleaving = replace(INTERLEAVING, tasks=(direct,))
    task.consistency = 1.0
    for batch, same_batch in zip(task.batches(0), plain.batches(0), strict=True):
        assert torch.equal(batch.input_ids, same_batch.input_ids)
