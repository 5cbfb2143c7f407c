"""What went wrong: utterances that stages dropped, and answers that are none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from s2st_interleave import record_file
from s2st_interleave.promises import DONE, DROPPED
from s2st_interleave.report.systems import System
from s2st_interleave.score.metrics.loops import is_loop
from s2st_interleave.text_file import read_lines

NUM_NAMED = 5


@dataclass(frozen=True)
class Drop:
    """Utterances that a directory's stage dropped for one reason, and one of them."""

    directory: str
    stage: str
    num_in: int
    reason: str
    count: int
    example: str


def finished(data_dir: Path, dump_dir: Path, exp_dir: Path) -> list[Path]:
    """The finished directories of a recipe, in the order of its stages."""
    patterns = (
        (data_dir, ("*",)),
        (dump_dir, ("align/*", "units/*", "interleave/*")),
        (exp_dir, ("*", "*/*", "*/*/*", "*/*/*/*")),
    )
    return [
        path.parent
        for root, globs in patterns
        for pattern in globs
        for path in sorted(root.glob(f"{pattern}/{DONE}"))
    ]


def drops(directories: Sequence[Path]) -> list[Drop]:
    """What the stages of these directories dropped; nothing for those that dropped none."""
    return [drop for directory in directories for drop in _drops(directory)]


def _drops(directory: Path) -> Iterator[Drop]:
    done = record_file.read(directory / DONE)
    counts = done.get("counts", {})
    path = directory / DROPPED
    for reason, count in counts.get("dropped", {}).items():
        lines = read_lines(path) if path.is_file() else ()
        example = next((x for _, x in lines if _kind(x) == reason), "")
        yield Drop(
            str(directory),
            str(done.get("stage", "")),
            counts.get("in", 0),
            reason,
            count,
            example.replace("\t", ": "),
        )


def _kind(line: str) -> str:
    return line.partition("\t")[2].split(":")[0]


@dataclass(frozen=True)
class Fault:
    """Answers of a system that are none, and the first of them by id."""

    system: str
    name: str
    count: int
    ids: tuple[str, ...]


def faults(system: System) -> list[Fault]:
    """How many answers are missing, empty, or loops; kinds that never occur are counted too."""
    if not system.rows and system.score.num_utterances:
        name = "not looked at, as score/utterances.tsv is missing"
        return [Fault(system.name, name, system.score.num_utterances, ())]
    wanted = sorted(system.rows)
    kinds: dict[str, list[str]] = {}
    if system.layout.speaks:
        heard = system.heard
        kinds["no speech"] = [u for u in wanted if u not in system.wavs]
        kinds["speech in which nothing was heard"] = [
            u for u in wanted if u in system.wavs and not heard.get(u, "").strip()
        ]
        kinds["heard as a loop"] = [u for u in wanted if is_loop(heard.get(u, ""))]
    for side, texts in system.texts.items():
        kinds[f"no text of {side}"] = [
            u for u in wanted if not texts.get(u, "").strip()
        ]
        kinds[f"text of {side} is a loop"] = [
            u for u in wanted if is_loop(texts.get(u, ""))
        ]
    made = [
        Fault(system.name, name, len(ids), tuple(islice(ids, NUM_NAMED)))
        for name, ids in kinds.items()
    ]
    long = system.score.num_too_long
    return [*made, Fault(system.name, "too long for the LLM", long, ())]
