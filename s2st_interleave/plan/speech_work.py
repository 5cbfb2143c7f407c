"""The work of stages 1 to 5, by their options and the size of the corpus, for one GPU.

`options` are those of the stage's command, or of its `stage.json`; of stages 3 and 4 they
name the encoder and its `num_pieces` too.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s2st_interleave.plan import networks
from s2st_interleave.plan.corpus import Corpus
from s2st_interleave.plan.cuts import cut, drawn_lengths
from s2st_interleave.plan.passes import Pass, added
from s2st_interleave.plan.rates import Rates
from s2st_interleave.plan.work import HIDING, Work, saved_bytes

BATCH_SEC = 200.0  # audio in a batch of stages 3 and 4, where options name none

Options = Mapping[str, Any]


def data(corpus: Corpus, rates: Rates, gpus: int) -> Work:
    """Stage 1: recordings are read, resampled and written by the cores beside the GPUs."""
    cores = max(1.0, rates.loaders * gpus)
    scale = corpus.seconds / 4.5 * corpus.num_sides / 2
    busy = corpus.num_utterances * rates.pair_sec * scale / cores
    return Work("1 data", gpus, alone_sec=busy, starts=3)


def encoder(options: Options, corpus: Corpus, rates: Rates, gpus: int) -> Work:
    """Stage 2: CTC fine-tuning."""
    source, pieces = Path(options["encoder"]), options["num_pieces"]
    size = options["batch_size"]
    gpus = min(gpus, size)
    # 1. Batches are cut by centiseconds, as lengths are whole numbers.
    drawn = drawn_lengths(100 * corpus.seconds, rates, size)
    budget = 100 * options.get("batch_sec", 0)
    shape = cut(
        drawn, gpus, accum_grad=options["accum_grad"], budget=budget, is_sorted=False
    )
    one = networks.encoder_pass(
        source, pieces, shape.rows, shape.length / 100, training=True
    )
    steps = options["max_steps"]
    weights = sum(p.numel() for p in networks.encoder(source, pieces).parameters())
    step = added([one.times(shape.num_micro), networks.optimizer_pass(weights)])
    # 2. Evaluations, with as many recordings at once as a micro-batch has.
    num_evaluations = steps / options["eval_every"]
    num_dev = min(options["num_dev"] or 10**9, corpus.dev * corpus.num_sides)
    heard = networks.encoder_pass(
        source, pieces, shape.rows, shape.length / 100, training=False
    ).times(num_evaluations * num_dev / shape.rows / gpus)
    recording = corpus.seconds * (rates.flac_sec + rates.banks_sec)
    num_read = steps * size / gpus
    if options.get("cache_features"):
        num_read = min(num_read, corpus.train * corpus.num_sides)
    return Work(
        "2 encoder",
        gpus,
        passes=(step.times(steps),),
        evaluations=(heard,),
        imbalance=shape.imbalance,
        loading_sec=num_read * recording,
        num_sums=steps,
        summed_bytes=4 * weights,
        hiding=HIDING / shape.num_micro,
        saved_bytes=saved_bytes(weights, gpus) * steps / options["save_every"],
        read_bytes=4 * weights,
    )


def hearing(options: Options, corpus: Corpus, rates: Rates, gpus: int) -> Work:
    """Stages 3 and 4: word times and units of all recordings, from one pass."""
    source, pieces = Path(options["encoder"]), options["num_pieces"]
    number = corpus.num_utterances * corpus.num_sides / gpus
    heard = _heard(options, source, pieces, corpus).times(number)
    reading = corpus.seconds * (rates.flac_sec + rates.banks_sec)
    return Work(
        "3+4 align, units",
        gpus,
        passes=(heard,),
        dtype=options.get("dtype", ""),
        loading_sec=number * reading,
        loaders=options.get("num_loaders", 0),
        own_sec=number * rates.align_sec,
        starts=3,
        read_bytes=4 * _weights(source, pieces),
    )


def kmeans(options: Options, corpus: Corpus, rates: Rates) -> Work:
    """Stage 4: frames of some recordings, and scikit-learn's mini-batches on the cores."""
    source, pieces = Path(options["encoder"]), options["num_pieces"]
    number = min(options["num_utterances"], corpus.train * corpus.num_sides)
    width = networks.encoder(source, pieces).config.hidden_size
    frames = min(options["max_frames"], number * corpus.num_units)
    # About as many frames as there are, three times over, and one pass for the labels.
    products = (3 + 1) * 2.0 * frames * options["num_units"] * width
    return Work(
        "4 kmeans",
        passes=(_heard(options, source, pieces, corpus).times(number),),
        dtype=options.get("dtype", ""),
        loading_sec=number * corpus.seconds * (rates.flac_sec + rates.banks_sec),
        alone_sec=products / (rates.core_products * max(1.0, rates.loaders)),
        read_bytes=4 * _weights(source, pieces),
    )


def dump(corpus: Corpus, rates: Rates) -> Work:
    """Stage 5: one process a split."""
    return Work("5 dump", alone_sec=corpus.num_utterances * rates.dump_sec, starts=3)


def _heard(options: Options, source: Path, pieces: int, corpus: Corpus) -> Pass:
    """A mean recording's share of a batch through the encoder."""
    rows = max(1, int(options.get("batch_sec", BATCH_SEC) / corpus.seconds))
    whole = networks.encoder_pass(source, pieces, rows, corpus.seconds, training=False)
    return whole.times(1 / rows)


def _weights(source: Path, pieces: int) -> int:
    return sum(p.numel() for p in networks.encoder(source, pieces).parameters())
