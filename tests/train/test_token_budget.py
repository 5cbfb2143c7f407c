"""A batch cut by a budget of tokens, and drawn by workers, is the same batch."""

import json
from dataclasses import replace

import pytest
import torch
from fit_task import fit_task
from test_interleaved import INTERLEAVING, Options, same, weights

from s2st_interleave.llm import model as llm
from s2st_interleave.train.interleaved import InterleavedTask

BUDGET = 120  # padded tokens: two or three of the made utterances


@pytest.fixture
def make_task(text_llm, small_dump):
    def make(attention_dropout: float = 0.0, **more) -> InterleavedTask:
        speech_llm = llm.extend(text_llm, 20, attention_dropout=attention_dropout)
        data = (small_dump, small_dump)
        return InterleavedTask(speech_llm, *data, INTERLEAVING, 8, 1, "cpu", **more)

    return make


def ids_of(batches) -> list[list[int]]:
    return sorted(list(map(int, d.example.ids)) for b in batches for d in b.examples)


def test_micro_batches_are_within_the_budget_and_hold_the_whole_batch(make_task):
    plain, budgeted = make_task(), make_task(batch_tokens=BUDGET)
    for step in range(4):
        parts = budgeted.batches(step)
        assert len(parts) > 1
        for part in parts:
            assert part.input_ids.numel() <= BUDGET or len(part.input_ids) == 1
        assert ids_of(parts) == ids_of(plain.batches(step))


def test_the_loss_is_that_of_the_uncut_batch(make_task):
    losses = []
    for budget in (0, BUDGET, 1):
        task = make_task(batch_tokens=budget)
        task.model.eval()
        batches = task.batches(3)
        total = sum(task.loss_sum(batch).item() for batch in batches)
        losses.append(total / sum(task.num_targets(batch) for batch in batches))
    assert losses[1:] == pytest.approx([losses[0]] * 2, rel=1e-5)


def test_the_dev_loss_is_made_of_those_of_texts_and_of_units(make_task):
    task = make_task()
    task.model.eval()
    scores = task.evaluate()
    batches = [task._collate(part) for part in task._dev_parts]
    targets = torch.cat([batch.targets for batch in batches])
    is_unit = task.llm.vocabulary.is_unit(targets)
    assert 0 < is_unit.sum() < len(targets)
    losses = torch.cat([each_loss(task, batch) for batch in batches])
    assert scores["loss_units"] == pytest.approx(
        losses[is_unit].mean().item(), rel=1e-5
    )
    assert scores["loss_text"] == pytest.approx(
        losses[~is_unit].mean().item(), rel=1e-5
    )


def each_loss(task, batch) -> torch.Tensor:
    with torch.no_grad():
        output = task.model(batch.input_ids, attention_mask=batch.attention_mask)
        logits = output.logits.flatten(0, 1)[batch.places]
        return torch.nn.functional.cross_entropy(
            logits, batch.targets, reduction="none"
        )


def test_dev_has_the_same_scores_however_it_is_cut(make_task):
    scores = []
    for budget in (0, BUDGET):
        task = make_task(batch_tokens=budget)
        task.model.eval()
        scores.append(task.evaluate())
        assert task.evaluate() == scores[-1]
    assert scores[1] == pytest.approx(scores[0], rel=1e-5)


def test_workers_change_no_bit_of_a_training_even_when_it_is_resumed(
    make_task, tmp_path
):
    tasks = [make_task(0.2, batch_tokens=BUDGET, num_workers=n) for n in (0, 1, 2, 2)]
    few = replace(Options(), max_steps=3)
    for number, task in enumerate(tasks[:2]):
        fit_task(task, few, tmp_path / str(number))
    fit_task(tasks[2], replace(few, max_steps=1), tmp_path / "2")
    fit_task(tasks[3], few, tmp_path / "2")
    lines = [
        [json.loads(text)["loss"] for text in (folder / "metrics.jsonl").open()]
        for folder in (tmp_path / "0", tmp_path / "1", tmp_path / "2")
    ]
    assert lines[0] == lines[1] == lines[2]
    assert same(weights(tasks[0]), weights(tasks[1]))
    assert same(weights(tasks[0]), weights(tasks[3]))
    for task in tasks:
        task.close()


@pytest.mark.parametrize("speech_only", [0.0, 0.3, 0.7])
def test_two_views_of_an_utterance_are_within_the_budget(make_task, speech_only):
    """They were counted as one row, and a micro-batch took twice its memory.

    One example that is read once, with shorter ones that are read twice, did so still.
    """
    budget = 2 * BUDGET
    task = make_task(batch_tokens=budget)
    task.consistency, task.batch_size = 1.0, len(task.train)
    task.interleaving = replace(task.interleaving, speech_only=speech_only)
    parts = [part for step in range(4) for part in task.batches(step)]
    assert any(each.second for part in parts for each in part.examples)
    for part in parts:
        assert part.input_ids.numel() <= budget or len(part.examples) == 1
