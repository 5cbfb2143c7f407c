"""The tables that `plan` prints."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from s2st_interleave.interleave import ramp
from s2st_interleave.plan import compute, counts, disk, memory, sizes
from s2st_interleave.plan.corpus import Corpus
from s2st_interleave.plan.disk import human
from s2st_interleave.plan.rates import Rates
from s2st_interleave.text_table import number_table

if TYPE_CHECKING:
    from s2st_interleave.plan.command import Drawn, Options
    from s2st_interleave.train.interleaved import InterleavedTask


def describe(
    llm: sizes.LlmSizes, corpus: Corpus, parts: int, options: "Options"
) -> str:
    where = " ".join(map(str, options.dump_dir or options.data_dir)) or "numbers alone"
    budget = options.batch_tokens
    cut = f"micro-batches of {budget:,} tokens" if budget else f"{parts} micro-batches"
    gate = options.gate()
    extent = ramp.describe(
        options.interleaving(), options.max_steps, gate.every if gate else 0
    )
    return (
        f"data    {where}: {corpus.train} utterances, {corpus.seconds:.1f} s a recording\n"
        f"LLM     {llm.name}: {llm.num_weights:,} weights, {llm.num_layers} layers, "
        f"width {llm.hidden}, {llm.vocabulary:,} rows; tokenizer {options.llm}\n"
        f"batch   {options.batch_size} utterances in {cut} over {options.ranks} GPUs, "
        f"{precision(options)}"
        + ("; LoRA is planned as if all was trained" if _lora(options) else "")
        + (f"\nramp    {extent}" if extent else "")
    )


def precision(options: "Options") -> memory.Precision:
    return "fp32" if options.dtype == "fp32" else "bf16"


def _lora(options: "Options") -> bool:
    return options.lora_rank > 0


def print_tokens(
    task: "InterleavedTask", steps: Sequence[counts.Step], options: "Options"
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
        f"\n{number_table(head, rows)}\n{len(steps):,} steps, {epochs:.1f} epochs, "
        f"{total:,} tokens"
    )


def memory_table(
    llm: sizes.LlmSizes, micro: Sequence[counts.MicroBatch], options: "Options"
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
        f"\n{number_table(['memory per GPU', 'plain', 'gradient checkpointing'], rows)}\n"
        f"within {memory.ERROR:.0%}, without torch's own start-up and fragmentation; not "
        "all rows are\nthere at once; largest micro-batch "
        f"{largest.rows} x {largest.length}; attention {options.kernel}"
        + (f"; {options.ranks} GPUs, {options.parallel}" if options.ranks > 1 else "")
    )


def parts(options: "Options") -> int:
    """Micro-batches of a step over all ranks, which have equally many."""
    return options.ranks * -(-options.accum_grad // options.ranks)


def setup(options: "Options") -> memory.Setup:
    """The settings of an optimizer step, by the options."""
    return memory.Setup(
        precision=precision(options),
        kernel="math" if options.attention == "eager" else options.kernel,
        ranks=options.ranks,
        parallel=options.parallel,
        # A budget of tokens cuts most steps into several micro-batches.
        accumulates=parts(options) > options.ranks or options.batch_tokens > 0,
        logits_at_once=0 if options.lora_rank else options.logits_at_once,
        foreach=options.fused_adamw == "false",
        teacher=options.teacher_weight > 0,
        checkpointing=options.gradient_checkpointing,
    )


def flops_line(drawn: "Drawn", options: "Options") -> str:
    """Operations of one system of stage 6, and on which GPUs its memory fits."""
    plain, again = drawn.flops
    need = memory.peak(drawn.llm, drawn.micro, setup(options)).total
    fits = [
        name
        for name, kind in compute.GPUS.items()
        if need * (1 + memory.ERROR) < kind.memory
    ]
    none = "no GPU" + " without --gradient_checkpointing" * (
        not options.gradient_checkpointing
    )
    return (
        f"\n{plain:.3g} FLOPs, {again:.3g} with checkpointing: forward 2 a weight and "
        "position, attention\n4 a width and pair of positions; backward twice that; "
        f"fits: {', '.join(fits) or none}"
    )


def disk_table(llm: sizes.LlmSizes, options: "Options") -> str:
    """A table of the disk that finished stages take, and a line about checkpoints."""
    rows = [
        [
            used.stage,
            str(used.num_directories),
            f"{used.num_files:,}",
            human(used.bytes),
        ]
        for used in disk.finished(options.recipe)
    ]
    bytes_of = disk.checkpoints(llm, options.keep_last)
    head = ["stage, finished", "directories", "files", "disk"]
    return (
        (f"\n{number_table(head, rows)}" if rows else "")
        + f"\neach system of stage 6: {human(bytes_of['kept'])} ({options.keep_last} "
        f"checkpoints and the best, each {human(bytes_of['weights'])} of weights and "
        f"{human(bytes_of['optimizer'])} of optimizer state), "
        f"{human(bytes_of['while saving'])} while it saves, {human(bytes_of['ended'])} "
        "when it has ended"
    )


def rates_table(rates: Rates) -> str:
    rows = [
        [name, f"{value:g}", unit, source]
        for name, value, unit, source in rates.sources()
    ]
    return "\n".join(f"{n:17} {v:>8} {u:26} {s}" for n, v, u, s in rows) + "\n"
