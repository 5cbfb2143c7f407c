"""One utterance's fault is that utterance's outcome: dropped with a reason, or an error.

Training data may lose utterances, up to a share that `--max_drop_rate` names; each is in
dropped.tsv with its reason, which begins with a kind and a colon. Dev and test lose none:
scores would be of another test set. A fault there is an error that names the utterance,
unless something may stand in for what is missing and the scores count it as missing.
"""

from collections.abc import Mapping
from pathlib import Path

from s2st_interleave.errors import UserError
from s2st_interleave.promises import DROPPED
from s2st_interleave.stage_dir import read_done
from s2st_interleave.text_file import read_lines

NUM_SHOWN = 10


def is_train(data_dir: Path) -> bool:
    """Whether a directory of stage 1 holds training data, so that it may lose some."""
    return read_done(data_dir, "data")["options"].get("split") == "train"


def read(directory: Path) -> dict[str, str]:
    """Reasons of what a finished stage has dropped, by utterance id."""
    path = directory / DROPPED
    lines = read_lines(path) if path.is_file() else ()
    parts = (line.partition("\t") for _, line in lines)
    return {utterance: reason for utterance, _, reason in parts}


def limit(
    faults: Mapping[str, str], total: int, rate: float, what: str, why: str
) -> None:
    """Raise UserError naming the first faults where they are more than `rate` allows.

    `what` the utterances are or have, and `why` there are no more allowed.
    """
    if len(faults) > rate * total:
        raise UserError(
            f"{len(faults)} of {total} utterances {what} (at most {int(rate * total)} "
            f"may, {why}):\n{listed(faults)}"
        )


def listed(faults: Mapping[str, str]) -> str:
    """The first ones, a line each."""
    return "\n".join(f"  {k}: {v}" for k, v in sorted(faults.items())[:NUM_SHOWN])
