"""Stage 8, first half: train the unit vocoder on the recordings of the target voice."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.artifact import Input, open_stage, read_done
from s2st_interleave.config import REQUIRED, option, to_dict
from s2st_interleave.data import audio, kaldi
from s2st_interleave.train import checkpoint, parallel
from s2st_interleave.train.loop import (
    LoopOptions,
    Outcome,
    fit,
    resolve_device,
    set_threads,
)
from s2st_interleave.units import store
from s2st_interleave.vocoder.base import HifiganSizes, Rate, WorldSizes


@dataclass(frozen=True, kw_only=True)
class Options(LoopOptions, HifiganSizes, WorldSizes):
    backend: Literal["hifigan", "world"] = option("hifigan", "world: minutes on a CPU")
    data_dir: Path = option(REQUIRED, "data/train")
    dev_data_dir: Path = option(REQUIRED, "data/dev")
    units_dir: Path = option(REQUIRED, "dump/units/train")
    dev_units_dir: Path = option(REQUIRED, "dump/units/dev")
    language: str = option("en", "whose voice it learns")
    out_dir: Path = option(REQUIRED, "exp/<vocoder> to write")
    num_dev: int = option(100, "dev utterances to evaluate on; 0: all")
    lr: float = option(2e-4, "peak learning rate; hifigan's recipe has 2e-4")
    batch_size: int = option(16, "crops per optimizer step")
    lr_halve_every: int = option(
        200_000, "hifigan: steps between halvings, four at most"
    )
    lambda_mel: float = option(45.0, "hifigan: weight of the mel loss")
    lambda_feat_match: float = option(2.0, "hifigan: weight of feature matching")
    lambda_adv: float = option(1.0, "hifigan: weight of the adversarial loss")
    nj: int = option(1, "world: processes of the analysis", runtime=True)


def run(options: Options) -> None:
    # 1. Is there anything to do?
    stage = parallel.on_first(
        lambda: open_stage(
            options.out_dir,
            stage="vocoder",
            options=options,
            inputs={
                "data": Input(options.data_dir, "data"),
                "dev_data": Input(options.dev_data_dir, "data"),
                "units": Input(options.units_dir, "units"),
                "dev_units": Input(options.dev_units_dir, "units"),
            },
            overwrite=options.overwrite,
        )
    )
    if stage is None:
        return

    # 2. Recordings and units, joined by utterance id; dev is cut, training is not.
    set_threads(options.num_threads)
    rate = unit_rate(options.units_dir)
    lang = options.language
    wavs, units = _pairs(options.data_dir, options.units_dir, lang, "train")
    dev_wavs, dev_units = _pairs(
        options.dev_data_dir, options.dev_units_dir, lang, "dev"
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
            kmeans=read_done(options.units_dir, "units")["facts"].get("kmeans"),
            num_units=rate.num_units,
            samples_per_unit=rate.samples_per_unit,
            train_sec=outcome.train_sec,
            loop=to_dict(outcome),
        )
    )


def unit_rate(units_dir: Path) -> Rate:
    """How the units of stage 4 lie in 16 kHz audio."""
    facts = read_done(units_dir, "units")["facts"]
    samples = facts["unit_sec"] * audio.SAMPLE_RATE
    if abs(samples - round(samples)) > 1e-6:
        raise ValueError(
            f"{units_dir}: a unit of {facts['unit_sec']} s is not a whole number of "
            f"samples at {audio.SAMPLE_RATE} Hz"
        )
    return Rate(facts["num_units"], round(samples), audio.SAMPLE_RATE)


def _pairs(
    data_dir: Path, units_dir: Path, language: str, split: str
) -> tuple[dict[str, Path], dict[str, np.ndarray]]:
    """Wavs and units by '<split>-<id>': no id clashes with one of another split."""
    wavs = kaldi.DataDir(data_dir).wavs(language)
    units = store.read_units(units_dir / f"units.{language}")
    missing = sorted(wavs.keys() - {k for k, one in units.items() if len(one)})
    if missing:
        raise ValueError(f"{units_dir}: no units.{language} of utterance {missing[0]}")
    if not wavs:
        raise ValueError(f"{data_dir}: no utterances")
    keys = {utterance: f"{split}-{utterance}" for utterance in wavs}
    return (
        {keys[u]: wav for u, wav in wavs.items()},
        {keys[u]: units[u] for u in wavs},
    )


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
    device = resolve_device(options.device)
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
    try:
        from s2st_interleave.vocoder import gan, hifigan
    except ImportError as error:
        raise ValueError(
            f"backend hifigan trains with ESPnet's modules: {error}; "
            "tools/setup.sh installs them"
        ) from None

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
