"""A finished tiny recipe, whose last stages are undone, run again, and held against it.

Stages are tried from the last to the first, so that each finds the tree as it was when it
first ran: what later stages had made is gone.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import same_tree
import tiny_run
import warm_python
from fork_server import NO_FAULT, End, Fault, ForkServer
from tiny_run import Command

BROUGHT = (
    "downloads/llm/",
    "downloads/whisper",
    "run.sh",
)  # no stage is undone to these


@dataclass
class Stage:
    """The commands of a stage, the files that they made, and all that was there then."""

    number: int
    commands: list[Command]
    made: set[str]
    wanted: dict[str, str] = field(default_factory=dict)


@dataclass
class Replay:
    """The recipe's folder; `temp` is where its commands keep temporary files."""

    recipe: Path
    stages: dict[int, Stage]
    server: ForkServer
    temp: Path

    def undo(self, number: int) -> None:
        """Take away all that is not of the stages before `number`."""
        kept = set()
        for stage in self.stages.values():
            if stage.number < number:
                kept |= stage.made
        for folder, folders, names in os.walk(self.recipe, topdown=False):
            for name in names:
                path = Path(folder, name)
                if str(path.relative_to(self.recipe)) not in kept:
                    path.unlink()
            for name in folders:
                with_files = Path(folder, name)
                if not any(with_files.iterdir()):
                    with_files.rmdir()

    def run(self, number: int, fault: Fault = NO_FAULT) -> list[End]:
        """Run a stage's commands, as run.sh does, to the first that fails.

        The events of a fault count over all commands of the stage.
        """
        ends: list[End] = []
        for command in self.stages[number].commands:
            if command.value("shard") and self._is_finished(command):
                continue
            rest = replace(fault, at=fault.at - sum(end.events for end in ends))
            ends.append(self.server.run(command, replace(rest, root=str(self.recipe))))
            if ends[-1].status or ends[-1].signal:
                break
        return ends

    def _is_finished(self, command: Command) -> bool:
        return (command.cwd / command.value("out_dir") / "stage.json").is_file()

    def difference(self, number: int) -> list[str]:
        """What differs from the undisturbed run, once stage `number` is made again."""
        seen = same_tree.tree(self.recipe)
        left = [f"{path}: is left over" for path in sorted(self.temp.iterdir())]
        return same_tree.different(self.stages[number].wanted, seen) + left

    def copied(self, folder: Path) -> "Replay":
        """The same in a copy of the repository, for what a test does not put back."""
        root = self.recipe.parents[2]
        shutil.copytree(root, folder / root.name)
        recipe = folder / root.name / tiny_run.PLACE
        stages = {
            number: replace(
                stage, commands=[replace(c, cwd=recipe) for c in stage.commands]
            )
            for number, stage in self.stages.items()
        }
        return replace(self, recipe=recipe, stages=stages)

    def finish(self, number: int) -> list[End]:
        """Run a stage again, as one does after a fault; every command ends well."""
        ends = self.run(number)
        for end in ends:
            assert (end.status, end.signal, end.left) == (0, 0, 0), end.output
        return ends


@contextmanager
def recorded(folder: Path, disk: Path | None = None) -> Iterator[Replay]:
    """Run the tiny recipe in a path with a space and a quote.

    It lies in `folder`, with what the harness needs, or on a disk of its own.
    """
    with warm_python.warm(folder / "warm") as warm:
        python = tiny_run.recorder(folder / "recorded", warm / "python")
        recipe = tiny_run.copy_repository((disk or folder) / "a user's copy", python)
        tiny_run.run(recipe)
    with opened(folder, recipe) as replay:
        yield replay


@contextmanager
def opened(folder: Path, recipe: Path) -> Iterator[Replay]:
    """The replay of a recipe that has run in `folder`."""
    temp = folder / "temp"
    shutil.rmtree(temp, ignore_errors=True)
    temp.mkdir()
    commands = [
        replace(c, env=c.env | {"TMPDIR": str(temp)}, cwd=recipe)
        for c in tiny_run.recorded(folder / "recorded")
    ]
    groups = tiny_run.stages_of(commands)
    begins = {number: group[0].began for number, group in sorted(groups.items())}
    stages = {number: Stage(number, groups[number], set()) for number in begins}
    shutil.rmtree(recipe / "exp" / "log", ignore_errors=True)
    for path in recipe.rglob("*"):
        if path.is_file():
            made = path.stat().st_mtime_ns
            name = str(path.relative_to(recipe))
            number = max((n for n in begins if begins[n] <= made), default=0)
            if name.startswith(BROUGHT):
                number = 0
            stages.setdefault(number, Stage(number, [], set())).made.add(name)
    whole = same_tree.tree(recipe)
    for number, stage in stages.items():
        known = {
            same_tree.renamed(name)
            for before in stages.values()
            if before.number <= number
            for name in before.made
        }
        stage.wanted = {k: v for k, v in whole.items() if k in known}
    with ForkServer(folder / "server") as server:
        yield Replay(recipe, stages, server, temp)
