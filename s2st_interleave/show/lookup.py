"""Finds an utterance by its id in dumps, or says why it is in none of them."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave import drops, recipe_paths, record_file
from s2st_interleave.config import nearest
from s2st_interleave.data import kaldi
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.interleave.utterance import Utterance
from s2st_interleave.promises import DONE
from s2st_interleave.stages.dumps import open_dumps, pair_prompt
from s2st_interleave.stages.train_options import Options
from s2st_interleave.train.batches import steps_of

NUM_LIKE, NUM_SHOWN = 200, 3


@dataclass(frozen=True)
class Place:
    """A dump with an utterance, and the steps at which the training reads it."""

    dump_dir: Path
    dump: Dump
    utterance: Utterance
    read_at: tuple[int, ...] = ()


def find(name: str, options: Options, dump_dir: Path | None) -> Place:
    """Look an utterance up in `dump_dir`, or else in the dumps of train, then of dev.

    Raises UserError that says why it was dropped, or names an id like it, and
    FileNotFoundError for a dump that is missing.
    """
    known: list[str] = []
    folders = [dump_dir] if dump_dir else [*options.train_dir, *options.dev_dir]
    for folder in dict.fromkeys(folders):
        if not (folder / "vocab.json").is_file():
            raise FileNotFoundError(
                f"{folder} is no dump: ./run.sh --stage 5 --stop_stage 5 makes it, or "
                "name another one with --dump_dir"
            )
        dump = Dump(folder, pair_prompt(folder) if options.name_pair else "")
        ids = dump.ids
        if name in ids:
            utterance = dump[ids.index(name)]
            return Place(folder, dump, utterance, _read_at(name, folder, options))
        known += ids
    where = " or ".join(map(str, dict.fromkeys(folders)))
    if not name:
        first = ", ".join(known[:NUM_SHOWN])
        raise UserError(
            f"no utterance is named: show ID; {where} holds {len(known)}, such as {first}"
        )
    for folder in dict.fromkeys(folders):
        for place, reason in _reasons(name, folder):
            raise UserError(f"utterance {name} is not in {folder}: {place}: {reason}")
    others = [
        p for p in _neighbours(folders[0]) if p not in folders and _holds(p, name)
    ]
    if others:
        raise UserError(f"utterance {name} is in {others[0]}: --dump_dir {others[0]}")
    raise UserError(
        f"no utterance {name} in {where}{nearest(name, most_like(name, known))}"
    )


def _read_at(name: str, folder: Path, options: Options) -> tuple[int, ...]:
    """The steps at which a training reads an utterance of its dump `folder`."""
    if folder.absolute() not in [path.absolute() for path in options.train_dir]:
        return ()
    train = open_dumps(options.train_dir, options.name_pair, options.num_utterances)
    places = [index for index, other in enumerate(train.ids) if other == name]
    steps = {
        step
        for index in places
        for step in steps_of(
            index, len(train), options.batch_size, options.seed, options.max_steps
        )
    }
    return tuple(sorted(steps))


def _reasons(name: str, dump_dir: Path) -> Iterator[tuple[Path, str]]:
    """Directories of stages that dropped the utterance on its way to a dump, and why."""
    if (dump_dir / "too_long").is_file():
        too_long = kaldi.read_table(dump_dir / "too_long")
        if name in too_long:
            yield dump_dir / "too_long", too_long[name]
    for folder in _ways(dump_dir):
        if reason := drops.read(folder).get(name):
            yield folder / "dropped.tsv", reason


def _ways(dump_dir: Path) -> list[Path]:
    """The directories of finished stages from which a dump was made, and the dump's own."""
    folders = [dump_dir]
    for folder in folders:  # which grow
        if not (folder / DONE).is_file():
            continue
        paths = record_file.read(folder / DONE).get("paths", {})
        for key in ("units_dir", "align_dir", "data_dir"):
            if key in paths:
                there = recipe_paths.resolve(paths[key], folder)
                folders += [] if there in folders else [there]
    return [folder for folder in folders[::-1] if folder.is_dir()]


def _neighbours(dump_dir: Path) -> list[Path]:
    """Dumps of other splits beside a dump."""
    return sorted(path.parent for path in dump_dir.parent.glob("*/vocab.json"))


def _holds(dump_dir: Path, name: str) -> bool:
    try:
        return name in Dump(dump_dir).ids
    except (UserError, OSError):
        return False


def most_like(name: str, ids: Sequence[str]) -> list[str]:
    """The ids whose beginning and end are most like those of `name`.

    It is quick: to compare a name with each of 200,000 ids in whole takes half a minute.
    """
    backward = name[::-1]

    def alike(other: str) -> int:
        return _num_same(name, other) + _num_same(backward, other[::-1])

    return heapq.nlargest(NUM_LIKE, ids, key=alike)


def _num_same(first: str, second: str) -> int:
    """Characters with which both begin."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((k for k, (a, b) in pairs if a != b), min(len(first), len(second)))
