"""Passes over the stages at the head of a run whose commands have nothing to do.

    <records> | python -m s2st_interleave.status.kept

The driver (egs/cvss/utils/kept.sh) writes what each stage would run; one process asks all
commands, by their own code, where a rerun would start a process for each. It prints how
many stages have nothing to do, up to the first that has, and then what they say.
"""

import contextlib
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from s2st_interleave import promises
from s2st_interleave.__main__ import main as run
from s2st_interleave.errors import UserError, script
from s2st_interleave.launch import job
from s2st_interleave.stage_list import stage_number
from s2st_interleave.status.look import hashes_kept, looking

PACKAGE = ("-m", "s2st_interleave")
SAY = "s2st_say"  # stands before a command in place of which it is said


@dataclass(frozen=True)
class Stage:
    """A stage's heading, and the words of each command that it would run.

    It is not `whole` where the driver stopped at an error, which the stage itself will say.
    """

    heading: str
    commands: tuple[tuple[str, ...], ...] = ()
    whole: bool = False


def read(records: str) -> list[Stage]:
    """Parse records: a number of words and the words, each ended by a NUL.

    `stage HEADING` begins a stage, `end` ends it; the records between are its commands.
    """
    parts = iter(records.split("\0")[:-1])
    stages: list[Stage] = []
    for count in parts:
        words = tuple(next(parts) for _ in range(int(count)))
        if words[0] == "stage":
            stages.append(Stage(words[1]))
        elif words == ("end",):
            stages[-1] = replace(stages[-1], whole=True)
        else:
            commands = (*stages[-1].commands, words)
            stages[-1] = replace(stages[-1], commands=commands)
    return stages


def kept(stages: Iterable[Stage]) -> Iterator[str]:
    """What each stage says that has nothing to do, up to the first that has."""
    with looking(), hashes_kept():
        for stage in stages:
            said = _joined(map(_said, stage.commands)) if stage.whole else None
            if said is None:
                return
            yield f"{stage.heading}\n{said}"


def _joined(texts: Iterable[str | None]) -> str | None:
    """All texts; None as soon as there is no text."""
    joined = ""
    for text in texts:
        if text is None:
            return None
        joined += text
    return joined


def _said(words: Sequence[str]) -> str | None:
    """What a command says that has nothing to do; None for another, or one not known.

    `promises DIR TEXT` has nothing to do where DIR holds what it promised.
    """
    if words[0] == "promises":
        return None if promises.main([words[1]]) else f"{words[2]}\n"
    try:
        commands = list(_jobs(words))
    except UserError:
        return None
    return _joined(map(_text, commands))


def _jobs(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """The commands of this package that these words run, directly or by its launcher."""
    if tuple(words[1:4]) == (*PACKAGE, "launch"):
        for each in job.read(words[4:]).jobs:
            yield _command(each.command)
    else:
        yield _command(words)


def _command(words: Sequence[str]) -> Sequence[str]:
    """What follows the last `-m s2st_interleave`; UserError for another program."""
    words = [word for word in words if word != SAY]
    at = [k for k in range(len(words)) if tuple(words[k : k + 2]) == PACKAGE]
    if words[:1] != ["python"] or not at:
        raise UserError(f"not a command of this package: {' '.join(words)}")
    return words[at[-1] + 2 :]


def _text(command: Sequence[str]) -> str | None:
    if stage_number(command[0]) is None:  # such as preflight, which opens no directory
        return None
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        try:
            status = run(list(command))
        except SystemExit:  # unfinished, or no option of this command
            return None
    return None if status else said.getvalue()


def main() -> int:
    with contextlib.redirect_stdout(io.StringIO()):
        texts = list(kept(read(sys.stdin.read())))
    print(len(texts), "".join(texts), sep="\n", end="")
    return 0


if __name__ == "__main__":
    sys.exit(script("kept", main))
