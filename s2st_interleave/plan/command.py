"""Plan a training: the tokens, steps, memory, FLOPs, hours and disk that it will take.

    python -m s2st_interleave plan --config conf/train.yaml \\
        --config conf/systems/scheduled.yaml --dump_dir dump/interleave/train \\
        --llm meta-llama/Llama-3.2-1B --ranks 2 --parallel fsdp

It takes the options of `train` and draws the batches that the training would draw, so
that tokens and steps are exact. It reads the LLM's configuration and tokenizer, but no
weights; `--sizes` names another LLM's dimensions, for example in a JSON file:
`--llm downloads/llm --sizes egs/cvss/conf/llama_3.2_1b.json`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_as
from s2st_interleave.hub import load
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm.options import VOCABULARY_FILE
from s2st_interleave.plan import compute, counts, disk, memory, sizes
from s2st_interleave.plan.disk import human
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages import train
from s2st_interleave.stages.dumps import open_dumps

if TYPE_CHECKING:
    from s2st_interleave.train.interleaved import InterleavedTask


@dataclass(frozen=True, kw_only=True)
class Options(train.Options):
    dump_dir: tuple[Path, ...] = option(REQUIRED, "dump/interleave/train, or several")
    train_dir: tuple[Path, ...] = option((), "not used: --dump_dir")
    dev_dir: tuple[Path, ...] = option((), "not used: evaluations are not planned")
    out_dir: Path = option(Path(), "not used: nothing is written")
    sizes: Path | None = option(None, "plan for this LLM's dimensions, not --llm's")
    ranks: int = option(1, "GPUs", minimum=1)
    parallel: memory.Parallel = option("ddp", "weights whole on each, or sharded")
    dtype: Literal["auto", "fp32", "bf16"] = option("auto", "of products; auto: bf16")
    kernel: memory.Kernel = option(
        "fused", "of attention; math keeps its scores, as a CPU with dropout does"
    )
    gpus: tuple[Literal["A100", "H100", "H200", "RTX4090"], ...] = option(
        (), "of 'A100 H100 H200 RTX4090'; default all"
    )
    utilisation: float = option(
        0.35, "assumed share of a GPU's peak", above=0, maximum=1
    )
    max_drawn: int = option(
        20_000, "utterances drawn for a row of tokens per epoch; 0: all", minimum=0
    )
    recipe: tuple[Path, ...] = option(
        (Path(),), "whose finished stages' disk is told: '. ../x_en'"
    )


def run(options: Options) -> None:
    # 1. Read the LLM's dimensions and the data.
    task = planned_task(options)
    llm = sizes.measure(options.sizes or options.llm, task.llm.vocabulary.size)
    print(_describe(llm, task, options))

    # 2. Print tokens and steps, exactly.
    steps = list(counts.draw_steps(task, options.max_steps))
    if not steps:
        raise UserError("--max_steps 0: there is nothing to plan")
    _print_tokens(task, steps, options)

    # 3. Print memory, hours and disk.
    micro = [batch for step in steps for batch in step.micro]
    print(memory_table(llm, micro, options))
    print(hours_table(llm, micro, options))
    print(disk_table(llm, options))


def planned_task(options: Options) -> "InterleavedTask":
    """The training's own task, with a tokenizer but with a model that has no weights."""
    from transformers import AutoTokenizer

    from s2st_interleave.llm.model import SpeechLlm
    from s2st_interleave.train.interleaved import InterleavedTask

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
    return InterleavedTask(
        llm=SpeechLlm(model, tokenizer, vocabulary),
        train=dump,
        dev=dump,
        interleaving=options.interleaving(),
        batch_size=options.batch_size,
        accum_grad=_parts(options),
        device="cpu",
        batch_tokens=options.batch_tokens,
    )


def _vocabulary(options: Options, tokenizer: Any, num_units: int) -> Vocabulary:
    """The vocabulary of an LLM that has units, or that to which `extend` would extend it."""
    path = options.llm / VOCABULARY_FILE
    if path.is_file() and not options.sizes:
        return read_as(Vocabulary, path)
    config = sizes.read_config(options.sizes or options.llm)
    # The ids that mark begin and end do not change the counts.
    return Vocabulary(max(config.vocab_size, len(tokenizer)), num_units, 0, 0)


def _parts(options: Options) -> int:
    """Micro-batches of a step over all ranks, which have equally many."""
    return options.ranks * -(-options.accum_grad // options.ranks)


def _describe(llm: sizes.LlmSizes, task: "InterleavedTask", options: Options) -> str:
    return (
        f"data    {' '.join(map(str, options.dump_dir))}: {len(task.train)} utterances, "
        f"{task.train.vocabulary.num_units} units\n"
        f"LLM     {llm.name}: {llm.num_weights:,} weights, {llm.num_layers} layers, "
        f"width {llm.hidden}, {llm.vocabulary:,} rows; tokenizer {options.llm}\n"
        f"batch   {options.batch_size} utterances in {task.accum_grad} micro-batches over "
        f"{options.ranks} GPUs, {_precision(options)}"
        + ("; LoRA is planned as if all was trained" if _lora(options) else "")
    )


def _precision(options: Options) -> memory.Precision:
    return "fp32" if options.dtype == "fp32" else "bf16"


def _lora(options: Options) -> bool:
    return options.lora_rank > 0


def _print_tokens(
    task: "InterleavedTask", steps: Sequence[counts.Step], options: Options
) -> None:
    rows = []
    for phase in counts.phases(steps):
        epoch, exact = counts.tokens_per_epoch(task, phase, options.max_drawn)
        last = phase.first_step + phase.num_steps - 1
        rows.append(
            [
                f"{phase.text_ratio:g}",
                f"{phase.first_step}-{last}",
                f"{'' if exact else '~'}{epoch:,}",
                f"{phase.tokens:,}",
                f"{phase.padded / phase.tokens:.2f}",
            ]
        )
    head = [
        "text ratio",
        "steps",
        "tokens per epoch",
        "tokens in these steps",
        "padded",
    ]
    total = sum(step.tokens for step in steps)
    epochs = len(steps) * options.batch_size / len(task.train)
    print(
        f"\n{table(head, rows)}\n{len(steps):,} steps, {epochs:.1f} epochs, "
        f"{total:,} tokens"
    )


def memory_table(
    llm: sizes.LlmSizes, micro: Sequence[counts.MicroBatch], options: Options
) -> str:
    """A table of bytes on one GPU, without and with gradient checkpointing."""
    setups = [replace(setup(options), checkpointing=again) for again in (False, True)]
    columns = [memory.moments(llm, micro, each) for each in setups]
    names = ["weights", "gradients", "optimizer", "activations", "logits", "buffers"]
    rows = [
        [name, *(human(max(getattr(m, name) for m in moments)) for moments in columns)]
        for name in names
    ]
    peaks = [memory.peak(llm, micro, each) for each in setups]
    rows.append(["at its most", *(human(peak.total) for peak in peaks)])
    rows.append(["which is at", *(peak.moment for peak in peaks)])
    largest = max(micro, key=lambda batch: batch.rows * batch.length)
    return (
        f"\n{table(['memory per GPU', 'plain', 'gradient checkpointing'], rows)}\n"
        f"within {memory.ERROR:.0%}, without torch's own start-up and fragmentation; not "
        "all rows are\nthere at once; largest micro-batch "
        f"{largest.rows} x {largest.length}; attention {options.kernel}"
        + (f"; {options.ranks} GPUs, {options.parallel}" if options.ranks > 1 else "")
    )


def setup(options: Options) -> memory.Setup:
    """The settings of an optimizer step, by the options."""
    return memory.Setup(
        precision=_precision(options),
        kernel="math" if options.attention == "eager" else options.kernel,
        ranks=options.ranks,
        parallel=options.parallel,
        accumulates=_parts(options) > options.ranks,
    )


def hours_table(
    llm: sizes.LlmSizes, micro: Sequence[counts.MicroBatch], options: Options
) -> str:
    """A table of hours on each GPU, without and with gradient checkpointing."""
    precision = _precision(options)
    work = [compute.flops(llm, micro, checkpointing=again) for again in (False, True)]
    needs = [
        memory.peak(llm, micro, replace(setup(options), checkpointing=again)).total
        for again in (False, True)
    ]
    rows = []
    for name, gpu in _gpus(options).items():
        row = [name, f"{gpu.peak(precision) / 1e12:g}"]
        for operations, need in zip(work, needs, strict=True):
            hours = compute.hours(
                operations, gpu, precision, options.utilisation, options.ranks
            )
            fits = need * (1 + memory.ERROR) < gpu.memory
            row.append(f"{hours:.3g}{'' if fits else ' (does not fit)'}")
        rows.append(row)
    head = ["GPU", f"peak TFLOP/s, {precision}", "hours", "with checkpointing"]
    return (
        f"\n{work[0]:.3g} FLOPs, {work[1]:.3g} with checkpointing: forward 2 a weight "
        "and position, attention\n4 a width and pair of positions; backward twice "
        f"that; evaluations left out\n\n{table(head, rows)}\n"
        f"assumed: {options.utilisation:.0%} of the peak"
        + (f", {options.ranks} GPUs" if options.ranks > 1 else "")
    )


def _gpus(options: Options) -> dict[str, compute.Gpu]:
    by_key = {name.replace(" ", ""): name for name in compute.GPUS}
    return {by_key[k]: compute.GPUS[by_key[k]] for k in options.gpus or by_key}


def disk_table(llm: sizes.LlmSizes, options: Options) -> str:
    """A table of the disk that finished stages take, and a line about checkpoints."""
    rows = [
        [used.stage, str(used.num_directories), human(used.bytes)]
        for used in disk.finished(options.recipe)
    ]
    bytes_of = disk.checkpoints(llm, options.keep_last)
    head = ["stage, finished", "directories", "disk"]
    return (
        (f"\n{table(head, rows)}" if rows else "")
        + f"\neach system of stage 6: {human(bytes_of['kept'])} ({options.keep_last} "
        f"checkpoints and the best, each {human(bytes_of['weights'])} of weights and "
        f"{human(bytes_of['optimizer'])} of optimizer state), "
        f"{human(bytes_of['while saving'])} while it saves"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Text columns of equal width: the first is aligned left, the others right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [head, *rows]
    ]
    return "\n".join(lines)
