"""Stage directories: complete only when `stage.json` is there, written last, by rename.

A stage opens its directory, works, and finishes it. If it is finished and was made with the
same options and inputs, the stage is skipped, which is printed; with other ones the stage
stops and shows the difference.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from s2st_interleave import begun, newer, progress, promises, record, record_file
from s2st_interleave.errors import UserError, shown
from s2st_interleave.files import (
    atomic_write,
    file_digest,
    sync,
    write_json,
)
from s2st_interleave.promises import DONE, DROPPED, OPEN
from s2st_interleave.provenance import git_state, versions
from s2st_interleave.record import Origin, digest
from s2st_interleave.stage_list import maker, stage_number

# With this variable a command only looks whether its stage is finished and up to date: it
# does nothing, and ends with this status where it is not. See train/torchrun.py.
LOOK, EXIT_UNFINISHED = "S2ST_LOOK", 86


@dataclass(frozen=True)
class Input:
    """A file or directory that a stage reads, and the command that makes it."""

    path: Path
    made_by: str | None = None  # a command; None: the user brings it

    def fingerprint(self) -> str:
        """Hash of a finished stage's inputs and outputs, or of a file's content.

        Raises FileNotFoundError where it is missing, not finished or no longer whole.
        """
        if (self.path / DONE).is_file():
            done = record_file.read(self.path / DONE)
            self._check_kind(done.get("stage", ""))
            if lost := promises.broken(self.path, done, reads=True):
                raise FileNotFoundError(self._explain_loss(lost))
            return print_of(done)
        if self.path.is_file():
            return file_digest(self.path)
        is_begun = (self.path / OPEN).is_file()
        if self.path.is_dir() and self.made_by is None and not is_begun:
            names = sorted(p for p in self.path.iterdir() if p.is_file())
            return digest({p.name: file_digest(p) for p in names})
        state = "is not finished" if self.path.exists() else "is missing"
        raise FileNotFoundError(f"{self.path} {state}{self._remedy()}")

    def _check_kind(self, made_by: str) -> None:
        """Raise UserError for the folder of another stage than the one that is wanted."""
        is_, wanted = stage_number(made_by), stage_number(self.made_by or "")
        if wanted and is_ and is_ != wanted:
            raise UserError(
                f"{self.path} is of stage {is_} ({made_by}), and a folder of stage "
                f"{wanted} ({self.made_by}) is wanted here"
            )

    def changes(self, directory: Path) -> list[str]:
        """A line for each file of it that is newer than what `directory` holds."""
        return newer.newer_files(self.path, directory)

    def _explain_loss(self, lost: promises.Broken) -> str:
        remedy = self._remedy()
        if remedy and lost.altered:
            remedy += " --overwrite true"
        return f"{self.path} is no longer whole: {lost}{remedy}"

    def _remedy(self) -> str:
        if self.made_by is None:
            return ""
        return f"; {maker(self.path, self.made_by)}"


def numbered(name: str, paths: Sequence[Path], made_by: str) -> dict[str, Input]:
    """Inputs `name`, or `name.0`, `name.1` ... where there are several."""
    inputs = [Input(path, made_by) for path in paths]
    if len(inputs) == 1:
        return {name: inputs[0]}
    return {f"{name}.{index}": origin for index, origin in enumerate(inputs)}


class OutdatedError(UserError):
    """A directory was made with other options or inputs; `difference` says which."""

    def __init__(self, directory: Path, difference: Sequence[str]) -> None:
        super().__init__(
            f"{directory} was made with other options or inputs:\n"
            + "\n".join(f"  {line}" for line in difference)
            + "\npass --overwrite true to make it anew, or name another folder: --out_dir, "
            "in a recipe --datadir, --dumpdir or --expdir"
        )
        self.difference = tuple(difference)


class Facts(Protocol):
    """The facts that a stage leaves to later stages: see facts.py."""

    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Stage:
    """A directory that a stage is filling; `started` is that of the monotonic clock."""

    directory: Path
    record: dict[str, Any]
    started: float

    def finish(
        self,
        *,
        num_in: int,
        num_out: int,
        dropped: Mapping[str, str] | None = None,
        also: Sequence[Path] = (),
        facts: Facts | None = None,
        earlier_sec: float = 0.0,
        said: str = "",
        **notes: Any,
    ) -> None:
        """Write `dropped.tsv` (utterance id, reason) and `stage.json`, which ends it.

        `also` are files outside of the directory that the stage wrote for later stages.
        Later stages read `facts`; `notes` stand beside them in stage.json, for people.
        `earlier_sec` are seconds that other processes have worked for this stage, such as
        the jobs of its shards; `wall_sec` counts them and this process. `said` is printed
        in place of the numbers of utterances where they need a word more.
        """
        dropped = dropped or {}
        reasons: dict[str, int] = {}
        for reason in dropped.values():
            kind = reason.split(":")[0]
            reasons[kind] = reasons.get(kind, 0) + 1
        with atomic_write(self.directory / DROPPED) as stream:
            lines = ((k, " ".join(v.split())) for k, v in sorted(dropped.items()))
            stream.writelines(shown(f"{k}\t{reason}\n") for k, reason in lines)
        size = sum(p.stat().st_size for p in self.directory.rglob("*") if p.is_file())
        digests = promises.digests(self.directory, also)
        done = self.record | {
            "outputs": record.outputs(digests),
            "digests": digests,
            "files": promises.sizes(self.directory, also),
            "audio_bytes": promises.audio_bytes(self.directory),
            "counts": {"in": num_in, "out": num_out, "dropped": reasons},
            "facts": (facts.to_json() if facts else {}) | notes,
            "git": git_state(),
            "versions": versions(),
            "wall_sec": round(time.monotonic() - self.started + earlier_sec, 1),
            "bytes": size,
        }
        # The names of all files are on disk before the one that says they are there.
        promises.sync_names(self.directory)
        write_json(self.directory / DONE, done)
        (self.directory / OPEN).unlink(missing_ok=True)
        sync(self.directory)
        begun.leave(self.directory)
        progress.name_lines("")
        said = said or f"{num_out} of {num_in} utterances"
        if dropped:
            kinds = ", ".join(f"{count} {kind}" for kind, count in reasons.items())
            said += f", {len(dropped)} dropped ({kinds})"
        print(
            f"{self.record['stage']}: {self.directory} finished: {said}, "
            f"{size / 1e6:.1f} MB, {done['wall_sec']} s",
            flush=True,
        )


def open_stage(
    directory: Path,
    *,
    stage: str,
    options: Any,
    inputs: Mapping[str, Origin | str],
    overwrite: bool = False,
    proven: bool = False,
) -> Stage | None:
    """Open `directory` for a stage; None when it is already complete and up to date.

    A complete directory has all files that it promised; if some are gone, the stage makes
    them again, with the same fingerprint. Raises UserError when the directory was made, or
    begun, with other options or inputs, or holds files but no record of a stage. What was
    begun and has no work in it (begun.py) takes other options and inputs.
    `overwrite` removes a directory made with other options or inputs. `proven` says that
    every file of a begun directory proves itself what it was made from, so that the stage
    may go on with other options and inputs. UserError also where another process works in
    the directory; only the jobs of one sharded stage work there together.
    """
    shard = getattr(options, "shard", "")
    alone = not shard or shard.startswith("0/")
    for origin in inputs.values():
        if isinstance(origin, Input) and _same(origin.path, directory):
            raise UserError(f"{directory} is read, and cannot be written: name another")
    now = record.of(stage, options, inputs)
    records = (directory / name for name in (DONE, OPEN))
    record_path = next((path for path in records if path.is_file()), None)
    if record_path:
        before, is_done = record_file.read(record_path), record_path.name == DONE
        difference = record.difference(before, now, options, inputs, directory)
        is_free = not is_done and (proven or not begun.has_work(directory, options))
        if difference and not (overwrite or is_free):
            raise OutdatedError(directory, difference)
        if difference:
            end_if_looking()
            begun.hold(directory)
            if not overwrite:
                print(f"{stage}: {directory} was begun otherwise, goes on as it is now")
            begun.discard(directory)
        elif not record.grown(before, now, options):
            # Options that no longer count in the fingerprint must not change it.
            now["fingerprint"] = before["fingerprint"]
            if is_done and not _reopened(directory, before, stage, overwrite):
                return None
    elif files := begun.unsigned(directory):
        raise UserError(
            f"{directory} holds {files[0].name} but neither {DONE} nor "
            f"{OPEN}: move it away, nobody knows how it was made"
        )
    end_if_looking()
    directory.mkdir(parents=True, exist_ok=True)
    begun.hold(directory, alone=alone)
    if (directory / DONE).is_file() and not (record_path and record_path.name == DONE):
        begun.leave(directory)  # another process has finished it just now
        again = {"stage": stage, "options": options, "inputs": inputs}
        return open_stage(directory, **again, overwrite=overwrite, proven=proven)
    write_json(directory / OPEN, now)
    if (directory / DONE).is_file():  # an extended run is open again
        sync(directory)  # a directory without a record is lost: the other one first
        (directory / DONE).unlink()
    begun.remove_discarded(directory)
    progress.name_stage(stage, directory)
    return Stage(directory, now, time.monotonic())


def _same(path: Path, other: Path) -> bool:
    return path.exists() and other.exists() and path.samefile(other)


def _reopened(
    directory: Path, done: Mapping[str, Any], stage: str, overwrite: bool
) -> bool:
    """Must files of a finished directory be made again? Prints which, or that none are."""
    lost = promises.broken(directory, dict(done), weigh=True, reads=True)
    if not lost:
        if (directory / OPEN).is_file():  # of a run that was killed just after DONE
            (directory / OPEN).unlink()
        print(f"{stage}: {directory} is up to date, skipped", flush=True)
        return False
    if lost.altered and not overwrite:
        raise UserError(
            f"{directory} is no longer whole: {lost}\nput it back, or pass "
            "--overwrite true to make it again"
        )
    end_if_looking()
    print(f"{stage}: {directory} is no longer whole: {lost}; made again", flush=True)
    for path in lost.altered:
        path.unlink()
    return True


def is_looking() -> bool:
    """Whether a command shall only look whether its directory is up to date."""
    return LOOK in os.environ


def end_if_looking() -> None:
    """End with EXIT_UNFINISHED where a command shall only look.

    A command that has no directory of its own calls it first.
    """
    if is_looking():
        raise SystemExit(EXIT_UNFINISHED)


def print_of(done: Mapping[str, Any]) -> str:
    """The fingerprint of a finished directory whose `stage.json` is `done`, whole or not."""
    return digest([done["fingerprint"], done["outputs"]])


def made_with(
    directory: Path, made_by: str, name: str, maker: Path, stage: str
) -> bool:
    """Was a finished directory made with `maker` of `stage`, by its input `name`, as it is?

    True where its record does not say, as those of earlier versions. Raises
    FileNotFoundError where one of the two is not finished.
    """
    recorded = read_done(directory, made_by)["inputs"].get(name)
    return not recorded or recorded == print_of(read_done(maker, stage))


def check_same_data(
    first: Path, made_first: str, second: Path, made_second: str
) -> None:
    """Raise UserError where two finished directories were made from different data.

    Their ids are the same where a corpus was made anew, and their recordings are not.
    """
    both = (first, made_first), (second, made_second)
    data, other = (read_done(*each)["inputs"].get("data") for each in both)
    if data and other and data != other:
        raise UserError(
            f"{first} and {second} were made from different data, or from data before and "
            f"after a change: run {made_first} and {made_second} again on the same"
        )


def read_done(directory: Path, made_by: str) -> dict[str, Any]:
    """The `stage.json` of a finished directory.

    Raises FileNotFoundError naming the stage that makes it where there is none.
    """
    Input(directory / DONE, made_by).fingerprint()
    return record_file.read(directory / DONE)
