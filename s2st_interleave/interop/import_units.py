"""Precomputed units in place of stage 4: text.km, fairseq's manifest and .km, or ark, scp.

    python -m s2st_interleave import_units --data_dir data/train --format text \\
        --src_units train.es.km --tgt_units train.en.km --num_units 1000 \\
        --unit_sec 0.02 --codebook mhubert-l11-km1000 --out_dir dump/units/train

Then run ./run.sh --stage 5 --vocoder_dir exp/vocoder, which trains a vocoder on these
units: a shared vocoder knows other units. `--codebook` is your name for the units; later
stages refuse parts that were made of units of another name. `src_` is the first side of
data_dir, whatever its role, and `tgt_` the second.

In train an utterance without units that fit it is dropped with its reason; in dev and test
it is an error. Where stage 1 has put silence in place of a recording, which scores count
as missing, unit 0 is repeated for its length. Names in the files are ids, or ids with a
folder and endings of audio: `clips/a.mp3.wav`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from s2st_interleave import drops
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi
from s2st_interleave.data.sides import KNOWN, without_languages
from s2st_interleave.errors import shown
from s2st_interleave.interop import unit_files
from s2st_interleave.interop.ids import match_ids
from s2st_interleave.interop.two_sides import input_names, two_roles
from s2st_interleave.stage_dir import Input, open_stage
from s2st_interleave.units import store

# Windows and an encoder's padding make some units fewer or more than fit the audio's length.
# Without repeats, which is a fault, there are far fewer.
SLACK_UNITS, SLACK_SHARE = 4, 0.02


@dataclass(frozen=True, kw_only=True)
class Options:
    data_dir: Path = option(REQUIRED, "data/<split>")
    src_units: Path = option(REQUIRED, "file: text.km, x.km beside x.tsv, or x.scp")
    tgt_units: Path = option(REQUIRED, "the same of the second side")
    format: unit_files.Format = option(
        "text", "of both files; text: '<name> 71 8', with a tab or '|' between as well"
    )
    num_units: int = option(REQUIRED, "K of the codebook", minimum=1)
    unit_sec: float = option(
        REQUIRED, "seconds of a unit: 0.02 at 50 a second", above=0
    )
    codebook: str = option(REQUIRED, "a name for it, the same for all splits")
    out_dir: Path = option(REQUIRED, "dump/units/<split> to write")
    max_drop_rate: float = option(
        0.05,
        "drop more of the training data and fail",
        runtime=True,
        minimum=0,
        maximum=1,
    )
    overwrite: bool = option(False, "make it anew", runtime=True)

    earlier = staticmethod(without_languages)
    removed: ClassVar[dict[str, str]] = {"src_lang": KNOWN, "tgt_lang": KNOWN}


def run(options: Options) -> None:
    # 1. Is there anything to do?
    data = kaldi.DataDir(options.data_dir)
    src, tgt = two_roles(data)
    sources = {src: options.src_units, tgt: options.tgt_units}
    stage = open_stage(
        options.out_dir,
        stage="units",
        options=options,
        inputs={
            "data": Input(options.data_dir, "data"),
            "kmeans": f"imported: {options.codebook}",
            **{
                f"{name}.units": unit_files.fingerprint(sources[role], options.format)
                for role, name in input_names(options.out_dir, data.sides).items()
            },
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return

    # 2. Find the units that fit their audio, and the faults of other utterances.
    units, faults = {}, {}
    for role, path in sources.items():
        units[role], misfits = _fitting(data, role, path, options)
        faults |= {k: f"{role} {fault}" for k, fault in misfits.items()}
    count = len(data.texts(src))
    rate, reason = options.max_drop_rate, "--max_drop_rate"
    if not drops.is_train(options.data_dir):
        rate, reason = 0.0, "dev and test lose nothing"
    drops.limit(faults, count, rate, "have no units that fit", reason)

    # 3. Write the units of utterances that have them on both sides.
    num_frames = 0
    for role in sources:
        kept = {k: v for k, v in units[role].items() if k not in faults}
        store.write_units(options.out_dir / f"units.{role}", kept)
        num_frames += sum(map(len, kept.values()))
    stage.finish(
        num_in=count,
        num_out=count - len(faults),
        dropped=faults,
        num_frames=num_frames,
        num_units=options.num_units,
        unit_sec=options.unit_sec,
        kmeans=f"imported: {options.codebook}",
        sides=data.sides,
    )


def _fitting(
    data: kaldi.DataDir, role: str, path: Path, options: Options
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Units by utterance id, and faults of utterances without; prints unknown names."""
    durations, silent = data.durations(role), data.silent(role)
    unit_file = unit_files.read(path, options.format)
    match = match_ids(unit_file.units.keys() | unit_file.faults.keys(), durations)
    if match.others:
        print(
            f"units: {path}: {len(match.others)} others are left aside, first "
            f"{shown(match.others[0])}"
        )
    units, faults = {}, {}
    for utterance, seconds in durations.items():
        where = f"{path}: utterance {utterance}"
        name = match.names.get(utterance, "")
        if utterance in silent:  # its audio is lost, so no units can fit it
            length = max(1, round(seconds / options.unit_sec))
            units[utterance] = np.zeros(length, np.int32)
        elif utterance in match.unclear:
            faults[utterance] = (
                f"units are missing: {where}: {match.unclear[utterance]}"
            )
        elif name in unit_file.faults:
            faults[utterance] = f"units are broken: {unit_file.faults[name]}"
        elif not len(unit_file.units.get(name, ())):
            missing = "" if name else match.missing()
            faults[utterance] = f"units are missing: {where} has no units{missing}"
        elif misfit := _misfit(unit_file.units[name], seconds, options):
            faults[utterance] = f"units do not fit: {where}: {misfit}"
        else:
            units[utterance] = unit_file.units[name]
    if silent:
        print(f"units: {role}: silence stands in for {len(silent)} lost recordings")
    return units, faults


def _misfit(units: np.ndarray, seconds: float, options: Options) -> str:
    """The reason why `units` cannot be those of `seconds` of audio; "": they can."""
    if not 0 <= units.min() <= units.max() < options.num_units:
        return f"units outside 0..{options.num_units - 1}"
    wanted = seconds / options.unit_sec
    if abs(len(units) - wanted) > SLACK_UNITS + SLACK_SHARE * wanted:
        return (
            f"{len(units)} units of {options.unit_sec:g} s, its audio of {seconds:.2f} s "
            f"has about {wanted:.0f}: are repeats taken out, or is --unit_sec another?"
        )
    return ""
