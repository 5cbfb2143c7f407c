"""Precomputed units in place of stage 4: text.km, fairseq's manifest and .km, or ark, scp.

    python -m s2st_interleave import_units --data_dir data/train --format text \\
        --src_units train.es.km --tgt_units train.en.km --num_units 1000 \\
        --unit_sec 0.02 --codebook mhubert-l11-km1000 --out_dir dump/units/train

Then ./run.sh --stage 5 --vocoder_dir exp/vocoder: the vocoder learns these units from the
corpus, and one that others share knows other ones. `--codebook` is the name you know these
units by: parts made of units of another name are refused, as those of another codebook are.
`src_` is the first side of data_dir, whatever its role, and `tgt_` the second.

In train an utterance without units that fit it is dropped with its reason; in dev and test
it is an error. Only where stage 1 has put silence for a recording, which scores count as
missing, silence's length of unit 0 stands in here too. Names in the files are ids, or ids
with a folder and endings of audio: `clips/a.mp3.wav`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from s2st_interleave import drops
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi
from s2st_interleave.data.sides import KNOWN, without_languages
from s2st_interleave.interop import unit_files
from s2st_interleave.interop.ids import match_ids
from s2st_interleave.interop.two_sides import input_names, two_roles
from s2st_interleave.stage_dir import Input, open_stage
from s2st_interleave.units import store

# Units may be fewer or more than the audio's length says: windows, and an encoder's
# padding. Units without repeats are far fewer.
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

    # 2. Units by id that fit their audio; what is wrong with the others.
    units, faults = {}, {}
    for role, path in sources.items():
        units[role], wrong = _fitting(data, role, path, options)
        faults |= {k: f"{role} {fault}" for k, fault in wrong.items()}
    count = len(data.texts(src))
    rate, why = options.max_drop_rate, "--max_drop_rate"
    if not drops.is_train(options.data_dir):
        rate, why = 0.0, "dev and test lose nothing"
    drops.limit(faults, count, rate, "have no units that fit", why)

    # 3. Write those that both sides have.
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
    """Units by utterance id, and why an utterance has none; other names are told."""
    durations, silent = data.durations(role), data.silent(role)
    found = unit_files.read(path, options.format)
    match = match_ids(found.units.keys() | found.faults.keys(), durations)
    if match.others:
        print(
            f"units: {path}: {len(match.others)} others are left aside, first "
            f"{match.others[0]}"
        )
    units, faults = {}, {}
    for utterance, seconds in durations.items():
        where = f"{path}: utterance {utterance}"
        name = match.names.get(utterance, "")
        if utterance in silent:  # what there is cannot be its: its audio is lost
            length = max(1, round(seconds / options.unit_sec))
            units[utterance] = np.zeros(length, np.int32)
        elif utterance in match.unclear:
            faults[utterance] = (
                f"units are missing: {where}: {match.unclear[utterance]}"
            )
        elif name in found.faults:
            faults[utterance] = f"units are broken: {found.faults[name]}"
        elif not len(found.units.get(name, ())):
            missing = "" if name else match.missing()
            faults[utterance] = f"units are missing: {where} has no units{missing}"
        elif misfit := _misfit(found.units[name], seconds, options):
            faults[utterance] = f"units do not fit: {where}: {misfit}"
        else:
            units[utterance] = found.units[name]
    if silent:
        print(f"units: {role}: silence stands in for {len(silent)} lost recordings")
    return units, faults


def _misfit(units: np.ndarray, seconds: float, options: Options) -> str:
    """Why units cannot be those of so many seconds; "": they can."""
    if not 0 <= units.min() <= units.max() < options.num_units:
        return f"units outside 0..{options.num_units - 1}"
    wanted = seconds / options.unit_sec
    if abs(len(units) - wanted) > SLACK_UNITS + SLACK_SHARE * wanted:
        return (
            f"{len(units)} units of {options.unit_sec:g} s, its audio of {seconds:.2f} s "
            f"has about {wanted:.0f}: are repeats taken out, or is --unit_sec another?"
        )
    return ""
