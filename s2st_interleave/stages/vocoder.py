"""Stage 8, first half: train the unit vocoder on the recordings of the target voice."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from s2st_interleave import drops, keyed
from s2st_interleave.config import REQUIRED, option, to_dict
from s2st_interleave.data import audio, kaldi, sides
from s2st_interleave.effects import Void
from s2st_interleave.errors import UserError
from s2st_interleave.stage_dir import numbered, open_stage, read_done
from s2st_interleave.train import checkpoint, parallel
from s2st_interleave.train.loop import (
    LoopOptions,
    Outcome,
    fit,
    resolve_device,
    set_threads,
)
from s2st_interleave.units import store
from s2st_interleave.vocoder.base import HifiganSizes, Rate, Sizes, WorldSizes

# Options of training that one backend alone follows, besides its sizes.
WORLD = ("accum_grad", "max_grad_norm", "weight_decay", "adam_beta2")
HIFIGAN = ("lr_halve_every", "lambda_mel", "lambda_feat_match", "lambda_adv")


@dataclass(frozen=True, kw_only=True)
class Options(LoopOptions, HifiganSizes, WorldSizes):
    backend: Literal["hifigan", "world"] = option("hifigan", "world: minutes on a CPU")
    data_dir: tuple[Path, ...] = option(REQUIRED, "data/train; several: of many pairs")
    dev_data_dir: tuple[Path, ...] = option(REQUIRED, "data/dev, one or several")
    units_dir: tuple[Path, ...] = option(REQUIRED, "dump/units/train, as data_dir")
    dev_units_dir: tuple[Path, ...] = option(REQUIRED, "dump/units/dev, the same")
    side: str = option("tgt", "whose voice it learns", new=True)
    out_dir: Path = option(REQUIRED, "exp/<vocoder> to write")
    num_dev: int = option(100, "dev utterances to evaluate on; 0: all", minimum=0)
    lr: float = option(2e-4, "peak learning rate; hifigan's recipe has 2e-4", above=0)
    batch_size: int = option(16, "crops per optimizer step", minimum=1)
    lr_halve_every: int = option(
        200_000, "hifigan: steps between halvings, four at most", minimum=1
    )
    lambda_mel: float = option(45.0, "hifigan: weight of the mel loss", minimum=0)
    lambda_feat_match: float = option(
        2.0, "hifigan: weight of feature matching", minimum=0
    )
    lambda_adv: float = option(
        1.0, "hifigan: weight of the adversarial loss", minimum=0
    )
    nj: int = option(1, "world: processes of the analysis", runtime=True, minimum=1)

    removed: ClassVar[dict[str, str]] = {
        "language": "it is --side, which names a role such as tgt"
    }

    @staticmethod
    def earlier(options: dict[str, Any]) -> dict[str, Any]:
        """Options of a version that named the voice by its language."""
        return {name: value for name, value in options.items() if name != "language"}

    def voids(self) -> list[Void]:
        own = {
            "world": (*_own(WorldSizes), *WORLD),
            "hifigan": (*_own(HifiganSizes), *HIFIGAN),
        }
        return [Void("backend", k, v) for k, v in own.items() if k != self.backend]


def _own(sizes: type[Sizes]) -> list[str]:
    """Names of what one backend alone is built from."""
    return [f.name for f in fields(sizes) if f.name not in Sizes.__dataclass_fields__]


def run(options: Options) -> None:
    # 1. Is there anything to do?
    stage = parallel.on_first(
        lambda: open_stage(
            options.out_dir,
            stage="vocoder",
            options=options,
            inputs={
                **numbered("data", options.data_dir, "data"),
                **numbered("dev_data", options.dev_data_dir, "data"),
                **numbered("units", options.units_dir, "units"),
                **numbered("dev_units", options.dev_units_dir, "units"),
            },
            overwrite=options.overwrite,
        )
    )
    if stage is None:
        return

    # 2. Recordings and units, joined by utterance id; dev is cut, training is not.
    set_threads(options.num_threads)
    codebook = _codebook((*options.units_dir, *options.dev_units_dir))
    rate = unit_rate(options.units_dir[0])
    side = options.side
    wavs, units = _pairs(options.data_dir, options.units_dir, side, "train")
    dev_wavs, dev_units = _pairs(
        options.dev_data_dir, options.dev_units_dir, side, "dev"
    )
    train = sorted(wavs)
    dev = sorted(dev_wavs)[: options.num_dev or None]
    wavs |= {utterance: dev_wavs[utterance] for utterance in dev}
    units |= {utterance: dev_units[utterance] for utterance in dev}

    # 3. Train; the last checkpoint is the vocoder.
    learn = {"world": _train_world, "hifigan": _train_hifigan}[options.backend]
    outcome = learn(options, rate, wavs, units, train, dev)
    parallel.on_first(
        lambda: stage.finish(
            num_in=len(train),
            num_out=len(train),
            backend=options.backend,
            kmeans=codebook,
            num_units=rate.num_units,
            samples_per_unit=rate.samples_per_unit,
            train_sec=outcome.train_sec,
            loop=to_dict(outcome),
        )
    )


def _codebook(units_dirs: tuple[Path, ...]) -> str | None:
    """Fingerprint of the codebook that all the units are of; UserError if they differ."""
    made = {p: read_done(p, "units")["facts"].get("kmeans") for p in units_dirs}
    first, *others = made
    for other in others:
        if made[other] != made[first]:
            raise UserError(f"{other} and {first} hold units of different codebooks")
    return made[first]


def unit_rate(units_dir: Path) -> Rate:
    """How the units of stage 4 lie in 16 kHz audio."""
    facts = read_done(units_dir, "units")["facts"]
    samples = facts["unit_sec"] * audio.SAMPLE_RATE
    if abs(samples - round(samples)) > 1e-6:
        raise UserError(
            f"{units_dir}: a unit of {facts['unit_sec']} s is not a whole number of "
            f"samples at {audio.SAMPLE_RATE} Hz"
        )
    return Rate(facts["num_units"], round(samples), audio.SAMPLE_RATE)


def _pairs(
    data_dirs: tuple[Path, ...], units_dirs: tuple[Path, ...], side: str, split: str
) -> tuple[dict[str, Path], dict[str, np.ndarray]]:
    """Wavs and units by '<split>-<id>': no id clashes with one of another split."""
    if len(data_dirs) != len(units_dirs):
        raise UserError(
            f"{len(data_dirs)} data directories, {len(units_dirs)} of units"
        )
    found = kaldi.DataDirs(data_dirs).wavs_of_side(side)
    wavs, units = {}, {}
    for data_dir, units_dir in zip(data_dirs, units_dirs, strict=True):
        data = kaldi.DataDir(data_dir)
        scp = sides.path_of(units_dir, "units.{}.scp", side, data.sides)
        made = store.read_units(scp.with_suffix(""))
        silent = data.silent(side)  # no voice to learn there
        lost = silent | drops.read(units_dir).keys()
        for utterance in sorted(data.wavs(side).keys() - lost):
            if not len(made.get(utterance, ())):
                raise UserError(f"{units_dir}: no units.{side} of {utterance}")
            wavs[f"{split}-{utterance}"] = found[utterance]
            units[f"{split}-{utterance}"] = made[utterance]
    if not wavs:
        raise UserError(f"{', '.join(map(str, data_dirs))}: no utterances")
    return wavs, units


def _train_world(
    options: Options,
    rate: Rate,
    wavs: Mapping[str, Path],
    units: Mapping[str, np.ndarray],
    train: list[str],
    dev: list[str],
) -> Outcome:
    import torch

    from s2st_interleave.vocoder import analysis, regression, world

    device = resolve_device(options.device)
    sizes = WorldSizes.of(options)
    frames = parallel.on_first(
        lambda: analysis.analyse_all(
            wavs,
            options.out_dir / "analysis",
            frame_ms=sizes.frame_ms,
            num_cepstra=sizes.num_cepstra,
            nj=options.nj,
        )
    )
    torch.manual_seed(keyed.stable_hash(options.seed, "vocoder init", bits=32))
    task = regression.WorldTask(
        model=world.WorldNet(rate, sizes).to(device),
        rate=rate,
        sizes=sizes,
        units=units,
        frames=frames,
        train=train,
        dev=dev,
        batch_size=options.batch_size,
        accum_grad=options.accum_grad,
        seed=options.seed,
        device=device,
    )
    outcome = fit(task, options, options.out_dir)
    parallel.on_first(lambda: checkpoint.export(outcome.last, options.out_dir))
    return outcome


def _train_hifigan(
    options: Options,
    rate: Rate,
    wavs: Mapping[str, Path],
    units: Mapping[str, np.ndarray],
    train: list[str],
    dev: list[str],
) -> Outcome:
    from s2st_interleave.vocoder import gan, hifigan

    device = resolve_device(options.device)
    task = gan.GanTask(
        rate=rate,
        sizes=HifiganSizes.of(options),
        weights=gan.LossWeights(
            options.lambda_mel, options.lambda_feat_match, options.lambda_adv
        ),
        units=units,
        wavs=wavs,
        train=train,
        dev=dev,
        batch_size=options.batch_size,
        seed=options.seed,
        device=device,
    )
    outcome = gan.fit(task, options, options.out_dir)
    # The discriminators, most of the weights, are of no use to who loads it.
    parallel.on_first(lambda: hifigan.export(outcome.last, options.out_dir))
    return outcome
