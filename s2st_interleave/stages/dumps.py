"""The dumps of stage 5, opened for training, decoding and plans."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from s2st_interleave import parallel, record_file
from s2st_interleave.data import sides
from s2st_interleave.errors import UserError
from s2st_interleave.facts import DumpFacts, TrainFacts
from s2st_interleave.interleave.dump import Dump, Dumps, Subset
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.promises import DONE
from s2st_interleave.stage_dir import read_done


def open_dumps(
    paths: Sequence[Path], name_pair: bool, num_utterances: int = 0
) -> Dumps | Subset:
    """Open dumps as one sequence, or `num_utterances` of it (0: all).

    All are taken as well where the corpus has so many, and stages 3 and 5 have dropped some.
    """
    twice = [p for p, n in Counter(path.resolve() for path in paths).items() if n > 1]
    if twice:
        raise UserError(f"{twice[0]} is named twice: its utterances would count twice")
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


def codebook(directories: Sequence[Path], trained: Path | None = None) -> str | None:
    """The codebook of the units in dumps, and of a training; None where nobody tells.

    Raises UserError where two are of different ones: their numbers are other sounds.
    """
    known = {path: DumpFacts.read(path).kmeans for path in directories}
    if trained is not None:
        known = {trained: TrainFacts.read(trained).kmeans, **known}
    told = {path: kmeans for path, kmeans in known.items() if kmeans}
    first, kmeans = next(iter(told.items()), (None, None))
    for path, other in told.items():
        if other != kmeans:
            raise UserError(
                f"{path} has units of another codebook ({other}) than {first} ({kmeans}): "
                "make both with one --kmeans_dir, or import both with one --codebook"
            )
    return kmeans


def training_of(llm: Path) -> Path | None:
    """The finished training whose checkpoint an LLM is; None for any other LLM."""
    done = llm.parent / DONE
    is_trained = done.is_file() and record_file.read(done).get("stage") == "train"
    return llm.parent if is_trained else None


def check_sides(
    layout: Layout, dumps: Dump | Dumps | Subset, paths: Sequence[Path]
) -> None:
    """Raise UserError where the dumps lack a side of the layout."""
    missing = [side for side in layout.sides if side not in dumps.sides]
    if missing:
        raise UserError(
            f"task '{layout}': {' '.join(map(str, paths))} has no side '{missing[0]}', "
            f"only {' and '.join(dumps.sides)}"
        )
