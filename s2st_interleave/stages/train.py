"""Stage 6: fine-tune the LLM on scheduled interleaved sequences (paper Sec. 3.2).

The baseline is --text_ratio 0; "without scheduling" is --schedule constant --text_ratio
0.3. Metrics of every step go to metrics.jsonl.
"""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from s2st_interleave import parallel
from s2st_interleave.config import REQUIRED, load_yaml, option, record, to_dict
from s2st_interleave.effects import Void
from s2st_interleave.errors import UserError
from s2st_interleave.facts import TrainFacts
from s2st_interleave.files import atomic_write
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.layout import DIRECT, S2ST, Layout
from s2st_interleave.interleave.schedule import Schedule, Shape
from s2st_interleave.interleave.task import Task
from s2st_interleave.llm.options import Attention
from s2st_interleave.precision import Dtype, use_bf16
from s2st_interleave.stage_dir import Input, numbered, open_stage, read_done
from s2st_interleave.stages.dumps import check_sides, open_dumps
from s2st_interleave.stages.encoder import model_input
from s2st_interleave.train.options import TrainOptions

SCHEDULE = ("schedule", "text_ratio_drop", "text_ratio_every")
INTERLEAVING = ("span_lambda", "stop", "fill", "alignment")


@dataclass(frozen=True, kw_only=True)
class TaskOptions:
    """The options in a file of conf/tasks."""

    layout: str = option(REQUIRED, "blocks that are given -> blocks that are learned")
    metrics: tuple[str, ...] = option(
        (), "of stage 9, the primary one first; none: as the layout asks for"
    )


@dataclass(frozen=True, kw_only=True)
class Options(TrainOptions):
    llm: Path = option(REQUIRED, "Hugging Face directory or name to start from")
    train_dir: tuple[Path, ...] = option(
        REQUIRED, "dump/interleave/train; several pairs: an extension"
    )
    dev_dir: tuple[Path, ...] = option(REQUIRED, "dump/interleave/dev, one or several")
    out_dir: Path = option(REQUIRED, "exp/<tag> to write")
    num_utterances: int = option(
        0, "of train_dir, drawn by id: what less data would give; 0: all", minimum=0
    )
    schedule: Shape = option("step", "shape of the text ratio; the paper's is step")
    text_ratio: float = option(
        0.9, "share of words as text at the start; 0: baseline", minimum=0, maximum=1
    )
    text_ratio_drop: float = option(0.1, "by which it falls", above=0, maximum=1)
    text_ratio_every: int = option(300, "optimizer steps between two falls", minimum=1)
    span_lambda: float = option(
        1.0, "Poisson mean of a span's length in words", minimum=0
    )
    stop: Literal["literal", "exact"] = option("literal", "Algorithm 1, or tracking p")
    sides: str = option("both", "sides interleaved: both, none, or one such as src")
    fill: Literal["text", "mask"] = option("text", "what stands in for units")
    alignment: Literal["words", "uniform"] = option("words", "or equal intervals")
    name_pair: bool = option(False, "a prompt such as 'pt-en:' where there are several")
    layout: str = option(S2ST, "blocks of the task; conf/tasks has others", new=True)
    tasks: tuple[Path, ...] = option(
        (), "conf/tasks/*.yaml to learn at once, each named in its prompt", new=True
    )
    task_weights: tuple[float, ...] = option(
        (), "how often each of them is drawn; none: all alike", new=True, above=0
    )
    metrics: tuple[str, ...] = option(
        (), "of a task's file: for stage 9, changes nothing here", runtime=True
    )
    attention_dropout: float = option(
        0.2, "the paper's dropout is 0.2", minimum=0, below=1
    )
    residual_dropout: float = option(
        0.0, "behind each attention and MLP block", minimum=0, below=1
    )
    new_rows: Literal["mean", "normal", "zero"] = option(
        "mean",
        "embedding of units: the text's mean and a tenth of its noise, noise, or 0",
    )
    lora_rank: int = option(
        0, "of adapters at all matrices, experts too; 0: train all weights", minimum=0
    )
    lora_alpha: float = option(16.0, "adapters count alpha / rank", above=0)
    dtype: Dtype = option("auto", "of products; auto: bf16 on a GPU that has it")
    attention: Attention = option("auto", "backend; auto: the best that is installed")
    gradient_checkpointing: bool = option(
        False, "compute activations twice instead of keeping them"
    )
    probe_every: int = option(
        0,
        "steps between two probes of hidden states, as in Fig. 3",
        runtime=True,
        minimum=0,
    )

    @staticmethod
    def earlier(options: dict[str, Any]) -> dict[str, Any]:
        """Translate options of versions that knew one task, with `cot` or without."""
        rest = dict(options)
        cot = rest.pop("cot", None)
        return rest if cot is None else rest | {"layout": S2ST if cot else DIRECT}

    def read_tasks(self) -> tuple[Task, ...]:
        """The tasks to learn; the only one has no name.

        Raises UserError where the numbers of tasks and weights differ.
        """
        if not self.tasks:
            return (Task(Layout.parse(self.layout)),)
        weights = self.task_weights or (1.0,) * len(self.tasks)
        if len(weights) != len(self.tasks):
            raise UserError(f"{len(self.tasks)} --tasks, {len(weights)} --task_weights")
        layouts = [load_yaml(path, TaskOptions)["layout"] for path in self.tasks]
        return tuple(
            Task(Layout.parse(layout), path.stem, weight)
            for path, layout, weight in zip(self.tasks, layouts, weights, strict=True)
        )

    def voids(self) -> list[Void]:
        voids = []
        if not self.lora_rank:
            voids.append(Void("lora_rank", "of 1 or more", ["lora_alpha"]))
        if self.tasks:
            voids.append(Void("tasks", "of none", ["layout"]))
        else:
            voids.append(Void("tasks", "of one or more", ["task_weights"]))
        if not any(task.layout.two_fold_sides for task in self.read_tasks()):
            wanted = "with a side as speech and as text"
            voids.append(Void("layout", wanted, ["probe_every"]))
        if not self.text_ratio:
            names = [*SCHEDULE, *INTERLEAVING, "sides"]
            voids.append(Void("text_ratio", "above 0", names))
        elif self.sides == "none":
            names = ["text_ratio", *SCHEDULE, *INTERLEAVING]
            voids.append(Void("sides", "both or one of its sides", names))
        elif self.schedule == "constant":
            voids.append(Void("schedule", "of another shape", SCHEDULE[1:]))
        return voids

    def interleaving(self) -> Interleaving:
        """The same options as one object; UserError for those that contradict each other."""
        # Ratio 0 is the baseline under either shape.
        shape = self.schedule if self.text_ratio else "constant"
        return Interleaving(
            schedule=Schedule(
                shape, self.text_ratio, self.text_ratio_drop, self.text_ratio_every
            ),
            span_lambda=self.span_lambda,
            span_rule=self.stop,
            sides=self.sides,
            fill=self.fill,
            alignment=self.alignment,
            tasks=self.read_tasks(),
            seed=self.seed,
        )


def run(options: Options) -> None:
    # 1. Check options before anything is loaded; is there anything to do?
    interleaving = options.interleaving()
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

    # 2. The data, and the LLM with rows for the units.
    from s2st_interleave.device import resolve_device, set_threads
    from s2st_interleave.llm import model as llm
    from s2st_interleave.train.adamw import AdamWLearner
    from s2st_interleave.train.examples import check_lengths
    from s2st_interleave.train.interleaved import InterleavedTask
    from s2st_interleave.train.loop import fit

    set_threads(options.num_threads)
    device = resolve_device(options.device)
    bf16 = use_bf16(options.dtype, device)
    train = open_dumps(options.train_dir, options.name_pair, options.num_utterances)
    dev = open_dumps(options.dev_dir, options.name_pair)
    for task in interleaving.tasks:
        check_sides(task.layout, train, options.train_dir)
    speech_llm = llm.extend(
        options.llm,
        train.vocabulary.num_units,
        new_rows=options.new_rows,
        attention_dropout=options.attention_dropout,
        residual_dropout=options.residual_dropout,
        seed=options.seed,
        attention=llm.attention_backend(options.attention, device, bf16),
        lora_rank=options.lora_rank,
        lora_alpha=options.lora_alpha,
        gradient_checkpointing=options.gradient_checkpointing,
        bf16=bf16,
    )
    if options.lora_rank:
        from s2st_interleave.llm import lora  # it needs peft, an extra

        parallel.say(lora.describe(speech_llm.model))
    speech_llm.model.to(device)  # pyrefly: ignore[bad-argument-type]: its wrapper has no types
    check_lengths(dev, interleaving, speech_llm)
    if options.max_steps * options.batch_size >= len(train):  # all of it is drawn
        check_lengths(train, interleaving, speech_llm)

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
    )
    learner = AdamWLearner(task, options, shown=("loss", "text_ratio", "realised_"))
    outcome = fit(learner, options, options.out_dir)
    num = len(train)
    tasks = {task.name: str(task.layout) for task in interleaving.tasks}
    facts = TrainFacts(**to_dict(outcome), tasks=tasks)
    parallel.on_first(lambda: stage.finish(num_in=num, num_out=num, facts=facts))


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
