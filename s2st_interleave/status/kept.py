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
from pathlib import Path

from s2st_interleave import promises
from s2st_interleave.__main__ import main as run
from s2st_interleave.errors import UserError, script
from s2st_interleave.launch import job
from s2st_interleave.launch.job import Job
from s2st_interleave.stage_list import stage_number
from s2st_interleave.status.look import hashes_kept, looking

PACKAGE = ("-m", "s2st_interleave")
NO_LOG = Path()
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
    """What each stage says that has nothing to do, up to the first that has.

    Their logs get it too: `status` takes the latest command of a directory from there.
    """
    with looking(), hashes_kept():
        for stage in stages:
            answers = _answers(stage)
            if answers is None:
                return
            for each, text in answers:
                if each.log != NO_LOG:
                    each.note(text)
            heading = f"{stage.heading}\n" if stage.heading else ""
            yield "".join([heading, *(text for _, text in answers)])


def _answers(stage: Stage) -> list[tuple[Job, str]] | None:
    """What each job of a stage says; None as soon as one has something to do."""
    if not stage.whole:
        return None
    answers = []
    for words in stage.commands:
        try:
            jobs = _jobs(words)
        except UserError:
            return None
        for each in jobs:
            text = _text(each.command)
            if text is None:
                return None
            answers.append((each, text))
    return answers


def _jobs(words: Sequence[str]) -> Sequence[Job]:
    """The jobs that these words run, by the launcher of this package or directly."""
    words = [word for word in words if word != SAY]
    if tuple(words[:4]) == ("python", *PACKAGE, "launch"):
        return job.read(words[4:]).jobs
    return [Job(NO_LOG, tuple(words))]


def _text(words: Sequence[str]) -> str | None:
    """What a command says that has nothing to do; None for any other.

    `promises DIR TEXT` has nothing to do where DIR holds what it promised.
    """
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        try:
            if words[0] == "promises":
                return None if promises.main([words[1]]) else f"{words[2]}\n"
            return None if run(_command(words)) else said.getvalue()
        except (Exception, SystemExit):  # the stage itself will say what is wrong
            return None


def _command(words: Sequence[str]) -> list[str]:
    """What follows the last `-m s2st_interleave`; UserError for what opens no directory."""
    at = [k for k in range(len(words)) if tuple(words[k : k + 2]) == PACKAGE]
    command = list(words[at[-1] + 2 :]) if words[0] == "python" and at else []
    if not command or stage_number(command[0]) is None:  # such as preflight
        raise UserError(f"not a command of a stage: {' '.join(words)}")
    return command


def main() -> int:
    texts = list(kept(read(sys.stdin.read())))
    print(len(texts), "".join(texts), sep="\n", end="")
    return 0


if __name__ == "__main__":
    sys.exit(script("kept", main))
