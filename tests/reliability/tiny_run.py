"""The mini recipe with very little of everything, and every command that it has run.

The commands of a stage are then run again one by one, in forks of a process that has
imported the libraries: a kill reaches all that such a fork has started, for it leads a
process group of its own (faults.py).
"""

import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import recipe_process

ROOT = Path(__file__).resolve().parents[2]
PLACE = Path("egs/mini_cvss/es_en")  # of the recipe in a copy of the repository

LITTLE = {
    "MINI_CORPUS": "--num_train 8 --num_dev 2 --num_test 2 --num_text 300 --nj 1",
    "MINI_LLM": "--max_steps 6 --eval_every 6",
}
FAST = [
    "--encoder_args",
    "--max_steps 6 --eval_every 6 --save_every 2 --num_pieces 60 --batch_size 8",
    "--align_args",
    "--min_median_score none --min_score none",  # in 6 steps it hears nothing
    "--kmeans_args",
    "--num_units 30 --num_utterances 8",
    "--train_args",
    "--max_steps 6 --text_ratio_every 1 --eval_every 3 --save_every 2 --batch_size 4",
    "--decode_args",
    "--max_unit_ratio 1.2 --max_text_tokens 8",
    "--vocode_args",
    "--nj 1",  # each process of a pool would load torch
    "--vocoder_args",
    "--max_steps 4 --eval_every 4 --save_every 2 --nj 1",
]
# One process a training, one system after the other, and a stage for each thing: so that a
# command is a process, and every stage has something to write.
ALONE = """--num_gpus 1 --vocoder_gpus 1 --parallel_systems 1 --nj 1 --one_pass false
--checkpoints last""".split()
OPTIONS = (*FAST, *ALONE)

RECORDER = """#!/bin/sh
name={folder}/$(date +%s%N).$$
printf '%s\\0' "$PWD" "$@" >"$name.part"
env -0 >"$name.env"
mv "$name.part" "$name.words"
exec {python} "$@"
"""


@dataclass(frozen=True)
class Command:
    """A command of the recipe: `words` follow `python`; `began` is its time in ns."""

    cwd: Path
    words: tuple[str, ...]
    env: dict[str, str]
    began: int = 0

    @property
    def name(self) -> str:
        """The stage's command, or the name of a script."""
        if self.words[:2] == ("-m", "s2st_interleave"):
            return self.words[2]
        return self.words[1] if self.words[0] == "-m" else Path(self.words[0]).stem

    def value(self, option: str) -> str:
        """The last value of an option; "" where it has none."""
        places = [k for k, word in enumerate(self.words) if word == f"--{option}"]
        return self.words[places[-1] + 1] if places else ""


def copy_repository(root: Path, python: Path | None = None) -> Path:
    """Copy recipes and tools to `root`; return the recipe's folder.

    `python`: the interpreter that its commands take (tests/warm_python.py).
    """
    made = shutil.ignore_patterns("downloads", "data", "dump", "exp", "RESULTS.md")
    shutil.copytree(ROOT / "egs", root / "egs", ignore=made)
    shutil.copytree(ROOT / "tools", root / "tools")
    if python:
        with (root / "egs" / "path.sh").open("a") as stream:
            stream.write(f'PATH={shlex.quote(str(python.parent))}:"$PATH"\n')
    return root / PLACE


def recorder(folder: Path, python: Path) -> Path:
    """A `python` that notes each command in `folder` before it hands it on."""
    folder.mkdir(parents=True)
    shim = folder / "python"
    log = folder / "commands"
    log.mkdir()
    text = RECORDER.format(
        folder=shlex.quote(str(log)), python=shlex.quote(str(python))
    )
    shim.write_text(text)
    shim.chmod(0o755)
    return shim


def recorded(folder: Path) -> list[Command]:
    """The commands that `recorder` has noted, in the order in which they began."""
    commands = []
    for path in sorted((folder / "commands").glob("*.words")):
        cwd, *words = path.read_bytes().decode().split("\0")[:-1]
        lines = path.with_suffix(".env").read_bytes().decode().split("\0")[:-1]
        env = dict(line.partition("=")[::2] for line in lines)
        began = int(path.name.partition(".")[0])
        commands.append(Command(Path(cwd), tuple(words), env, began))
    return commands


def start(recipe: Path, *options: str, **more) -> subprocess.Popen:
    """Start the tiny recipe; `more` are arguments of Popen."""
    return recipe_process.start(recipe, [*OPTIONS, *options], LITTLE, **more)


def run(recipe: Path, *options: str, status: int = 0) -> str:
    """Run the tiny recipe to its end; return what it has printed."""
    return recipe_process.ended(start(recipe, *options), status)


def stages_of(commands: list[Command]) -> dict[int, list[Command]]:
    """The commands that write, by stage; what a stage only asks is left out."""
    by_name = {
        "make_corpus": 1,
        "data": 1,
        "encoder": 2,
        "align": 3,
        "kmeans": 4,
        "units": 4,
        "dump": 5,
        "train": 6,
        "decode": 7,
        "vocoder": 8,
        "vocode": 8,
        "topline": 9,
        "score": 9,
        "compare": 9,
        "results": 10,
        "report": 10,
    }
    stages: dict[int, list[Command]] = {}
    for command in commands:
        number = by_name.get(command.name)
        if number:
            stages.setdefault(number, []).append(command)
    return stages


if __name__ == "__main__":  # for a look at what is run
    for number, group in sorted(stages_of(recorded(Path(sys.argv[1]))).items()):
        for one in group:
            print(number, one.name, json.dumps(one.words))
