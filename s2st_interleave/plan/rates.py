"""The rates that hours are planned with: one table, and where each figure comes from.

"measured" names the command and the machine, "published" the source, and "reckoned" means
that nobody has measured it yet: `plan --rates FILE.json` puts measured ones in their place
(an object with some of the names below). "a core here" is a core of the machine on which
the mini recipe is developed (2 cores of a server, one thread); a server's own are taken to
be as fast.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from s2st_interleave import typed_json
from s2st_interleave.files import read_json


def _rate(value: float, unit: str, source: str) -> Any:
    return field(default=value, metadata={"unit": unit, "source": source})


@dataclass(frozen=True)
class Rates:
    """Seconds, bytes and shares by name; `sources` tells units and sources."""

    # 1. GPUs: a data sheet's peaks (compute.GPUS), and what is reached of them.
    product_share: float = _rate(
        0.6, "of the peak", "reckoned: large bf16 products of cuBLAS on an H100"
    )
    memory_share: float = _rate(
        0.8, "of the bandwidth", "reckoned: elementwise kernels"
    )
    bf16_bytes: float = _rate(
        0.7, "of fp32's", "reckoned: autocast halves products and keeps norms in fp32"
    )
    launch_sec: float = _rate(
        20e-6,
        "s a kernel",
        "reckoned: 16 layers forward and backward take a core here 70 ms, w2v-BERT's "
        "forward 35 ms (1,399 kernels), a server's half of that",
    )

    # 2. Between GPUs, and disks.
    node_link: float = _rate(150e9, "B/s of a ring's bus", "reckoned: NVLink 4, 8 GPUs")
    cluster_link: float = _rate(
        30e9, "B/s of a ring's bus", "reckoned: 400 Gb/s InfiniBand a GPU"
    )
    write_rate: float = _rate(
        1e9, "B/s of one process", "reckoned: a parallel file system"
    )
    read_rate: float = _rate(2e9, "B/s of one process", "reckoned: page cache or NVMe")

    # 3. Work of a core; it is hidden where processes do it ahead of a GPU.
    pair_sec: float = _rate(
        8.7e-3, "s a pair", "measured: stage 1 on clips of 4.5 s, a core here"
    )
    flac_sec: float = _rate(
        2.2e-4, "s a second", "measured: 1.0 ms of 4.5 s, a core here"
    )
    banks_sec: float = _rate(
        6.4e-4,
        "s a second",
        "measured: 2.9 ms of 4.5 s, encoder/filter_banks.py, a core here",
    )
    align_sec: float = _rate(
        2.1e-3, "s a recording", "measured: 2,000 pieces, names built once, a core here"
    )
    draw_sec: float = _rate(
        1.5e-4, "s an example", "measured: benchmarks --only draws, 0.08 to 0.16 ms"
    )
    dump_sec: float = _rate(68e-6, "s a pair", "measured: 207,000 in 14 s, a core here")
    crop_sec: float = _rate(
        4e-4, "s a crop", "measured: benchmarks --only vocoder_crops, sought in a FLAC"
    )
    analysis_sec: float = _rate(
        0.039, "s a second", "measured: WORLD on clips of 3.75 s, a core here, busy"
    )
    synthesis_sec: float = _rate(
        0.023, "s a second", "measured: WORLD on clips of 3.75 s, a core here, busy"
    )
    mos_sec: float = _rate(0.06, "s a clip", "reckoned: DNSMOS on a core")
    resamples_sec: float = _rate(
        2e-3, "s an utterance", "reckoned: scores and 1,000 resamples"
    )
    decode_fill: float = _rate(
        0.85, "of a batch's rows", "reckoned: those that still answer at a step"
    )
    start_sec: float = _rate(
        3.0,
        "s a command",
        "measured: imports of torch and transformers and a first batch, 1-4 s, a core here",
    )
    loaders: float = _rate(8, "processes a GPU", "conf/slurm.yaml: cpus_per_gpu")

    # 4. A core as the device that trains, for the mini recipe.
    core_products: float = _rate(
        110e9,
        "operations/s",
        "measured: plan/here.py, a core here: 119e9, of which shapes reach 0.9",
    )
    core_memory: float = _rate(
        8e9, "B/s", "measured: plan/here.py, SiLU and LayerNorm, a core here"
    )
    core_link: float = _rate(
        1e9, "B/s of a ring's bus", "reckoned: gloo between processes of one machine"
    )
    core_launch_sec: float = _rate(
        28e-6,
        "s a kernel",
        "measured: a clip through the mini encoder takes 12 ms, of which its 203 kernels' "
        "products and bytes explain 6; modules in Python take the rest",
    )

    # 5. Speech and text, where no data says it.
    words_per_sec: float = _rate(2.5, "words/s", "reckoned: read speech")
    tokens_per_word: float = _rate(
        1.35, "tokens", "reckoned: Llama-3 on English and French"
    )
    length_spread: float = _rate(
        0.35, "std of log seconds", "reckoned: read sentences of Common Voice"
    )

    def sources(self) -> Iterator[tuple[str, float, str, str]]:
        """Name, value, unit and source of each rate."""
        for each in fields(self):
            yield (
                each.name,
                getattr(self, each.name),
                each.metadata["unit"],
                each.metadata["source"],
            )

    def with_file(self, path: Path) -> "Rates":
        """These rates, with those that a JSON object names; UserError for unknown ones."""
        named = read_json(path)
        typed_json.read(Rates, named, str(path))
        return replace(self, **{name: float(value) for name, value in named.items()})


@dataclass(frozen=True)
class Device:
    """What computes: operations and bytes a second, and the seconds to start a kernel.

    `at` gives the same device for products of another kind. `ahead`: kernels queue, and
    starting them costs nothing as long as the queue is full.
    `loaders` processes prepare batches meanwhile; 0: the device's own process does.
    """

    name: str
    products: float
    memory: float
    launch_sec: float
    ahead: bool
    loaders: float
    kinds: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def at(self, dtype: str) -> "Device":
        """With the products and the memory of `dtype`; itself where it has no such kind."""
        products, memory = self.kinds.get(dtype, (self.products, self.memory))
        return replace(self, products=products, memory=memory)
