"""The work of stages 6 to 9, by their options and the size of the corpus, for one GPU."""

from collections.abc import Mapping, Sequence
from typing import Any

from s2st_interleave.interleave.layout import Layout
from s2st_interleave.plan import networks
from s2st_interleave.plan.corpus import Corpus, Llm, Phase
from s2st_interleave.plan.cuts import Cut, cut
from s2st_interleave.plan.passes import Pass, added
from s2st_interleave.plan.rates import Rates
from s2st_interleave.plan.sizes import NO_HEADS
from s2st_interleave.plan.work import HIDING, Work, saved_bytes
from s2st_interleave.vocoder.backends import BACKENDS

Options = Mapping[str, Any]


def train(
    options: Options,
    llm: Llm,
    phases: Sequence[Phase],
    num_dev: int,
    rates: Rates,
    gpus: int,
) -> Work:
    """Stage 6, one system."""
    size = options["batch_size"]
    gpus = min(gpus, size)
    budget, steps, computing = options.get("batch_tokens", 0), [], []
    micro = imbalance = 0.0
    again = networks.optimizer_pass(llm.num_weights)
    for phase in phases:
        shape = cut(
            phase.lengths, gpus, accum_grad=options["accum_grad"], budget=budget
        )
        one = _llm_pass(llm, shape, phase.target_share, training=True)
        if options.get("gradient_checkpointing"):
            # All layers are computed once more, the output layer is not.
            one = added([one, _llm_pass(llm, shape, 0.0, training=False)])
        steps.append(added([one.times(shape.num_micro), again]).times(phase.num_steps))
        computing.append(steps[-1].flops)
        imbalance += computing[-1] * shape.imbalance
        micro += shape.num_micro * phase.num_steps
    num_steps = sum(phase.num_steps for phase in phases)
    num_dev = min(options.get("num_dev") or num_dev, num_dev)
    num_evaluations = num_steps / options["eval_every"]
    last = [length for step in phases[-1].lengths for length in step]
    mean = sum(last) / len(last)  # dev is drawn at ratio 0, where most schedules end
    seen = Cut(1, max(1, size // options["accum_grad"]), max(1, round(mean)), 1.0)
    evaluated = _llm_pass(llm, seen, phases[-1].target_share, training=False)
    return Work(
        "6 train",
        gpus,
        passes=tuple(steps),
        evaluations=(evaluated.times(num_evaluations * num_dev / seen.rows / gpus),),
        imbalance=imbalance / max(1.0, sum(computing)),
        loading_sec=num_steps * size / gpus * rates.draw_sec,
        num_sums=num_steps,
        summed_bytes=4 * llm.num_weights,
        hiding=HIDING * num_steps / max(1.0, micro),
        saved_bytes=saved_bytes(llm.num_weights, gpus)
        * num_steps
        / options["save_every"],
        read_bytes=4 * llm.num_weights,
    )


def decode(
    options: Options, layout: Layout, llm: Llm, corpus: Corpus, rates: Rates, gpus: int
) -> Work:
    """Stage 7, one system and checkpoint, all of test."""
    rows = min(options["batch_size"], max(1, corpus.test // gpus))
    text = round(corpus.seconds * rates.words_per_sec * rates.tokens_per_word)
    tokens = {"speech": corpus.num_units, "text": text}
    question, answer = (
        max(1, sum(tokens[block.kind] for block in blocks))
        for blocks in (layout.given, layout.wanted)
    )
    step = networks.llm_step(llm.source, llm.vocabulary, rows, question + answer // 2)
    shape = Cut(1, rows, question, 1.0)
    given = _llm_pass(llm, shape, 1 / question, training=False)
    batches = corpus.test / gpus / rows
    return Work(
        "7 decode",
        gpus,
        passes=(step.times(batches * answer / rates.decode_fill), given.times(batches)),
        read_bytes=4 * llm.num_weights,
    )


def vocoder(options: Options, corpus: Corpus, rates: Rates, gpus: int) -> Work:
    """Stage 8, training, by either back-end."""
    size, steps = options["batch_size"], options["max_steps"]
    per_unit = round(16_000 * corpus.frame_sec)
    block = _block(options)
    if options["backend"] == "hifigan":
        gpus = 1
        step = networks.gan_pass(block, 2048, per_unit, size)
        return Work(
            "8 vocoder",
            passes=(step.times(steps),),
            dtype="tf32",  # of convolutions, which is torch's default
            loading_sec=steps * size * rates.crop_sec,
            saved_bytes=1e9 * steps / options["save_every"],
        )
    gpus = min(gpus, size)
    crop = block.crop_units
    one = networks.world_pass(block, 200, per_unit, size // gpus, crop, training=True)
    number = (
        min(options.get("num_dev") or 10**9, corpus.dev) * steps / options["eval_every"]
    )
    heard = networks.world_pass(
        block, 200, per_unit, size // gpus, corpus.num_units, training=False
    )
    return Work(
        "8 vocoder",
        gpus,
        passes=(one.times(steps),),
        evaluations=(heard.times(number / size),),
        alone_sec=corpus.train * corpus.seconds * rates.analysis_sec / gpus,
    )


def vocode(options: Options, corpus: Corpus, rates: Rates, gpus: int) -> Work:
    """Stage 8, speech of one system's answers."""
    number, units = corpus.test / gpus, corpus.num_units
    per_unit, block = round(16_000 * corpus.frame_sec), _block(options)
    if options["backend"] == "hifigan":
        made = networks.generator_pass(block, 2048, per_unit, units)
        return Work("8 vocode", gpus, passes=(made.times(number),), dtype="tf32")
    made = networks.world_pass(block, 200, per_unit, 1, units, training=False)
    return Work(
        "8 vocode",
        gpus,
        passes=(made.times(number),),
        loading_sec=number * corpus.seconds * rates.synthesis_sec,
    )


def score(options: Options, corpus: Corpus, rates: Rates, gpus: int) -> Work:
    """Stage 9, one system: each clip is a window of 30 s for Whisper."""
    words = corpus.seconds * rates.words_per_sec
    rows = min(options.get("asr_batch") or 1, corpus.test) if rates.loaders else 1
    heard, written = networks.whisper_passes(
        str(options["asr"]), rows, round(words * rates.tokens_per_word) + 1
    )
    number = corpus.test / gpus
    judged = rates.mos_sec * number if options.get("mos", "none") != "none" else 0.0
    return Work(
        "9 score",
        gpus,
        passes=(heard.times(number / rows), written.times(number / rows)),
        dtype="bf16" if options.get("compute_type") == "float16" else "fp32",
        loading_sec=judged,
        alone_sec=rates.resamples_sec * corpus.test,
    )


def _llm_pass(llm: Llm, shape: Cut, share: float, *, training: bool) -> Pass:
    targets = max(1, round(shape.rows * shape.length * share))
    return networks.llm_pass(
        llm.source,
        llm.vocabulary,
        shape.rows,
        shape.length,
        targets,
        llm.heads if training else NO_HEADS,
        training=training,
    )


def _block(options: Options) -> Any:
    """The options of the vocoder's back-end, from a mapping or as they are parsed."""
    backend = options["backend"]
    block, kind = options.get(backend, {}), BACKENDS[backend].Options
    if not isinstance(block, Mapping):
        return block
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in block.items()}
    return kind(**values)
