"""Units of stage 4 or of a decode as text.km: `<id> <unit> <unit> ...` a line.

python -m s2st_interleave export_units --units dump/units/train/units.src --out train.km
"""

from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.errors import UserError
from s2st_interleave.interop import unit_files
from s2st_interleave.units import store


@dataclass(frozen=True, kw_only=True)
class Options:
    units: Path = option(
        REQUIRED, "<dir>/units.<side> of dump/units/<split>, or of a decode"
    )
    out: Path = option(REQUIRED, "file to write")
    overwrite: bool = option(False, "write over a file that exists")


def run(options: Options) -> None:
    scp = options.units.with_name(f"{options.units.name}.scp")
    if not scp.is_file():
        raise FileNotFoundError(f"{scp} is missing; stage 4 or 7 writes it")
    if options.out.exists() and not options.overwrite:
        raise UserError(f"{options.out} exists: pass --overwrite true")
    units = store.read_units(options.units)
    unit_files.write_text(options.out, units)
    print(f"{options.out}: units of {len(units)} utterances")
