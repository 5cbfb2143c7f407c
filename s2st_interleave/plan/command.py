"""Plan a recipe: the tokens, steps, memory, FLOPs, hours and disk that it will take.

    python -m s2st_interleave plan --config conf/train.yaml --conf conf \\
        --config conf/systems/scheduled.yaml --dump_dir dump/interleave/train \\
        --llm meta-llama/Llama-3.2-1B --ranks 2 --parallel fsdp

It takes the options of `train` and draws the batches that the training would draw, so
that tokens and steps are exact. It reads the LLM's configuration and tokenizer, but no
weights; `--sizes` names another LLM's dimensions, for example in a JSON file:
`--llm downloads/llm --sizes egs/cvss/conf/llama_3.2_1b.json`.

Before anything was run, numbers stand in for the dump, or `--data_dir data/train` does:

    python -m s2st_interleave plan --config conf/train.yaml --conf conf \\
        --llm conf/llama_3.2_1b.json --utterances 207000 --seconds 4.5
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from s2st_interleave.config import option
from s2st_interleave.data import kaldi
from s2st_interleave.effects import void_names
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_as
from s2st_interleave.hub import load
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm.options import VOCABULARY_FILE
from s2st_interleave.plan import compute, counts, hours, memory, phases, sizes, tables
from s2st_interleave.plan.corpus import Corpus, Llm, Phase
from s2st_interleave.plan.networks import frame_sec
from s2st_interleave.plan.rates import Device, Rates
from s2st_interleave.plan.work import gpu
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages import train
from s2st_interleave.stages.dumps import open_dumps
from s2st_interleave.train import teacher_prompt

if TYPE_CHECKING:
    from s2st_interleave.train.interleaved import InterleavedTask


@dataclass(frozen=True, kw_only=True)
class Options(train.Options):
    dump_dir: tuple[Path, ...] = option((), "dump/interleave/train, or several")
    train_dir: tuple[Path, ...] = option((), "not used: --dump_dir")
    dev_dir: tuple[Path, ...] = option((), "not used: --dev_utterances tells how many")
    out_dir: Path = option(Path(), "not used: nothing is written")
    sizes: Path | None = option(None, "plan for this LLM's dimensions, not --llm's")
    ranks: int = option(1, "GPUs", minimum=1)
    parallel: memory.Parallel = option("ddp", "weights whole on each, or sharded")
    dtype: Literal["auto", "fp32", "bf16"] = option("auto", "of products; auto: bf16")
    kernel: memory.Kernel = option(
        "fused", "of attention; math keeps its scores, as a CPU with dropout does"
    )
    gpus: tuple[Literal["A100", "H100", "H200", "RTX4090"], ...] = option(
        ("H100",), "kinds of 'A100 H100 H200 RTX4090' to plan hours for"
    )
    gpus_per_node: int = option(8, "GPUs of a node", minimum=1)
    nodes: int = option(4, "nodes, for the last column of hours", minimum=1)
    conf: Path | None = option(
        None, "folder with a YAML for each stage, for the hours of all of them"
    )
    encoder: Path = option(Path("facebook/w2v-bert-2.0"), "that stage 2 fine-tunes")
    data_dir: tuple[Path, ...] = option(
        (), "data/train, where there is no --dump_dir yet"
    )
    utterances: int = option(0, "pairs of train, where there is no data yet", minimum=0)
    seconds: float = option(4.5, "mean length of a recording of these", above=0)
    dev_utterances: int = option(14_800, "pairs of dev; French CoVoST's", minimum=1)
    test_utterances: int = option(14_800, "pairs of test; French CoVoST's", minimum=1)
    num_systems: int = option(2, "systems of stage 6", minimum=1)
    num_checkpoints: int = option(2, "of each that answer in stages 7-9", minimum=1)
    rates: Path | None = option(
        None, "JSON with measured rates, in place of those in plan/rates.py"
    )
    show_rates: bool = option(False, "print each rate and where it comes from")
    max_drawn: int = option(
        20_000, "utterances drawn for a row of tokens per epoch; 0: all", minimum=0
    )
    recipe: tuple[Path, ...] = option(
        (Path(),), "whose finished stages' disk is told: '. ../x_en'"
    )


@dataclass(frozen=True)
class Drawn:
    """What is planned for: the corpus, the LLM, and the examples of stage 6."""

    corpus: Corpus
    llm: sizes.LlmSizes
    phases: Sequence[Phase]
    micro: Sequence[counts.MicroBatch]
    flops: tuple[float, ...]  # of a training, without and with checkpointing


def run(options: Options) -> None:
    # 1. The rates, and the data: drawn where there is a dump, else by numbers.
    if options.conf and not options.conf.is_dir():
        raise UserError(f"--conf {options.conf}: no such folder")
    known = rates(options)
    if options.show_rates:
        print(tables.rates_table(known))
    if options.max_steps == 0:
        raise UserError("--max_steps 0: there is nothing to plan")
    if options.teacher_weight:
        layouts = [task.layout for task in options.read_tasks()]
        teacher_prompt.check(options.teacher_prompt, layouts)
    drawn = _draw(options) if options.dump_dir else _reckon(options, known)

    # 2. Memory, hours and disk.
    print(tables.memory_table(drawn.llm, drawn.micro, options))
    print(tables.flops_line(drawn, options))
    print(_hours(drawn, known, options))
    print(tables.disk_table(drawn.llm, options))


def rates(options: Options) -> Rates:
    """The rates to plan with: those of the table, or of --rates where it names them."""
    return Rates().with_file(options.rates) if options.rates else Rates()


def devices(options: Options, rates: Rates) -> list[Device]:
    """The GPUs to plan hours for."""
    by_key = {name.replace(" ", ""): name for name in compute.GPUS}
    precision = tables.precision(options)
    return [gpu(by_key[key], precision, rates) for key in options.gpus or by_key]


def _draw(options: Options) -> Drawn:
    """Read the dump, draw every batch, and print tokens and steps, exactly."""
    task = planned_task(options)
    train = task.train
    llm = sizes.measure(
        options.sizes or options.llm, task.llm.vocabulary.size
    ).with_heads(_heads(options, train.vocabulary.num_units))
    corpus = Corpus(
        len(train),
        options.dev_utterances,
        options.test_utterances,
        _mean_seconds(task),
        len(train.sides),
        train.vocabulary.unit_sec,
    )
    print(tables.describe(llm, corpus, task.accum_grad, options))
    steps = list(counts.draw_steps(task, options.max_steps))
    tables.print_tokens(task, steps, options)
    micro = [batch for step in steps for batch in step.micro]
    flops = tuple(
        compute.flops(llm, micro, checkpointing=again) for again in (False, True)
    )
    return Drawn(corpus, llm, phases.of_steps(steps), micro, flops)


def _mean_seconds(task: "InterleavedTask") -> float:
    """Of the recordings of the first thousand utterances."""
    some = [task.train[k] for k in range(min(1000, len(task.train)))]
    units = [len(side.units) for each in some for side in each.sides.values()]
    return sum(units) / len(units) * task.train.vocabulary.unit_sec


def _reckon(options: Options, rates: Rates) -> Drawn:
    """Take the corpus from --data_dir or from numbers; tokens are estimates."""
    unit_sec = frame_sec(options.encoder)
    others = _others(options)
    number, seconds, num_sides = options.utterances, options.seconds, 2
    if options.data_dir:
        data = kaldi.DataDirs(options.data_dir)
        times = [s for code in data.languages() for s in data.durations(code).values()]
        num_sides = len(kaldi.DataDir(options.data_dir[0]).sides)
        if not times:
            raise UserError(
                f"{options.data_dir[0]} has no utterance: run stage 1 first"
            )
        number, seconds = len(times) // num_sides, sum(times) / len(times)
    if not number:
        raise UserError("name --dump_dir, --data_dir, or --utterances and --seconds")
    corpus = Corpus(
        number,
        options.dev_utterances,
        options.test_utterances,
        seconds,
        num_sides,
        unit_sec,
    )
    source = options.sizes or options.llm
    num_units = others["kmeans"]["num_units"]
    vocabulary = sizes.read_config(source).vocab_size + num_units + 3
    llm = sizes.measure(source, vocabulary).with_heads(_heads(options, num_units))
    print(tables.describe(llm, corpus, tables.parts(options), options))
    reckoned = partial(
        phases.of_numbers,
        options.interleaving(),
        options.max_steps,
        options.batch_size,
        corpus,
        rates,
        two_views=options.consistency > 0 and "consistency" not in void_names(options),
    )
    planned = reckoned(lessons=options.teacher_weight > 0)
    tokens = sum(
        phase.num_steps * sum(map(sum, phase.lengths)) / len(phase.lengths)
        for phase in planned
    )
    print(
        f"\n{options.max_steps:,} steps, about {tokens:.3g} tokens, as nothing is drawn"
    )
    cut = partial(
        phases.micro_batches,
        num_gpus=options.ranks,
        accum_grad=options.accum_grad,
        budget=options.batch_tokens,
    )
    shares = [phase.num_steps / len(phase.lengths) for phase in planned]
    flops = tuple(
        sum(
            share * compute.flops(llm, cut(phase), checkpointing=again)
            for share, phase in zip(shares, planned, strict=True)
        )
        for again in (False, True)
    )
    # A teacher reads its lessons apart, and keeps nothing of them.
    trained = [m for phase in reckoned(lessons=False) for m in cut(phase)]
    return Drawn(corpus, llm, planned, trained, flops)


def _heads(options: Options, num_units: int) -> sizes.Heads:
    return sizes.Heads(options.num_unit_heads(), num_units)


def _others(options: Options) -> dict[str, hours.Options]:
    """Options of the other stages: those in --conf, or the defaults."""
    return hours.read_options(options.conf or Path(), options.encoder)


def _hours(drawn: Drawn, rates: Rates, options: Options) -> str:
    """A table for each kind of GPU: hours of every stage by number of GPUs."""
    recipe = hours.Recipe(
        corpus=drawn.corpus,
        llm=Llm(
            options.sizes or options.llm,
            drawn.llm.vocabulary,
            drawn.llm.num_weights,
            drawn.llm.heads,
        ),
        train=vars(options),
        phases=drawn.phases,
        options=_others(options) if options.conf else {},
        num_systems=options.num_systems,
        num_checkpoints=options.num_checkpoints,
        layout=options.read_tasks()[0].layout,
    )
    node = options.gpus_per_node
    numbers = sorted({1, node, node * options.nodes})
    shown = [
        hours.hours_table(recipe, device, rates, numbers, node)
        for device in devices(options, rates)
    ]
    return (
        "\n"
        + "\n\n".join(shown)
        + f"\nGPU-hours and the longest part: on {node}. No GPU "
        "has measured this yet; --show_rates true tells\nwhat each rate rests on"
    )


def planned_task(options: Options) -> "InterleavedTask":
    """The training's own task, with a tokenizer but with a model that has no weights."""
    from transformers import AutoTokenizer

    from s2st_interleave.llm.model import SpeechLlm
    from s2st_interleave.train.interleaved import InterleavedTask
    from s2st_interleave.train.teacher import Teacher

    for path in options.dump_dir:
        Input(path, "dump").fingerprint()
    dump = open_dumps(options.dump_dir, options.name_pair, options.num_utterances)
    try:
        tokenizer = load(AutoTokenizer, options.llm)
    except UserError as error:
        raise UserError(
            f"{options.llm}: no tokenizer, tokens cannot be counted ({error}); --llm "
            "wants a whole LLM, --sizes may name the dimensions of another"
        ) from None
    vocabulary = _vocabulary(options, tokenizer, dump.vocabulary.num_units)
    model = sizes.build(options.sizes or options.llm, vocabulary.size)
    prompt = options.teacher_prompt
    if options.teacher_weight:
        prompt = teacher_prompt.with_languages(prompt, options.dump_dir)
    return InterleavedTask(
        llm=SpeechLlm(model, tokenizer, vocabulary),
        train=dump,
        dev=dump,
        interleaving=options.interleaving(),
        batch_size=options.batch_size,
        accum_grad=tables.parts(options),
        device="cpu",
        batch_tokens=options.batch_tokens,
        consistency=options.consistency,
        teacher=Teacher(model, prompt, options.teacher_weight)
        if options.teacher_weight
        else None,
    )


def _vocabulary(options: Options, tokenizer: Any, num_units: int) -> Vocabulary:
    """The vocabulary of an LLM that has units, or that to which `extend` would extend it."""
    path = options.llm / VOCABULARY_FILE
    if path.is_file() and not options.sizes:
        return read_as(Vocabulary, path)
    config = sizes.read_config(options.sizes or options.llm)
    # The ids that mark begin and end do not change the counts.
    return Vocabulary(max(config.vocab_size, len(tokenizer)), num_units, 0, 0)
