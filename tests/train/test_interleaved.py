"""Training batches depend on (seed, step, utterance id) alone; resume is exact."""

import json
from dataclasses import dataclass, replace

import pytest
import torch
from fit_task import fit_task

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.dump import Dumps, Subset
from s2st_interleave.interleave.layout import S2ST, Layout
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.interleave.task import Task
from s2st_interleave.llm import model as llm
from s2st_interleave.stages import train_options
from s2st_interleave.train import checkpoint
from s2st_interleave.train.batches import batch_at, split
from s2st_interleave.train.examples import draw_examples
from s2st_interleave.train.interleaved import InterleavedTask, Interleaving
from s2st_interleave.train.options import TrainOptions, learning_rate

INTERLEAVING = Interleaving(Schedule("step", 0.9, 0.3, 2), seed=5)


@dataclass(frozen=True, kw_only=True)
class Options(TrainOptions):
    max_steps: int = 6
    lr: float = 1e-3
    batch_size: int = 8
    accum_grad: int = 2
    save_every: int = 2
    eval_every: int = 3
    num_threads: int = 1


@pytest.fixture
def make_task(text_llm, small_dump):
    def make(
        interleaving: Interleaving = INTERLEAVING, accum_grad: int = 2, **more
    ) -> InterleavedTask:
        more = {"attention_dropout": 0.2} | more
        speech_llm = llm.extend(text_llm, 20, **more)
        return InterleavedTask(
            speech_llm, small_dump, small_dump, interleaving, 8, accum_grad, "cpu"
        )

    return make


def draw_example(utterance, ratio, step, interleaving, speech_llm):
    """The example of one utterance."""
    return draw_examples([utterance], ratio, step, interleaving, speech_llm)[0]


def weights(task: InterleavedTask) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in task.model.state_dict().items()}


def same(a: dict, b: dict) -> bool:
    return all(torch.equal(a[k], b[k]) for k in a | b)


def test_a_resumed_run_is_bit_identical_to_one_that_was_not_stopped(
    make_task, tmp_path
):
    whole, stopped = make_task(), make_task()
    outcome = fit_task(whole, Options(), tmp_path / "whole")
    fit_task(stopped, replace(Options(), max_steps=4), tmp_path / "stopped")
    resumed = make_task()
    again = fit_task(resumed, Options(), tmp_path / "stopped")
    assert same(weights(whole), weights(resumed))
    assert (outcome.num_steps, outcome.tokens_seen) == (
        again.num_steps,
        again.tokens_seen,
    )
    lines = [
        [
            json.loads(t)
            for t in (tmp_path / d / "metrics.jsonl").read_text().splitlines()
        ]
        for d in ("whole", "stopped")
    ]
    assert [x["loss"] for x in lines[0]] == [x["loss"] for x in lines[1]]
    assert [x["text_ratio"] for x in lines[0]] == [0.9, 0.9, 0.6, 0.6, 0.3, 0.3]


def test_the_fused_adamw_of_gpus_learns_what_the_plain_one_does(make_task, tmp_path):
    """Within rounding: it is another kernel for the same formula."""
    tasks = [make_task(attention_dropout=0.0) for _ in range(2)]
    for task, fused in zip(tasks, ("false", "true"), strict=True):
        fit_task(task, Options(fused_adamw=fused), tmp_path / fused)
    plain, other = map(weights, tasks)
    for name, weight in plain.items():
        torch.testing.assert_close(other[name], weight, rtol=0, atol=1e-5)


def test_a_checkpoint_without_its_meta_is_ignored(make_task, tmp_path):
    """A run killed while it saves goes on from the checkpoint before."""
    options = replace(Options(), max_steps=4, keep_optimizer="all")
    fit_task(make_task(), options, tmp_path)
    (checkpoint.path(tmp_path, 4) / "meta.json").unlink()
    (checkpoint.path(tmp_path, 4) / "model.safetensors").write_bytes(b"half")
    resumed = make_task()
    fit_task(resumed, Options(), tmp_path)
    whole = make_task()
    fit_task(whole, Options(), tmp_path / "whole")
    assert same(weights(whole), weights(resumed))


def test_only_the_newest_and_the_best_checkpoints_are_kept(make_task, tmp_path):
    outcome = fit_task(make_task(), replace(Options(), save_every=1), tmp_path)
    kept = set(checkpoint.by_step(tmp_path).values())
    assert kept == {checkpoint.path(tmp_path, s) for s in (5, 6)} | {outcome.best}


def test_the_loss_does_not_depend_on_how_a_batch_is_cut(make_task):
    """Summed over all supervised tokens of the batch, not averaged over micro-batches."""
    losses = []
    for parts in (1, 2, 8):
        task = make_task(accum_grad=parts, attention_dropout=0.0)
        task.model.eval()
        batches = task.batches(3)
        assert len(batches) == parts
        total = sum(task.loss_sum(b).item() for b in batches)
        losses.append(total / sum(task.num_targets(b) for b in batches))
    assert losses[1:] == pytest.approx([losses[0]] * 2, rel=1e-5)


def test_an_example_depends_on_seed_step_and_id_only(make_task, small_dump):
    task = make_task()
    draw = lambda index, step, interleaving=INTERLEAVING: draw_example(  # noqa: E731
        small_dump[index], 0.5, step, interleaving, task.llm
    )
    forward = [draw(i, 7) for i in range(10)]
    backward = [draw(i, 7) for i in reversed(range(10))]
    assert forward == backward[::-1]
    assert any(draw(i, 8) != forward[i] for i in range(10))
    assert any(
        draw(i, 7, replace(INTERLEAVING, seed=6)) != forward[i] for i in range(10)
    )


def test_sides_are_drawn_independently_and_one_sided_variants_are_one_argument(
    make_task, small_dump
):
    task = make_task()
    nothing = draw_example(small_dump[0], 0.0, 0, INTERLEAVING, task.llm).example
    for sides, moved in (("src", (True, False)), ("tgt", (False, True))):
        drawn = draw_example(
            small_dump[0], 0.9, 0, replace(INTERLEAVING, sides=sides), task.llm
        )
        shares = drawn.realised
        assert (shares["src"] > 0, shares["tgt"] > 0) == moved
    none = draw_example(
        small_dump[0], 0.9, 0, replace(INTERLEAVING, sides="none"), task.llm
    )
    assert none.example == nothing
    examples = [
        draw_example(small_dump[i], 0.5, 0, INTERLEAVING, task.llm) for i in range(30)
    ]
    assert any(each.realised["src"] != each.realised["tgt"] for each in examples)


def test_the_baseline_sees_the_same_utterances_in_the_same_order(make_task):
    baseline = make_task(replace(INTERLEAVING, schedule=Schedule("constant", 0.0)))
    scheduled = make_task()
    for step in range(5):
        texts = []
        for task in (baseline, scheduled):
            drawn = [d for batch in task.batches(step) for d in batch.examples]
            ends = [(d.example.ids == task.llm.vocabulary.sep).sum() for d in drawn]
            assert set(ends) == {3}
            texts.append(sorted(thought(d.example.ids.tolist(), task) for d in drawn))
        assert texts[0] == texts[1]


def thought(ids: list[int], task: InterleavedTask) -> tuple[int, ...]:
    """Transcript and translation, which no ratio changes."""
    seps = [i for i, token in enumerate(ids) if token == task.llm.vocabulary.sep]
    return tuple(ids[seps[0] : seps[2]])


def test_less_data_is_a_part_of_more(small_dump):
    dumps = Dumps([small_dump])
    few, more = ([each.id for each in Subset(dumps, size)] for size in (3, 6))
    assert len(few) == 3 and set(few) < set(more) and more == sorted(more)
    with pytest.raises(ValueError, match=f"the dumps hold {len(dumps)}"):
        Subset(dumps, len(dumps) + 1)


def test_every_utterance_comes_once_an_epoch():
    seen = [x for step in range(5) for x in batch_at(range(20), step, 4, 1)]
    assert sorted(seen) == list(range(20)) and seen != list(range(20))
    assert [len(part) for part in split(range(7), 3)] == [2, 2, 3]


def test_new_rows_are_where_they_should_be(text_llm):
    speech_llm = llm.extend(text_llm, 20)
    table = speech_llm.model.get_input_embeddings().weight
    assert (
        len(table)
        == speech_llm.vocabulary.size
        == speech_llm.vocabulary.num_text + 3 + 20
    )
    old, new = (
        table[: speech_llm.vocabulary.num_text],
        table[speech_llm.vocabulary.offset :],
    )
    assert (new.mean(0) - old.mean(0)).abs().max() < old.std()
    assert not torch.equal(new[0], new[1])
    zero = llm.extend(text_llm, 20, new_rows="zero").model.get_input_embeddings().weight
    assert not zero[speech_llm.vocabulary.num_text :].any()


def test_learning_rate_warms_up_and_decays():
    options = replace(Options(), max_steps=20, warmup_steps=10, lr=1.0)
    assert learning_rate(options, 4) == 0.5 and learning_rate(options, 15) == 1.0
    linear = replace(options, lr_scheduler="linear")
    assert learning_rate(linear, 15) == 0.5


def test_figure_3_is_logged_without_changing_the_weights(make_task, tmp_path):
    plain, probed = make_task(), make_task()
    probed.probe_every = 2
    fit_task(plain, Options(), tmp_path / "plain")
    fit_task(probed, Options(), tmp_path / "probed")
    assert same(weights(plain), weights(probed))
    lines = [json.loads(line) for line in (tmp_path / "probed/metrics.jsonl").open()]
    names = ("similarity_src", "similarity_text", "similarity_tgt")
    assert [line["step"] for line in lines if names[0] in line] == [0, 2, 4]
    assert all(-1 <= lines[0][name] <= 1 for name in names)
    # With most words as text a block of speech is about as long as its text (Fig. 3a).
    ratios = [line["length_ratio_tgt"] for line in lines]
    assert ratios[0] < ratios[-1]


def test_without_chain_of_thought_there_are_no_blocks_of_text_to_probe(
    make_task, tmp_path
):
    direct = Task(Layout.parse("src_speech -> tgt_speech"))
    task = make_task(replace(INTERLEAVING, tasks=(direct,)))
    task.probe_every = 1
    fit_task(task, replace(Options(), max_steps=1), tmp_path)
    assert "similarity_src" not in (tmp_path / "metrics.jsonl").read_text()


def test_a_dev_loss_that_is_not_finite_is_never_the_best(make_task, tmp_path):
    """NaN was, and after it every other one: nothing is less than NaN."""
    task = make_task()
    task.evaluate = lambda: {"loss": float("nan")}
    with pytest.raises(UserError, match="step 3: dev_loss is nan, not finite"):
        fit_task(task, Options(), tmp_path)
    with pytest.raises(UserError, match="not finite"):
        checkpoint.Progress(step=1).judged(float("inf"), 1.0)


def test_the_best_checkpoint_may_be_the_one_whose_texts_are(make_task, tmp_path):
    """Units are many, and overfit first where data is small."""
    looks = iter([(0.3, 0.9), (0.5, 0.1), (0.6, 0.2)])
    task = make_task()
    task.evaluate = lambda: dict(zip(("loss", "loss_text"), next(looks), strict=True))
    options = train_options.Options(
        **{name: tmp_path for name in ("llm", "out_dir")},
        **{name: (tmp_path,) for name in ("train_dir", "dev_dir")},
        best_by="text",
        max_steps=3,
        eval_every=1,
        lr=1e-3,
    )
    assert fit_task(task, options, tmp_path).best.name == "checkpoint-2"


def test_0_steps_leave_an_untrained_model(make_task, tmp_path):
    task = make_task()
    before = weights(task)
    outcome = fit_task(task, replace(Options(), max_steps=0), tmp_path)
    assert outcome.last == outcome.best
    assert (outcome.last / "model.safetensors").is_file()
    assert same(before, weights(task))


TASKS = (
    Task(Layout.parse(S2ST), "s2st", 2.0),
    Task(Layout.parse("src_speech -> src_text"), "asr", 1.0),
    Task(Layout.parse("tgt_text -> tgt_speech"), "tts", 1.0),
)


def test_several_tasks_are_drawn_by_weight_and_named_in_the_prompt(make_task):
    task = make_task(replace(INTERLEAVING, tasks=TASKS))
    drawn = [d for step in range(40) for d in task.batches(step)[0].step_examples]
    names = [each.task.name for each in drawn]
    assert names.count("s2st") / len(names) == pytest.approx(0.5, abs=0.08)
    for each in drawn:
        name = task.llm.encode(f"{each.task.name}:")
        assert each.example.ids[1 : 1 + len(name)].tolist() == name
        assert list(each.example.blocks) == [b.name for b in each.task.layout.blocks]


def test_several_tasks_train_and_are_resumed_to_the_bit(make_task, tmp_path):
    interleaving = replace(INTERLEAVING, tasks=TASKS)
    whole, stopped, resumed = (make_task(interleaving) for _ in range(3))
    fit_task(whole, Options(), tmp_path / "whole")
    fit_task(stopped, replace(Options(), max_steps=3), tmp_path / "stopped")
    fit_task(resumed, Options(), tmp_path / "stopped")
    assert same(weights(whole), weights(resumed))
