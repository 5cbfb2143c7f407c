"""A gate lets the text ratio fall sooner than the schedule, alike however a run is stopped."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.dump import Dump, Dumps, Subset, write
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.interleave.length import most_tokens
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.interleave.segments import Side
from s2st_interleave.interleave.task import Task
from s2st_interleave.llm import model as llm
from s2st_interleave.train.adamw import AdamWLearner
from s2st_interleave.train.collation import transcript_targets
from s2st_interleave.train.gate import ERROR, Gate
from s2st_interleave.train.interleaved import InterleavedTask, Interleaving
from s2st_interleave.train.loop import fit
from s2st_interleave.train.options import TrainOptions
from s2st_interleave.train.probe import NUM_PROBED

INTERLEAVING = Interleaving(Schedule("step", 0.9, 0.3, 5), seed=5)
GATE = Gate(max_error_rate=0.9, every=1)
SHUT = Gate(max_error_rate=0.0, every=1)
OPTIONS = TrainOptions(
    max_steps=12,
    lr=2e-3,
    batch_size=8,
    accum_grad=2,
    save_every=3,
    eval_every=6,
    num_threads=1,
)


@pytest.fixture
def make_task(text_llm, small_dump):
    def make(gate: Gate | None, **more) -> InterleavedTask:
        speech_llm = llm.extend(text_llm, 20, attention_dropout=0.2)
        return InterleavedTask(
            speech_llm,
            small_dump,
            small_dump,
            more.pop("interleaving", INTERLEAVING),
            8,
            2,
            "cpu",
            gate=gate,
            **more,
        )

    return make


def train(task: InterleavedTask, directory: Path, max_steps: int = 12) -> list[dict]:
    """The lines of metrics.jsonl, without seconds, and dev's of where a run has ended."""
    options = replace(OPTIONS, max_steps=max_steps)
    fit(AdamWLearner(task, options), options, directory, heed=task.heed)
    task.close()
    lines = map(json.loads, (directory / "metrics.jsonl").read_text().splitlines())
    kept = lambda name: name != "sec" and not name.startswith("dev_")  # noqa: E731
    return [{k: v for k, v in line.items() if kept(k)} for line in lines]


def ratios(lines: list[dict]) -> list[float]:
    return [line["text_ratio"] for line in lines]


def same_weights(a: InterleavedTask, b: InterleavedTask) -> bool:
    mine, theirs = a.model.state_dict(), b.model.state_dict()
    return all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_a_gated_run_that_was_stopped_is_bit_identical_to_one_that_was_not(
    make_task, tmp_path
):
    """Also where workers draw ahead: what they drew of the old ratio is drawn again."""
    whole, stopped = make_task(GATE), make_task(GATE, num_workers=1)
    lines = train(whole, tmp_path / "whole")
    falls = [step for line in lines for step in GATE.fall(line)]
    assert whole.interleaving.falls == tuple(falls)
    assert 1 < falls[0] < 5 and ratios(lines)[falls[0]] == 0.6  # by the clock from 5 on
    train(stopped, tmp_path / "stopped", max_steps=falls[0] + 1)
    resumed = make_task(GATE, num_workers=1)
    assert train(resumed, tmp_path / "stopped") == lines
    assert same_weights(whole, resumed)


def test_the_ratio_never_rises_and_is_0_when_the_schedule_says_so(make_task, tmp_path):
    by_clock = [INTERLEAVING.ratio(step) for step in range(16)]
    for gate, ends in ((SHUT, 15), (Gate(1.0, 2), 6)):
        lines = train(make_task(gate), tmp_path / str(ends), max_steps=16)
        assert ratios(lines) == sorted(ratios(lines), reverse=True)
        assert ratios(lines).index(0.0) == ends
        assert all(p <= q for p, q in zip(ratios(lines), by_clock, strict=True))
        # It looks while there is text to take away, and no longer.
        looks = [line["step"] for line in lines if ERROR in line]
        assert looks == [s for s in range(ends) if (s + 1) % gate.every == 0]


def test_a_gate_that_stays_shut_changes_nothing(make_task, tmp_path):
    plain, gated = make_task(None), make_task(SHUT)
    lines = train(plain, tmp_path / "plain")
    looked = train(gated, tmp_path / "gated")
    assert [{k: v for k, v in x.items() if k != ERROR} for x in looked] == lines
    assert same_weights(plain, gated)


def test_the_error_is_that_of_the_transcripts_tokens(make_task):
    task = make_task(GATE)
    batch = task._probe_batch(0, INTERLEAVING)
    places = transcript_targets(batch.examples)
    texts = [x.example.ids[x.example.blocks["src_text"]] for x in batch.examples]
    assert batch.targets[places].tolist() == [t for ids in texts for t in ids.tolist()]

    task.model.eval()
    with torch.no_grad():
        logits = task.model(batch.input_ids, attention_mask=batch.attention_mask).logits
    guessed = logits.argmax(-1)
    wrong = [
        int(guessed[row, place - 1] != x.example.ids[place])
        for row, x in enumerate(batch.examples)
        for place in range(*x.example.blocks["src_text"].indices(10**6))
    ]
    task.model.train()
    assert task._mistaken(batch)[ERROR] == pytest.approx(sum(wrong) / len(wrong))
    assert task.model.training


def test_a_layout_without_a_transcript_has_none_to_look_at(make_task, tmp_path):
    direct = Task(Layout.parse("src_speech -> tgt_text tgt_speech"))
    task = make_task(GATE, interleaving=replace(INTERLEAVING, tasks=(direct,)))
    lines = train(task, tmp_path, max_steps=2)
    assert not any(ERROR in line for line in lines)


def test_a_run_that_lost_its_metrics_is_not_resumed_at_another_ratio(
    make_task, tmp_path
):
    train(make_task(GATE), tmp_path, max_steps=6)
    path = tmp_path / "metrics.jsonl"
    _, *others = path.read_text().splitlines(keepends=True)
    path.write_text("".join([others[0], *others]))  # as many lines as steps
    with pytest.raises(UserError, match=r"5 of the 6 steps.*--overwrite true"):
        train(make_task(GATE), tmp_path)
    path.unlink()
    with pytest.raises(UserError, match="0 of the 6 steps"):
        train(make_task(GATE), tmp_path)


def test_it_looks_as_long_as_some_side_shows_text(make_task, tmp_path):
    """By the schedule's own clock it was at 0, and the gate looked no longer."""
    by_clock = replace(INTERLEAVING.schedule, every=1)
    own = (("src", 5), ("tgt", 3))
    late = replace(INTERLEAVING, schedule=by_clock, side_every=own)
    lines = train(make_task(SHUT, interleaving=late), tmp_path, max_steps=8)
    assert ratios(lines) == [0.9] * 5 + [0.6] * 3
    assert [line["step"] for line in lines if ERROR in line] == list(range(8))


def test_a_look_is_at_the_ratio_and_at_each_pair(make_task, small_dump, tmp_path):
    """It saw the first pair's utterances alone, of which speech_only left half as units."""
    half = replace(INTERLEAVING, speech_only=0.9)
    task = make_task(GATE, interleaving=half)
    task.dev = Dumps([small_dump, small_dump])
    assert len(small_dump) < NUM_PROBED < 2 * len(small_dump)
    counted = np.bincount(task.dev.dump_of[task._probed])
    assert counted.tolist() == [NUM_PROBED // 2] * 2
    seen = []
    task._mistaken = lambda batch: seen.append(batch) or {}
    task.metrics(0, task.batches(0))
    assert all(each.realised["src"] > 0 for each in seen[0].examples)


def test_a_look_reads_every_utterance_by_a_task_with_a_transcript(make_task):
    """Of ten tasks drawn without one, 3 of 32 utterances decided, and chance opened it."""
    asr = Task(Layout.parse("src_speech -> src_text"), "asr")
    direct = Task(
        Layout.parse("src_speech -> tgt_text tgt_speech"), "direct", weight=10
    )
    own = (("tgt", 3),)  # of a side that the task of the look has not
    rule = replace(INTERLEAVING, tasks=(asr, direct), side_every=own)
    task = make_task(GATE, interleaving=rule)
    seen = []
    task._mistaken = lambda batch: seen.append(batch) or {}
    for step in (0, 3):
        task.metrics(step, task.batches(step))
    for batch in seen:
        assert len(batch.examples) == min(NUM_PROBED, len(task.dev))
        assert {each.task.name for each in batch.examples} == {"asr"}


def test_a_look_passes_over_what_is_too_long_as_text(make_task):
    """Such an utterance fits without text, and ended the training at every look."""
    task = make_task(GATE)
    every = range(len(task.dev))
    layout, encode = task.interleaving.tasks[0].layout, task.llm.encode
    most = [most_tokens(task.dev[index], encode, layout) for index in every]
    limit = int(np.median(most))
    task.llm.model.config.max_position_embeddings = limit
    assert (
        task._probed == [index for index in every if most[index] <= limit][:NUM_PROBED]
    )
    task.metrics(0, task.batches(0))
    other = make_task(GATE)
    other.llm.model.config.max_position_embeddings = min(most) - 1
    with pytest.raises(
        UserError,
        match=r"none of dev has a text and fits the .* positions of the LLM as",
    ):
        other._probe_batch(0, INTERLEAVING)


def test_a_look_and_figure_3_pass_over_dev_without_a_transcript(make_task, tmp_path):
    """Its mean state was none, and Figure 3b NaN from the first step to the last."""
    task = make_task(GATE, probe_every=1)
    nothing = Side(np.zeros(9, np.int32), ("",), np.array([[0, 9]], np.int32))
    dev = list(task.dev)
    dev[0] = replace(dev[0], sides=dev[0].sides | {"src": nothing})
    write(tmp_path / "dev", dev, task.dev.vocabulary)
    task.dev = Dump(tmp_path / "dev")
    assert task._probed[0] == 1
    line = task.metrics(0, task.batches(0))
    assert all(np.isfinite(value) for value in line.values())


def test_the_probe_of_one_pair_is_its_first_utterances(make_task, small_dump):
    one = Dumps([small_dump])
    for dev in (small_dump, one, Subset(one, 20)):
        task = make_task(GATE)
        task.dev = dev
        assert task._probed == list(range(min(NUM_PROBED, len(dev))))


def test_what_a_gate_saw_is_a_number():
    """An edited metrics.jsonl ended a resumed training in a traceback."""
    with pytest.raises(
        UserError, match="step 7: 'gate_error' is 'low', wants a number"
    ):
        Gate(0.2, 25).fall({"step": 7, ERROR: "low"})
