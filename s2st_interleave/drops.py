"""Utterances with a fault: dropped with a reason from train, an error in dev and test.

Training data may lose utterances, up to the share `--max_drop_rate`. Each is listed in
dropped.tsv with its reason, which begins with a kind and a colon. Dev and test lose none,
since scores would be those of another test set: there a fault is an error that names the
utterance, unless a stand-in is possible that the scores count as missing.
"""

from collections.abc import Mapping
from pathlib import Path

from s2st_interleave.errors import UserError
from s2st_interleave.promises import DROPPED
from s2st_interleave.stage_dir import read_done
from s2st_interleave.text_file import read_lines

NUM_SHOWN = 10


def is_train(data_dir: Path) -> bool:
    """Does a directory of stage 1 hold training data, which may lose utterances?"""
    return read_done(data_dir, "data")["options"].get("split") == "train"


def read(directory: Path) -> dict[str, str]:
    """Reasons for which a finished stage dropped utterances, by utterance id."""
    path = directory / DROPPED
    lines = read_lines(path) if path.is_file() else ()
    parts = (line.partition("\t") for _, line in lines)
    return {utterance: reason for utterance, _, reason in parts}


def limit(
    faults: Mapping[str, str], total: int, rate: float, fault: str, reason: str
) -> None:
    """Raise UserError with the first faults if more than `rate` of `total` have one.

    `fault` is in words ("have no words"), `reason` is that of the limit.
    """
    if len(faults) > rate * total:
        raise UserError(
            f"{len(faults)} of {total} utterances {fault} (at most {int(rate * total)} "
            f"may, {reason}):\n{listed(faults)}"
        )


def listed(faults: Mapping[str, str]) -> str:
    """The first NUM_SHOWN faults by utterance id, a line each."""
    return "\n".join(f"  {k}: {v}" for k, v in sorted(faults.items())[:NUM_SHOWN])
