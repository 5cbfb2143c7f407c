"""The two sides of a data directory, for imports that read a file or a folder a side."""

from pathlib import Path

from s2st_interleave import record_file
from s2st_interleave.data.kaldi import DataDir
from s2st_interleave.data.sides import Sides
from s2st_interleave.errors import UserError
from s2st_interleave.promises import DONE, OPEN


def two_roles(data: DataDir) -> tuple[str, str]:
    """The roles of a data directory; raises UserError where they are not two."""
    roles = tuple(data.sides)
    if len(roles) != 2:
        raise UserError(f"{data.path} has {len(roles)} sides, and two are imported")
    return roles


def input_names(directory: Path, sides: Sides) -> dict[str, str]:
    """The names by which the record of an imported directory calls its sides, by role.

    They are the roles, or the languages in a directory of an earlier version.
    """
    records = (directory / name for name in (DONE, OPEN))
    record = next((path for path in records if path.is_file()), None)
    before = record_file.read(record)["inputs"] if record else {}
    known = {name.partition(".")[0] for name in before}
    return {r: lang if lang in known else r for r, lang in sides.items()}
