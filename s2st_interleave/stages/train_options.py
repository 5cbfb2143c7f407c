"""Options of stage 6, and those in a task's file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from s2st_interleave.config import MOST_JOBS, REQUIRED, load_yaml, option
from s2st_interleave.effects import Void, void_names
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.layout import DIRECT, S2ST, Layout
from s2st_interleave.interleave.schedule import Schedule, Shape
from s2st_interleave.interleave.task import Task
from s2st_interleave.llm.options import Attention
from s2st_interleave.precision import Dtype
from s2st_interleave.train.gate import Gate
from s2st_interleave.train.options import TrainOptions

GATE = ("text_ratio_gate", "text_ratio_gate_every")
HEADS = ("unit_heads", "unit_heads_weight")
SCHEDULE = ("schedule", "text_ratio_drop", "text_ratio_every", "side_every", *GATE)
INTERLEAVING = (
    "span_lambda",
    "stop",
    "fill",
    "alignment",
    "speech_only",
    "consistency",
)


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
    # The paper's ramp of 2,700 steps is over about a third of them (docs/schedules.md).
    max_steps: int = option(10_000, "optimizer steps", minimum=0)
    num_utterances: int = option(
        0, "of train_dir, drawn by id: what less data would give; 0: all", minimum=0
    )
    num_dev: int = option(
        0, "of dev_dir, drawn by id, to evaluate on; 0: all", new=True, minimum=0
    )
    best_by: Literal["all", "text"] = option(
        "all",
        "tokens whose dev loss is lowest at the best checkpoint; text: all but units, "
        "which are many, and overfit first where data is small",
        new=True,
    )
    batch_tokens: int = option(
        0,
        "padded tokens of a micro-batch, cut by length and alike on every GPU, in "
        "accum_grad parts or more; 0: in accum_grad parts of as many utterances",
        new=True,
        minimum=0,
    )
    logits_at_once: int = option(
        0,
        "targets whose logits are in memory; 0: all of a micro-batch",
        new=True,
        minimum=0,
    )
    num_workers: int = option(
        0,
        "processes on each GPU that draw the next steps; 0: the training itself",
        runtime=True,
        minimum=0,
        maximum=MOST_JOBS,
    )
    schedule: Shape = option("step", "shape of the text ratio; the paper's is step")
    text_ratio: float = option(
        0.9, "share of words as text at the start; 0: baseline", minimum=0, maximum=1
    )
    text_ratio_drop: float = option(0.1, "by which it falls", above=0, maximum=1)
    text_ratio_every: int = option(300, "optimizer steps between two falls", minimum=1)
    side_every: tuple[str, ...] = option(
        (), "'tgt=100': a side with falls of its own, sooner or later", new=True
    )
    text_ratio_gate: float = option(
        0.0,
        "it falls sooner, where at most so large a share of the transcript's tokens is "
        "mistaken on 32 dev utterances at the same ratio; 0: by the clock alone",
        new=True,
        minimum=0,
        below=1,
    )
    text_ratio_gate_every: int = option(
        25, "optimizer steps between two looks at that", new=True, minimum=1
    )
    speech_only: float = option(
        0.0,
        "probability, drawn for each utterance and step, that its speech shows no words as "
        "text, from the first step on",
        new=True,
        minimum=0,
        maximum=1,
    )
    unit_weight: float = option(
        1.0,
        "of a unit in the loss, where a text token has 1",
        new=True,
        above=0,
        maximum=1000,
    )
    consistency: float = option(
        0.0,
        "of a divergence in the loss: examples with text before a text to learn are read "
        "without it too, and are to predict the same texts",
        new=True,
        minimum=0,
    )
    teacher_weight: float = option(
        0.0,
        "of the divergence in the loss from what the text LLM that the training starts "
        "from predicts of the translation; 0: it does not teach",
        new=True,
        minimum=0,
    )
    teacher_prompt: str = option(
        "{src}: {src_text}\n{tgt}: {tgt_text}",
        "what it reads: languages, and texts, of which the last is taught",
        new=True,
    )
    unit_heads: int = option(
        0,
        "units after the next one that each unit's state is to predict as well, by heads "
        "that the training alone has; 0: none",
        new=True,
        minimum=0,
        maximum=100,
    )
    unit_heads_weight: float = option(
        0.3, "of their mean in the loss", new=True, above=0
    )
    span_lambda: float = option(
        1.0, "Poisson mean of a span's length in words", minimum=0, maximum=1000
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
        0,
        "of adapters at all matrices, experts too; 0: train all weights",
        minimum=0,
        maximum=65_536,
    )
    lora_alpha: float = option(16.0, "adapters count alpha / rank", above=0)
    dtype: Dtype = option("auto", "of products; auto: bf16 on a GPU that has it")
    attention: Attention = option("auto", "backend; auto: the best that is installed")
    compile: bool = option(
        False,
        "run the LLM through torch.compile: half a minute at the start, a g++ is needed, "
        "sums are rounded otherwise",
        new=True,
    )
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

        Raises UserError where the numbers of tasks and weights differ, or two have one name.
        """
        if not self.tasks:
            return (Task(Layout.parse(self.layout)),)
        weights = self.task_weights or (1.0,) * len(self.tasks)
        if len(weights) != len(self.tasks):
            raise UserError(f"{len(self.tasks)} --tasks, {len(weights)} --task_weights")
        known: dict[str, Path] = {}
        for path in self.tasks:
            if path.stem in known:
                raise UserError(
                    f"--tasks {known[path.stem]} and {path}: the LLM is asked by the name "
                    f"'{path.stem}', which both have: rename one, or leave it out"
                )
            known[path.stem] = path
        layouts = [load_yaml(path, TaskOptions)["layout"] for path in self.tasks]
        return tuple(
            Task(Layout.parse(layout), path.stem, weight)
            for path, layout, weight in zip(self.tasks, layouts, weights, strict=True)
        )

    def voids(self) -> list[Void]:
        voids, layouts = [], [task.layout for task in self.read_tasks()]
        what, learns = ("tasks", "learn") if self.tasks else ("layout", "learns")
        if not self.lora_rank:
            voids.append(Void("lora_rank", "of 1 or more", ["lora_alpha"]))
        else:  # peft wraps the output layer, whose logits are computed all at once then
            voids.append(Void("lora_rank", "of 0", ["logits_at_once"]))
        if self.tasks:
            voids.append(Void("tasks", "of none", ["layout"]))
        else:
            voids.append(Void("tasks", "of one or more", ["task_weights"]))
        if len(layouts) > 1:
            voids.append(Void("tasks", "of one", ["probe_every"]))
        if not any(layout.two_fold_sides for layout in layouts):
            wanted = "with a side as speech and as text"
            voids.append(Void(what, wanted, ["probe_every"]))
        if not self.text_ratio:
            names = [*SCHEDULE, *INTERLEAVING, "sides"]
            voids.append(Void("text_ratio", "above 0", names))
        elif self.sides == "none":
            names = ["text_ratio", *SCHEDULE, *INTERLEAVING]
            voids.append(Void("sides", "both or one of its sides", names))
        elif self.speech_only == 1:
            names = [*SCHEDULE, *(n for n in INTERLEAVING if n != "speech_only")]
            voids.append(
                Void("speech_only", "below 1", ["text_ratio", "sides", *names])
            )
        elif self.schedule != "step":
            if self.schedule == "constant":
                names = [name for name in SCHEDULE[1:] if name not in GATE]
                voids.append(Void("schedule", "of another shape", names))
            voids.append(Void("schedule", "step", GATE))
        interleaving = self.interleaving()
        own, shown = dict(interleaving.side_every), set(interleaving.interleaved)
        # Where nothing is shown, what is said above makes these void.
        shows = bool(self.text_ratio and shown)
        if shows and own and shown <= set(own):
            voids.append(Void("side_every", "of fewer sides", ["text_ratio_every"]))
        heard = {side for layout in layouts for side in layout.transcribed}
        before = {side for layout in layouts for side in layout.read_by_texts}
        if not heard:
            voids.append(Void(what, f"that {learns} a transcript", GATE))
        elif shows and not heard & shown:
            voids.append(Void("sides", "both or one with a transcript", GATE))
        if not any(layout.speaks for layout in layouts):
            names = [*HEADS, "unit_weight"]
            voids.append(Void(what, f"that {learns} speech", names))
        if not any(layout.writes for layout in layouts):
            voids.append(Void(what, f"that {learns} text", ["consistency"]))
        elif shows and not before & shown:
            wanted = "both or one with speech before a text to learn"
            voids.append(Void("sides", wanted, ["consistency"]))
        if not any(x.speaks for x in layouts) or not any(x.writes for x in layouts):
            voids.append(Void(what, f"that {learns} speech and text", ["best_by"]))
        if not self.unit_heads:
            voids.append(Void("unit_heads", "of 1 or more", HEADS[1:]))
        if not self.teacher_weight:
            voids.append(Void("teacher_weight", "above 0", ["teacher_prompt"]))
        if not self.text_ratio_gate:
            voids.append(Void("text_ratio_gate", "above 0", GATE[1:]))
        return voids

    def criterion(self, scores: Mapping[str, float]) -> float:
        """The dev loss of all tokens, or of texts where they are not all."""
        by_text = self.best_by == "text"
        return scores.get("loss_text", scores["loss"]) if by_text else scores["loss"]

    def gate(self) -> Gate | None:
        """What lets the text ratio fall sooner than the schedule; None: nothing."""
        if not self.text_ratio_gate or "text_ratio_gate" in void_names(self):
            return None
        return Gate(self.text_ratio_gate, self.text_ratio_gate_every)

    def num_unit_heads(self) -> int:
        """How many further units are predicted; 0 as well where no speech is learned."""
        return 0 if "unit_heads" in void_names(self) else self.unit_heads

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
            side_every=tuple(map(_side_steps, self.side_every)),
            speech_only=self.speech_only,
        )


def _side_steps(text: str) -> tuple[str, int]:
    """A side and its steps between two falls.

    >>> _side_steps("tgt=100")
    ('tgt', 100)
    """
    side, _, steps = text.partition("=")
    if not side or not steps.isdecimal() or not int(steps):
        raise UserError(
            f"option 'side_every' is '{text}', wants a side and optimizer steps: tgt=100"
        )
    return side, int(steps)
