"""Hours of each stage of a recipe: on one GPU, on a node, and on several nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s2st_interleave import blocks
from s2st_interleave.config import load_yaml
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.plan import answer_work, speech_work
from s2st_interleave.plan.corpus import Corpus, Llm, Phase
from s2st_interleave.plan.rates import Device, Rates
from s2st_interleave.plan.work import Work, bound, seconds
from s2st_interleave.stages import align as reading
from s2st_interleave.stages import decode as decoding
from s2st_interleave.stages import encoder, kmeans, scoring, vocoder
from s2st_interleave.text_table import number_table

STAGES = {
    "encoder": encoder.Options,
    "align": reading.Options,
    "kmeans": kmeans.Options,
    "decode": decoding.Options,
    "vocoder": vocoder.Options,
    "score": scoring.ScoringOptions,
}


FILES = {"align": ("encoding",)}  # conf/<name>.yaml that a stage reads before its own
Options = Mapping[str, Any]


@dataclass(frozen=True)
class Recipe:
    """What a recipe trains and on what; `options` are those of each stage's command.

    `layout` is the task that is answered in stages 7 to 9, the first of several.
    """

    corpus: Corpus
    llm: Llm
    train: Options
    phases: Sequence[Phase]
    layout: Layout
    options: dict[str, Options] = field(default_factory=dict)
    num_systems: int = 2
    num_checkpoints: int = 2

    @property
    def num_answers(self) -> int:
        """How often test is decoded, vocoded and scored."""
        return self.num_systems * self.num_checkpoints


def read_options(conf: Path, encoder_source: Path) -> dict[str, Options]:
    """Options of the stages but 6: their defaults, and what the files of `conf` say.

    The files are those that the scripts of the stages name, in their order.
    """
    read = {}
    for name, kind in STAGES.items():
        values: dict[str, Any] = {}
        for file in (*FILES.get(name, ()), name):
            path = conf / f"{file}.yaml"
            values |= load_yaml(path, kind) if path.is_file() else {}
        needed = {
            key: value
            for key in ("encoder", "data_dir", "train_dir", "dev_dir", "dev_data_dir")
            for value in [encoder_source if key == "encoder" else (Path(),)]
            if key in blocks.leaves(kind)
        }
        read[name] = _filled(kind, needed | values)
    pieces = {"num_pieces": read["encoder"]["num_pieces"], "encoder": encoder_source}
    for name in ("align", "kmeans"):
        read[name] = dict(read[name]) | pieces
    return read


def _filled(kind: type, values: dict[str, Any]) -> Options:
    """All options of a command; those that only a run knows are empty."""
    empty = dict.fromkeys(blocks.missing(kind, values))
    return vars(blocks.build(kind, empty | values))


@dataclass(frozen=True)
class Jobs:
    """A stage's work for one GPU, done `times` times."""

    work: Work
    times: int = 1

    def hours(self, parts: Mapping[str, float]) -> float:
        """Hours of all of it, by the seconds of the work's parts."""
        return self.times * sum(parts.values()) / 3600


def jobs(recipe: Recipe, rates: Rates, gpus: int) -> list[Jobs]:
    """Of each stage, or of stage 6 alone where no options of others are known.

    Systems train side by side where there are GPUs enough of `gpus`.
    """
    corpus, options = recipe.corpus, recipe.options
    beside = min(recipe.num_systems, gpus)
    trained = answer_work.train(
        recipe.train, recipe.llm, recipe.phases, corpus.dev, rates, gpus // beside
    )
    training = Jobs(trained, -(-recipe.num_systems // beside))
    if not options:
        return [training]
    answered = answer_work.decode(
        options["decode"], recipe.layout, recipe.llm, corpus, rates, gpus
    )
    heard = _heard(recipe, rates, gpus) if recipe.layout.speaks else []
    return [
        Jobs(speech_work.data(corpus, rates, gpus)),
        Jobs(speech_work.encoder(options["encoder"], corpus, rates, gpus)),
        Jobs(speech_work.hearing(options["align"], corpus, rates, gpus)),
        Jobs(speech_work.kmeans(options["kmeans"], corpus, rates)),
        Jobs(speech_work.dump(corpus, rates)),
        training,
        Jobs(answered, recipe.num_answers),
        *heard,
    ]


def _heard(recipe: Recipe, rates: Rates, gpus: int) -> list[Jobs]:
    """Stages 8 and 9 of answers in speech; texts are scored in no time."""
    corpus, options, answers = recipe.corpus, recipe.options, recipe.num_answers
    return [
        Jobs(answer_work.vocoder(options["vocoder"], corpus, rates, gpus)),
        # The toplines: resynthesised speech, and that of the references.
        Jobs(answer_work.vocode(options["vocoder"], corpus, rates, gpus), answers + 1),
        Jobs(answer_work.score(options["score"], corpus, rates, gpus), answers + 2),
    ]


def hours_table(
    recipe: Recipe, device: Device, rates: Rates, counts: Sequence[int], node: int
) -> str:
    """A row a stage: hours on each number of GPUs, GPU-hours, and what takes longest.

    The last two are those of `node`, the GPUs of a node, which is one of `counts`; only GPUs
    that a stage uses count. Stages to which more nodes bring nothing are named below.
    """
    shown = counts.index(node)
    columns = [jobs(recipe, rates, gpus) for gpus in counts]
    rows, totals, spent, slower = [], [0.0] * len(counts), 0.0, []
    for row in zip(*columns, strict=True):
        parts = [seconds(each.work, device, rates, node) for each in row]
        hours = [each.hours(its) for each, its in zip(row, parts, strict=True)]
        totals = [total + each for total, each in zip(totals, hours, strict=True)]
        times = recipe.num_systems if row[0].work.stage == "6 train" else row[0].times
        if hours[-1] > 1.05 * hours[shown]:
            slower.append(row[0].work.stage)
        used = times * row[shown].work.gpus * sum(parts[shown].values()) / 3600
        spent += used
        rows.append(
            [
                f"{row[0].work.stage}{f' x {times}' if times > 1 else ''}",
                *(f"{each:.2f}" for each in hours),
                f"{used:.1f}",
                bound(parts[shown]),
            ]
        )
    rows.append(["all", *(f"{each:.1f}" for each in totals), f"{spent:.1f}", ""])
    names = [f"{n} GPU{'s' if n > 1 else ''}" for n in counts]
    head = [f"hours on {device.name}", *names, "GPU-hours", "longest part"]
    said = [number_table(head, rows)]
    if slower:
        said.append(
            f"{counts[-1]} GPUs take longer than {node} for {', '.join(slower)}: sums between "
            "nodes last\nlonger than a step's share; stay on a node, or take larger batches, "
            "which is another training"
        )
    return "\n".join(said)
