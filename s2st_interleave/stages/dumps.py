"""The dumps of stage 5, opened for training, decoding and plans."""

from collections.abc import Sequence
from pathlib import Path

from s2st_interleave import parallel
from s2st_interleave.data import sides
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.dump import Dump, Dumps, Subset
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.stage_dir import read_done


def open_dumps(
    paths: Sequence[Path], name_pair: bool, num_utterances: int = 0
) -> Dumps | Subset:
    """Open dumps as one sequence, or `num_utterances` of it (0: all).

    All are taken as well where the corpus has so many, and stages 3 and 5 have dropped some.
    """
    dumps = Dumps([Dump(p, pair_prompt(p) if name_pair else "") for p in paths])
    if not num_utterances:
        return dumps
    if num_utterances > len(dumps):
        whole = sum(read_done(path, "dump")["counts"]["in"] for path in paths)
        if num_utterances <= whole:
            parallel.say(
                f"--num_utterances {num_utterances}: all {len(dumps)} are taken, as of "
                f"{whole} some were dropped before"
            )
            return dumps
    return Subset(dumps, num_utterances)


def pair_prompt(dump_dir: Path) -> str:
    """The prompt that names a language pair to a model that serves several: "pt-en:"."""
    read_done(dump_dir, "dump")
    return f"{'-'.join(sides.read(dump_dir).values())}:"


def check_sides(layout: Layout, dumps: Dumps | Subset, paths: Sequence[Path]) -> None:
    """Raise UserError where the dumps lack a side of the layout."""
    missing = [side for side in layout.sides if side not in dumps.sides]
    if missing:
        raise UserError(
            f"task '{layout}': {' '.join(map(str, paths))} has no side '{missing[0]}', "
            f"only {' and '.join(dumps.sides)}"
        )
