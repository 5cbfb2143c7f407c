"""Stage 6: fine-tune the LLM on scheduled interleaved sequences (paper Sec. 3.2).

The baseline is --text_ratio 0; "without scheduling" is --schedule constant --text_ratio
0.3. Metrics of every step go to metrics.jsonl.
"""

import shlex
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from s2st_interleave import parallel
from s2st_interleave.config import record, to_dict
from s2st_interleave.errors import UserError
from s2st_interleave.facts import TrainFacts
from s2st_interleave.files import atomic_write
from s2st_interleave.interleave import ramp
from s2st_interleave.interleave.dump import Dumps, Subset
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.layout import DIRECT, S2ST, Layout
from s2st_interleave.interleave.task import Task
from s2st_interleave.precision import use_bf16
from s2st_interleave.progress import named
from s2st_interleave.stage_dir import Input, numbered, open_stage, read_done
from s2st_interleave.stages.dumps import check_sides, codebook, open_dumps, training_of
from s2st_interleave.stages.encoder import model_input
from s2st_interleave.stages.train_options import Options
from s2st_interleave.train import teacher_prompt

if TYPE_CHECKING:
    import torch

    from s2st_interleave.llm.model import SpeechLlm

LEGEND = (
    "text_ratio is the share of words that the schedule asks to show as text (of the side "
    "with more), realised_<side> the share that was shown so; loss is of such sequences: "
    "systems and steps of other ratios do not compare by it. dev_loss is at ratio 0, and "
    "compares"
)


def run(options: Options) -> None:
    # 1. Check options before anything is loaded; is there anything to do?
    interleaving = options.interleaving()
    if options.teacher_weight:
        layouts = [task.layout for task in interleaving.tasks]
        teacher_prompt.check(options.teacher_prompt, layouts)
    stage = parallel.on_first(
        lambda: open_stage(
            options.out_dir,
            stage="train",
            options=options,
            inputs={
                "llm": model_input(options.llm),
                **numbered("train", options.train_dir, "dump"),
                **numbered("dev", options.dev_dir, "dump"),
                **{f"task.{path.stem}": Input(path) for path in options.tasks},
            },
            overwrite=options.overwrite,
        )
    )
    if stage is None:
        parallel.on_first(lambda: _say_removed(options.out_dir))
        return
    parallel.on_first(lambda: _write_command(options))

    dumps = [*options.train_dir, *options.dev_dir]
    kmeans = codebook(dumps, training_of(options.llm))

    # 2. The data, and the LLM with rows for the units.
    from s2st_interleave.device import resolve_device, set_threads
    from s2st_interleave.llm import model as llm
    from s2st_interleave.llm.backbone import uses_all_weights
    from s2st_interleave.train import checkpoint, engine, teacher
    from s2st_interleave.train.adamw import AdamWLearner
    from s2st_interleave.train.examples import check_lengths
    from s2st_interleave.train.interleaved import InterleavedTask
    from s2st_interleave.train.loop import fit

    set_threads(options.num_threads)
    device = resolve_device(options.device)
    bf16 = use_bf16(options.dtype, device)
    train, dev = _open_data(options, interleaving)
    attention = llm.attention_backend(options.attention, device, bf16)
    speech_llm = _load_llm(
        options, train.vocabulary.num_units, device, attention, bf16=bf16
    )
    check_lengths(dev, interleaving, speech_llm)
    first_step = max(checkpoint.by_step(options.out_dir), default=0)
    ratio = interleaving.ratio(first_step)  # of all steps that are to come the greatest
    check_lengths(train, interleaving, speech_llm, ratio=ratio)

    if options.compile:
        engine.compile_model(speech_llm.backbone, options.parallel)
    text_teacher = None
    if options.teacher_weight:
        prompt = teacher_prompt.with_languages(
            options.teacher_prompt, options.train_dir
        )
        text_teacher = teacher.load(
            options.llm, prompt, options.teacher_weight, device, attention, bf16
        )
        teacher.check_lengths(train, prompt, speech_llm)

    # 3. Train.
    task = InterleavedTask(
        llm=speech_llm,
        train=train,
        dev=dev,
        interleaving=interleaving,
        batch_size=options.batch_size,
        accum_grad=options.accum_grad,
        device=device,
        probe_every=options.probe_every,
        batch_tokens=options.batch_tokens,
        num_workers=options.num_workers,
        logits_at_once=options.logits_at_once,
        unit_weight=options.unit_weight,
        consistency=options.consistency,
        gate=options.gate(),
        teacher=text_teacher,
        unit_heads_weight=options.unit_heads_weight
        if options.num_unit_heads()
        else 0.0,
    )
    learner = AdamWLearner(
        task,
        options,
        shown=("loss", "text_ratio", "realised_"),
        uses_all=uses_all_weights(speech_llm.model),
    )
    parallel.say(named(LEGEND))
    extent = ramp.describe(
        interleaving, options.max_steps, task.gate.every if task.gate else 0
    )
    if extent:
        parallel.say(named(extent))
    with closing(task):
        outcome = fit(
            learner,
            options,
            options.out_dir,
            expected=task.expected(),
            heed=task.heed if task.gate else None,
            plain_loss=task.plain_loss,
        )
    num = len(train)
    tasks = {task.name: str(task.layout) for task in interleaving.tasks}
    facts = TrainFacts(**to_dict(outcome), tasks=tasks, kmeans=kmeans)
    parallel.on_first(lambda: stage.finish(num_in=num, num_out=num, facts=facts))


def _open_data(
    options: Options, interleaving: Interleaving
) -> tuple[Dumps | Subset, Dumps | Subset]:
    """The dumps of train and dev; UserError where they do not serve one training."""
    train = open_dumps(options.train_dir, options.name_pair, options.num_utterances)
    dev = open_dumps(options.dev_dir, options.name_pair)
    if 0 < options.num_dev < len(dev):
        dev = open_dumps(options.dev_dir, options.name_pair, options.num_dev)
    if len(dev) < parallel.ranks().count:
        raise UserError(
            f"{parallel.ranks().count} ranks cannot share the {len(dev)} utterances of dev: "
            "take fewer GPUs, or more of dev (--num_dev)"
        )
    for task in interleaving.tasks:
        check_sides(task.layout, train, options.train_dir)
        check_sides(task.layout, dev, options.dev_dir)
    if dev.vocabulary != train.vocabulary:
        raise UserError(
            f"{options.dev_dir[0]} has {dev.vocabulary}, {options.train_dir[0]} has "
            f"{train.vocabulary}: they are of different codebooks"
        )
    return train, dev


def _load_llm(
    options: Options,
    num_units: int,
    device: "torch.device",
    attention: str | None,
    *,
    bf16: bool,
) -> "SpeechLlm":
    """The LLM with rows for the units, and its adapters and heads where they are asked for."""
    from s2st_interleave.llm import model as llm
    from s2st_interleave.llm import unit_heads

    speech_llm = llm.extend(
        options.llm,
        num_units,
        new_rows=options.new_rows,
        attention_dropout=options.attention_dropout,
        residual_dropout=options.residual_dropout,
        seed=options.seed,
        attention=attention,
        lora_rank=options.lora_rank,
        lora_alpha=options.lora_alpha,
        gradient_checkpointing=options.gradient_checkpointing,
        bf16=bf16,
    )
    if options.lora_rank:
        from s2st_interleave.llm import lora  # it needs peft, an extra

        parallel.say(lora.describe(speech_llm.model))
    speech_llm.model.to(device)  # pyrefly: ignore[bad-argument-type]: its wrapper has no types
    if num_heads := options.num_unit_heads():
        unit_heads.add(speech_llm.model, speech_llm.vocabulary, num_heads)
    return speech_llm


def trained_task(train_dir: Path, name: str = "") -> Task:
    """The only task of a finished training, or the one called `name`.

    Raises UserError for a name that it has not learned.
    """
    done = read_done(train_dir, "train")
    tasks = TrainFacts.of(done, train_dir).tasks
    if tasks is None:  # written by a version that knew one task, with `cot` or without
        cot = done["options"].get("cot", True)
        tasks = {"": S2ST if cot else DIRECT}
    if not name and len(tasks) == 1:
        name = next(iter(tasks))
    if name not in tasks:
        known = " ".join(tasks)
        raise UserError(f"{train_dir} learned {known}: name one of them with --task")
    return Task(Layout.parse(tasks[name]), name)


def _say_removed(directory: Path) -> None:
    """Print which checkpoints somebody has removed, perhaps to save space."""
    facts = TrainFacts.read(directory)
    names = {facts.checkpoint(which): which for which in ("last", "best")}
    for name, which in names.items():
        if not (directory / name).is_dir():
            print(
                f"train: {directory / name} ({which}) was removed: what was decoded "
                "with it stays, to decode anew it has to be trained anew"
            )


def _write_command(options: Options) -> None:
    """Write exp/<tag>/config.yaml, the options, and run.sh, which goes on with the run."""
    with atomic_write(options.out_dir / "config.yaml") as stream:
        yaml.safe_dump(record(options), stream, sort_keys=False)
    words = ["python", "-m", "s2st_interleave", "train", *sys.argv[2:]]
    with atomic_write(options.out_dir / "run.sh") as stream:
        stream.write(
            "#!/usr/bin/env bash\n# From the recipe's directory, after path.sh.\n"
        )
        stream.write(f"exec {shlex.join(words)}\n")
