"""Parses the words after $train_cmd, $decode_cmd, $cuda_cmd ... into jobs with their logs."""

import re
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from s2st_interleave import config
from s2st_interleave.errors import UserError
from s2st_interleave.launch.resources import CLASSES

TAIL_LINES = 20
# What `stamped` gives: it stands before a command, and after it.
HEAD = re.compile(r"# \d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")
END = re.compile(HEAD.pattern + r"ended with -?\d+$")


def stamped(text: str) -> str:
    """A line of a log with the time in front, as HEAD and END read it."""
    return f"# {time.strftime('%F %T')} {text}\n"


@dataclass(frozen=True)
class Job:
    """One command and its log; `index` is its number in an array, 0 outside of one."""

    log: Path
    command: tuple[str, ...]
    done: tuple[Path, ...] = ()  # the job is done if all of these files exist
    prefix: str = ""
    index: int = 0
    begin: int = 0  # bytes of the log that were there before, from earlier attempts

    def is_done(self) -> bool:
        return bool(self.done) and all(path.is_file() for path in self.done)

    def from_now(self) -> "Job":
        """This job, whose attempt begins where the log ends now."""
        is_there = self.log.is_file()
        return replace(self, begin=self.log.stat().st_size if is_there else 0)

    def note(self, text: str) -> None:
        """Append to the log that the command ran, said `text` and ended well."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(stamped(shlex.join(self.command)))
            log.write(f"{text}{stamped('ended with 0')}")

    def tail(self) -> list[str]:
        """The last lines that this attempt has printed; from its error on if it tells one."""
        if not self.log.is_file():
            return ["(no log was written)"]
        with self.log.open("rb") as stream:
            stream.seek(self.begin)
            lines = stream.read().decode("utf-8", errors="replace").splitlines()
        heads = [k for k, line in enumerate(lines) if HEAD.match(line)]
        begun = [k for k in heads if not END.match(lines[k])]
        own = lines[begun[-1] + 1 :] if begun else lines
        own = [line for line in own if not HEAD.match(line)][-TAIL_LINES:]
        errors = [k for k, line in enumerate(own) if line.startswith("error: ")]
        return own[errors[-1] :] if errors else own

    def last_words(self) -> str:
        """The last line that the command printed; "" where there is none."""
        lines = self.tail()
        return lines[-1] if lines else ""


@dataclass(frozen=True)
class Failure:
    """The cause of a job's failure, and where it ran; a job that never `ran` has no log."""

    cause: str
    place: str = ""
    ran: bool = True


@dataclass(frozen=True)
class Line:
    """The parsed words: backend, class of resources, and jobs."""

    backend: str
    resources: str
    limit: int  # jobs at once; 0: all
    gpus: int  # GPUs of a job on this machine; 0: it sees all
    log: Path  # the log's name before JOB is replaced
    jobs: tuple[Job, ...] = field(repr=False)

    @property
    def is_array(self) -> bool:
        return self.jobs[0].index > 0


def read(words: Sequence[str]) -> Line:
    """Parse the words of the command line; UserError for anything else.

    [--backend B] [--resources R] [--max-jobs-run N] [--gpu N] [--done FILE]...
    [JOB=1:N | JOB=a,b] LOG COMMAND...
    """
    options = {"backend": "local", "resources": "train_cmd"}
    options |= {"max_jobs_run": "0", "gpu": "0"}
    rest, done = list(words), []
    while rest and rest[0].startswith("--"):
        name = rest.pop(0).removeprefix("--").replace("-", "_")
        if name not in (*options, "done"):
            near = config.nearest(name, [*options, "done"])
            raise UserError(f"unknown option '--{name}'{near}")
        if not rest:
            raise UserError(f"--{name} needs a value")
        if name == "done":
            done.append(rest.pop(0))
        else:
            options[name] = rest.pop(0)
    if options["resources"] not in CLASSES:
        near = config.nearest(options["resources"], CLASSES)
        wanted = f"wants one of {', '.join(CLASSES)}{near}"
        raise UserError(f"--resources is '{options['resources']}', {wanted}")
    limit = options["max_jobs_run"]
    if not limit.isdecimal():
        raise UserError(f"--max-jobs-run is '{limit}', wants a number of jobs")
    gpus = options["gpu"]
    if not gpus.isdecimal():
        raise UserError(f"--gpu is '{gpus}', wants a number of GPUs")
    if int(gpus) and options["backend"] != "local":
        raise UserError(
            f"--gpu is for this machine; for {options['backend']} its configuration "
            "says how many GPUs a job gets"
        )
    names, numbered = [""], False
    if rest and rest[0].startswith("JOB="):
        names, numbered = _names(rest.pop(0).removeprefix("JOB="))
    if len(rest) < 2:
        raise UserError("expected [JOB=1:N] LOG COMMAND ...")
    jobs = [
        Job(
            log=Path(_named(rest[0], name)),
            command=tuple(_named(word, name) for word in rest[1:]),
            done=tuple(Path(_named(path, name)) for path in done),
            prefix=f"[{name}] " if len(names) > 1 else "",
            index=int(name) if numbered else 0,
        )
        for name in names
    ]
    if len({job.log for job in jobs}) < len(jobs):
        raise UserError(
            f"{rest[0]}: {len(jobs)} jobs need JOB in the name of their log"
        )
    return Line(
        options["backend"],
        options["resources"],
        int(limit),
        int(gpus),
        Path(rest[0]),
        tuple(jobs),
    )


def _names(values: str) -> tuple[list[str], bool]:
    """Names of the jobs by JOB=<values>, and whether they are numbers of an array."""
    span = re.fullmatch(r"(\d+):(\d+)", values)
    if not span:
        return values.split(","), False
    first, last = int(span[1]), int(span[2])
    if not 1 <= first <= last:
        raise UserError(f"JOB={values}: expected JOB=1:N with N of at least 1")
    return [str(index) for index in range(first, last + 1)], True


def _named(word: str, name: str) -> str:
    return word.replace("JOB", name) if name else word
