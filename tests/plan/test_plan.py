"""What the planner says of a small training, and what then really happens."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from s2st_interleave.data import sides
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.interleave import dump
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.interleave.task import Task
from s2st_interleave.plan import (
    command,
    compute,
    counts,
    disk,
    memory,
    networks,
    phases,
    sizes,
    tables,
)
from s2st_interleave.plan.corpus import Corpus
from s2st_interleave.plan.rates import Rates
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.stages import train

ROOT = Path(__file__).resolve().parents[2]
KEPT_OPEN = ("stage", "fingerprint", "options", "paths", "inputs")


@dataclass(frozen=True)
class Nothing:
    pass


@pytest.fixture(scope="module")
def dump_dir(small_dump, tmp_path_factory) -> Path:
    """The thirty utterances as a finished stage 5."""
    folder = tmp_path_factory.mktemp("a recipe's") / "dump"
    stage = open_stage(folder, stage="dump", options=Nothing(), inputs={})
    dump.write(folder, list(small_dump), small_dump.vocabulary)
    sides.write(folder, {"src": "es", "tgt": "en"})
    stage.finish(num_in=30, num_out=30)
    return folder


@pytest.fixture(scope="module")
def plan(text_llm, dump_dir) -> command.Options:
    """Six utterances a step make five steps an epoch, and each ratio lasts an epoch."""
    return command.Options(
        llm=text_llm,
        dump_dir=(dump_dir,),
        max_steps=20,
        batch_size=6,
        accum_grad=2,
        text_ratio=0.9,
        text_ratio_drop=0.3,
        text_ratio_every=5,
        lr=1e-3,
        keep_last=1,
        eval_every=20,
        save_every=20,
        recipe=(dump_dir.parent,),
        gpus=("A100", "RTX4090"),
    )


@pytest.fixture(scope="module")
def trained(plan, dump_dir, tmp_path_factory) -> Path:
    """The training that was planned, by the real stage 6."""
    values = {name: getattr(plan, name) for name in train.Options.__dataclass_fields__}
    values |= {"train_dir": (dump_dir,), "dev_dir": (dump_dir,), "device": "cpu"}
    values |= {"out_dir": tmp_path_factory.mktemp("exp") / "scheduled"}
    train.run(train.Options(**values | {"num_threads": 1}))
    return values["out_dir"]


def lines(trained: Path) -> list[dict]:
    text = (trained / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_tokens_and_steps_are_those_of_the_training(plan, trained):
    task = command.planned_task(plan)
    steps = list(counts.draw_steps(task, plan.max_steps))
    happened = lines(trained)
    assert [step.tokens for step in steps] == [line["tokens"] for line in happened]
    assert [max(step.ratios) for step in steps] == [x["text_ratio"] for x in happened]
    assert [sum(m.targets for m in step.micro) for step in steps] == [
        line["num_targets"] for line in happened
    ]
    assert len(steps) == read_json(trained / "stage.json")["facts"]["num_steps"]


def test_an_epoch_at_a_ratio_has_the_tokens_that_it_had(plan, trained):
    task = command.planned_task(plan)
    grouped = counts.phases(list(counts.draw_steps(task, plan.max_steps)))
    assert [phase.text_ratio for phase in grouped] == [0.9, 0.6, 0.3, 0.0]
    for phase in grouped:
        happened = [x for x in lines(trained) if x["text_ratio"] == phase.text_ratio]
        tokens = sum(line["tokens"] for line in happened)
        assert counts.tokens_per_epoch(task, phase) == (tokens, True)
        assert (phase.tokens, phase.num_steps) == (tokens, 5)
        estimate, exact = counts.tokens_per_epoch(task, phase, max_utterances=15)
        assert not exact and estimate == pytest.approx(tokens, rel=0.3)


def test_second_views_and_what_a_teacher_reads_are_in_the_plan(plan):
    more = replace(plan, consistency=1.0, teacher_weight=1.0)
    plain = next(counts.draw_steps(command.planned_task(plan), 1))
    task = command.planned_task(more)
    step = next(counts.draw_steps(task, 1))
    assert step.tokens == task.metrics(0, task.batches(0))["tokens"]
    assert step.tokens > 2 * plain.tokens and len(step.lengths) == 3 * plan.batch_size

    named = replace(more, teacher_prompt="{src}: {src_text} {tgt}: {tgt_text}")
    assert (
        command.planned_task(named).teacher.prompt
        == "Spanish: {src_text} English: {tgt_text}"
    )
    with pytest.raises(UserError, match="nosuch"):
        command.run(replace(more, teacher_prompt="{nosuch} {tgt_text}"))

    rule, corpus = plan.interleaving(), Corpus(30, 10, 10, 1.0)
    shapes = {"two_views": True, "lessons": True}
    first, *_, last = phases.of_numbers(rule, 20, 6, corpus, Rates(), **shapes)
    assert (len(first.lengths[0]), len(last.lengths[0])) == (18, 12)  # one view at 0
    assert sum(first.lengths[0][12:]) < sum(first.lengths[0][:6])


@pytest.mark.parametrize(
    ("rule", "rows"),
    [
        ({}, 12),
        ({"speech_only": 0.5}, 9),
        ({"sides": "tgt"}, 6),
        ({"tasks": (Task(Layout.parse("src_speech -> tgt_speech")),)}, 6),
    ],
)
def test_second_views_are_reckoned_where_there_are_some(plan, rule, rows):
    """All examples were, of which `speech_only` reads half once: up to twice the hours."""
    rule = replace(plan.interleaving(), **rule)
    corpus = Corpus(30, 10, 10, 1.0)
    first, *_ = phases.of_numbers(rule, 20, 6, corpus, Rates(), two_views=True)
    assert len(first.lengths[0]) == rows


def test_a_teacher_is_in_the_memory_of_each_gpu(plan):
    """It was left out: a fifth of what FSDP shares among eight."""
    llm, batch = sizes.measure(plan.llm, 30), counts.MicroBatch(4, 30, 50)
    setup = memory.Setup(precision="bf16", ranks=8, parallel="fsdp")
    plain, taught = (
        memory.peak(llm, [batch], each)
        for each in (setup, replace(setup, teacher=True))
    )
    assert taught.total - plain.total == 2 * llm.num_weights
    assert tables.setup(replace(plan, teacher_weight=1.0)).teacher


def test_heads_are_in_the_plan(plan):
    rows, batch = 30, counts.MicroBatch(4, 30, 50)
    plain = sizes.measure(plan.llm, rows)
    heads = command._heads(replace(plan, unit_heads=3), 20)
    headed = plain.with_heads(heads)
    more = [compute.flops(each, [batch]) for each in (headed, plain)]
    shape = plan.llm, rows, batch.rows, batch.length, batch.targets
    passes = [
        networks.llm_pass(*shape, each, training=True)
        for each in (heads, sizes.NO_HEADS)
    ]
    assert more[0] - more[1] == passes[0].flops - passes[1].flops > 0
    peaks = [memory.peak(x, [batch], memory.Setup()).total for x in (headed, plain)]
    assert peaks[0] > peaks[1]
    silent = replace(plan, unit_heads=3, layout="src_speech -> tgt_text")
    assert command._heads(silent, 20).number == 0


def test_a_phase_ends_where_either_side_falls(plan):
    """A phase by the source's ratio alone counted an epoch at its first target ratio."""
    sooner = replace(plan, side_every=("tgt=2",))
    steps = list(counts.draw_steps(command.planned_task(sooner), plan.max_steps))
    starts = [phase.first_step for phase in counts.phases(steps)]
    assert starts == [0, 2, 4, 5, 6, 10, 15]


def test_a_smooth_schedule_is_told_by_tenths(plan):
    smooth = replace(plan, schedule="linear", text_ratio_every=10, max_steps=40)
    steps = list(counts.draw_steps(command.planned_task(smooth), 40))
    grouped = counts.phases(steps)
    assert len(grouped) < 15 and sum(phase.num_steps for phase in grouped) == 40


def test_disk_is_what_the_training_left(plan, trained, dump_dir):
    task = command.planned_task(plan)
    llm = sizes.measure(plan.llm, task.llm.vocabulary.size)
    files = trained / "checkpoint-20"
    weights = (files / "model.safetensors").stat().st_size
    assert sizes.weights_bytes(llm) == weights
    optimizer = (files / "optimizer.pt").stat().st_size
    assert sizes.optimizer_bytes(llm) == pytest.approx(optimizer, rel=0.05)


def test_finished_stages_are_counted_to_the_byte(trained, tmp_path):
    (used,) = disk.finished([trained])
    assert (used.stage, used.num_directories) == ("train", 1)
    assert used.num_files == sum(path.is_file() for path in trained.rglob("*"))
    # stage.json is written last and counts all but itself; the mark of an unfinished
    # stage was still there.
    now = disk.size_of(trained) - (trained / "stage.json").stat().st_size
    record = {k: read_json(trained / "stage.json")[k] for k in KEPT_OPEN}
    opened = len(json.dumps(record, indent=1, ensure_ascii=False).encode()) + 1
    assert used.bytes == now + opened


def test_weights_are_counted_from_the_configuration_alone(text_llm):
    from transformers import AutoModelForCausalLM

    real = AutoModelForCausalLM.from_pretrained(text_llm)
    real.resize_token_embeddings(500)
    measured = sizes.measure(text_llm, 500)
    assert measured.num_weights == sum(p.numel() for p in real.parameters())
    large = sizes.measure(ROOT / "egs/cvss/conf/llama_3.2_1b.json", 128_256)
    assert large.num_weights == 1_235_814_400  # as its model card rounds: 1.23B
    assert large.num_layers * large.layer_weights < large.num_weights


def test_the_command_prints_it_all(plan, trained, capsys):
    command.run(plan)
    shown = capsys.readouterr().out
    total = lines(trained)[-1]["tokens_seen"]
    assert f"20 steps, 4.0 epochs, {total:,} tokens" in shown
    for words in ("gradient checkpointing", "hours on RTX 4090", "within 10%"):
        assert words in shown
    assert "hours on H100" not in shown


def test_two_gpus_have_half_each_under_fsdp_and_all_under_ddp(plan):
    task = command.planned_task(plan)
    llm = sizes.measure(plan.llm, task.llm.vocabulary.size)
    batch = counts.MicroBatch(3, 40, 60)
    alone, ddp, fsdp = (
        memory.peak(llm, [batch], memory.Setup(ranks=ranks, parallel=parallel))
        for ranks, parallel in ((1, "ddp"), (2, "ddp"), (2, "fsdp"))
    )
    assert alone.optimizer == ddp.optimizer == 2 * fsdp.optimizer
    assert alone.total < ddp.total


def test_what_cannot_be_planned_says_why(plan, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"made by stage 5 \(dump\)"):
        command.run(replace(plan, dump_dir=(tmp_path / "nothing",)))
    json_only = ROOT / "egs/cvss/conf/llama_3.2_1b.json"
    with pytest.raises(ValueError, match="no tokenizer"):
        command.run(replace(plan, llm=json_only))
    with pytest.raises(ValueError, match="there is nothing to plan"):
        command.run(replace(plan, max_steps=0))


def test_dimensions_of_another_llm_with_this_tokenizer(plan, capsys):
    large = ROOT / "egs/cvss/conf/llama_3.2_1b.json"
    command.run(replace(plan, sizes=large, max_steps=2, gpus_per_node=1, nodes=1))
    assert "1,235,861,504 weights, 16 layers" in capsys.readouterr().out
