"""Stage 8, first half: train the unit vocoder on the recordings of the target voice."""

from dataclasses import dataclass, fields, make_dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import numpy as np

from s2st_interleave import drops, keyed, parallel
from s2st_interleave.config import REQUIRED, option, to_dict
from s2st_interleave.data import audio, kaldi, sides
from s2st_interleave.effects import Void
from s2st_interleave.errors import UserError
from s2st_interleave.facts import UnitsFacts, VocoderFacts
from s2st_interleave.stage_dir import Input, numbered, open_stage, read_done
from s2st_interleave.units import store
from s2st_interleave.vocoder.backends import BACKENDS
from s2st_interleave.vocoder.base import Speech, TrainingOptions, UnitTiming

DEFAULT = next(iter(BACKENDS))


@dataclass(frozen=True, kw_only=True)
class VocoderOptions(TrainingOptions):
    """All options but those in the blocks of back-ends."""

    backend: str = DEFAULT  # `Options` says which there are
    data_dir: tuple[Path, ...] = option(REQUIRED, "data/train; several: of many pairs")
    dev_data_dir: tuple[Path, ...] = option(REQUIRED, "data/dev, one or several")
    units_dir: tuple[Path, ...] = option(REQUIRED, "dump/units/train, as data_dir")
    dev_units_dir: tuple[Path, ...] = option(REQUIRED, "dump/units/dev, the same")
    side: str = option("tgt", "whose voice it learns", new=True)
    num_utterances: int = option(
        0, "training utterances, drawn by id; 0: all", minimum=0, new=True
    )
    num_dev: int = option(100, "dev utterances to evaluate on; 0: all", minimum=0)

    removed: ClassVar[dict[str, str]] = {
        "language": "it is --side, which names a role such as tgt"
    }

    def voids(self) -> list[Void]:
        return [Void("backend", k, [k]) for k in BACKENDS if k != self.backend]

    @staticmethod
    def earlier(options: dict[str, Any]) -> dict[str, Any]:
        """Translate options of versions that named a voice by language or had no blocks."""
        kept = {name: value for name, value in options.items() if name != "language"}
        name = kept.get("backend")
        if name not in BACKENDS:
            return kept
        if name in kept:  # HiFi-GAN had an option that compiled it, off by default
            return kept | {
                name: {k: v for k, v in kept[name].items() if k != "compile"}
            }
        of_block = {f.name for f in fields(BACKENDS[name].Options)}
        common = VocoderOptions.__dataclass_fields__
        block = {k: v for k, v in kept.items() if k in of_block and k not in common}
        return {k: v for k, v in kept.items() if k in common} | {name: block}


# With a block of options for each back-end: `--world.dropout 0.1`.
Options = make_dataclass(
    "Options",
    [
        (
            "backend",
            cast(Any, Literal)[tuple(BACKENDS)],
            option(DEFAULT, "kind of vocoder; its own options are a block"),
        ),
        *(
            (name, backend.Options, option(backend.Options(), f"with backend {name}"))
            for name, backend in BACKENDS.items()
        ),
    ],
    bases=(VocoderOptions,),
    frozen=True,
    kw_only=True,
)


def run(options: VocoderOptions) -> None:
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

    from s2st_interleave.device import set_threads

    # 2. Recordings and units, joined by utterance id; dev is cut, training is not.
    set_threads(options.num_threads)
    codebook = _codebook((*options.units_dir, *options.dev_units_dir))
    _check_recordings(options)
    speech = read_speech(options)

    # 3. Train; the last checkpoint is the vocoder.
    block = getattr(options, options.backend)
    outcome = BACKENDS[options.backend].train(speech, block, options)
    facts = VocoderFacts(
        backend=options.backend,
        kmeans=codebook,
        num_units=speech.timing.num_units,
        samples_per_unit=speech.timing.samples_per_unit,
        train_sec=outcome.train_sec,
    )
    parallel.on_first(
        lambda: stage.finish(
            num_in=len(speech.train),
            num_out=len(speech.train),
            facts=facts,
            loop=to_dict(outcome),
        )
    )


def voice_doubt(directory: Path, side: str) -> str:
    """What is odd of a finished vocoder that is to speak for `side`; "" if nothing is."""
    learned = read_done(directory, "vocoder")["options"].get("side", side)
    if learned == side:
        return ""
    return (
        f"{directory} has learned the voice of {learned}, and speaks for {side} here: if "
        f"that is another voice or language, train one with --side {side}; a recipe does, "
        "of the side that its task speaks for, in another --expdir without --vocoder_dir"
    )


def read_speech(options: VocoderOptions) -> Speech:
    """Recordings and units of what is drawn of train, and of the first of dev."""
    side = options.side
    wavs, units = _pairs(options.data_dir, options.units_dir, side, "train")
    dev_wavs, dev_units = _pairs(
        options.dev_data_dir, options.dev_units_dir, side, "dev"
    )
    dev = sorted(dev_wavs)[: options.num_dev or None]
    if 0 < options.num_utterances < len(wavs):
        drawn = sorted(wavs, key=lambda k: keyed.stable_hash(options.seed, "voice", k))
        wavs = {
            utterance: wavs[utterance] for utterance in drawn[: options.num_utterances]
        }
    return Speech(
        timing=unit_timing(options.units_dir[0]),
        wavs=wavs | {utterance: dev_wavs[utterance] for utterance in dev},
        units={k: units[k] for k in wavs}
        | {utterance: dev_units[utterance] for utterance in dev},
        train=sorted(wavs),
        dev=dev,
    )


def _codebook(units_dirs: tuple[Path, ...]) -> str | None:
    """Fingerprint of the codebook that all the units are of; UserError if they differ."""
    codebooks = {path: UnitsFacts.read(path).kmeans for path in units_dirs}
    first, *others = codebooks
    for other in others:
        if codebooks[other] != codebooks[first]:
            raise UserError(f"{other} and {first} hold units of different codebooks")
    return codebooks[first]


def _check_recordings(options: VocoderOptions) -> None:
    """Raise UserError for units of other recordings: their ids may be the same."""
    for data_dir, units_dir in zip(
        (*options.data_dir, *options.dev_data_dir),
        (*options.units_dir, *options.dev_units_dir),
        strict=False,  # `_pairs` says where one is missing
    ):
        recorded = read_done(units_dir, "units")["inputs"].get("data")
        if recorded and recorded != Input(data_dir, "data").fingerprint():
            raise UserError(
                f"{units_dir} is not of the recordings that {data_dir} has now: run stage 4 "
                "again, or name the data that the units were made from"
            )


def unit_timing(units_dir: Path) -> UnitTiming:
    """The length in samples of the units of stage 4, in 16 kHz audio.

    Raises UserError where it is no whole number.
    """
    facts = UnitsFacts.read(units_dir)
    samples = facts.unit_sec * audio.SAMPLE_RATE
    if abs(samples - round(samples)) > 1e-6:
        raise UserError(
            f"{units_dir}: a unit of {facts.unit_sec} s is not a whole number of "
            f"samples at {audio.SAMPLE_RATE} Hz"
        )
    return UnitTiming(facts.num_units, round(samples), audio.SAMPLE_RATE)


def _pairs(
    data_dirs: tuple[Path, ...], units_dirs: tuple[Path, ...], side: str, split: str
) -> tuple[dict[str, Path], dict[str, np.ndarray]]:
    """Wavs and units by '<split>-<id>': no id clashes with one of another split."""
    if len(data_dirs) != len(units_dirs):
        raise UserError(
            f"{len(data_dirs)} data directories, {len(units_dirs)} of units: name as many "
            "of both"
        )
    recordings = kaldi.DataDirs(data_dirs).wavs_of_side(side)
    wavs, units = {}, {}
    for data_dir, units_dir in zip(data_dirs, units_dirs, strict=True):
        data = kaldi.DataDir(data_dir)
        scp = sides.path_of(units_dir, "units.{}.scp", side, data.sides)
        units_by_id = store.read_units(scp.with_suffix(""))
        # Silence in the place of a recording has no voice to learn.
        left_out = data.silent(side) | drops.read(units_dir).keys()
        for utterance in sorted(data.wavs(side).keys() - left_out):
            if not len(units_by_id.get(utterance, ())):
                raise UserError(
                    f"{units_dir}: no units.{side} of {utterance}; run stage 4 again"
                )
            wavs[f"{split}-{utterance}"] = recordings[utterance]
            units[f"{split}-{utterance}"] = units_by_id[utterance]
    if not wavs:
        raise UserError(f"{', '.join(map(str, data_dirs))}: no utterances")
    return wavs, units
