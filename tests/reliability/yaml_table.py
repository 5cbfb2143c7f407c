"""Bad YAML, options and schedules, by reader."""

from pathlib import Path

from cases import Reader, Reads
from json_table import DEEP
from seeds import GRID, RECIPE

from s2st_interleave import config, yaml_text
from s2st_interleave.interleave.schedule import Schedule, text_ratio
from s2st_interleave.launch import resources
from s2st_interleave.replicate import grid_file
from s2st_interleave.stages import train

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def ratio(path: Path) -> float:
    """The ratio at step 600 by the options of a YAML, as the training takes it."""
    given = config.load_yaml(path, train.Options)
    defaults = {"schedule": "step", "text_ratio": 0.9, "text_ratio_drop": 0.1}
    values = defaults | {"text_ratio_every": 300} | given
    start, drop = values["text_ratio"], values["text_ratio_drop"]
    schedule = Schedule(values["schedule"], start, drop, values["text_ratio_every"])
    return text_ratio(schedule, 600)


READERS = {
    "YAML": Reader(
        "a.yaml",
        yaml_text.read,
        [
            ("empty", "", Reads(None)),
            ("a tab", "a:\n\tb: 1\n", "a.yaml:2:1: found character '\\t'"),
            (
                "a key twice",
                "a: 1\na: 2\n",
                "a.yaml:2:1: 'a' occurs twice, first in line 1",
            ),
            (
                "an object of Python",
                "a: !!python/object/apply:os.system [ls]\n",
                "a.yaml:1:4: co",
            ),
            ("a list for a key", "? [a]\n: 1\n", "a.yaml:1:3: found unhashable key"),
            ("an alias of nobody", "a: *b\n", "a.yaml:1:4: found undefined alias 'b'"),
            (
                "a block that holds itself",
                "&a [*a]\n",
                "a.yaml: a block holds itself, by an",
            ),
            (
                "aliases that multiply",
                BOMB,
                "*aliases repeat its blocks to more than 1000000",
            ),
            ("merges that multiply", BOMB.replace("[", "{!!merge <<: [", 1), "a.yaml:"),
            (
                "brackets without end",
                DEEP[:5000],
                "a.yaml: blocks within blocks, too deep to read",
            ),
            ("a number without end", f"a: {'9' * 5000}", Reads({"a": "9" * 5000})),
            (
                "a control character",
                "a: \x07\n",
                "a.yaml: not YAML: unacceptable character",
            ),
            ("Latin-1", b"a: caf\xe9\n", "a.yaml:1: not UTF-8 (byte 6)"),
            ("UTF-16", "a: 1\n".encode("utf-16"), "a.yaml:1: not UTF-8 (byte 0)"),
            ("marks of an editor", b"\xef\xbb\xbfa: 1\r\n", Reads({"a": "1"})),
            (
                "a date, an hour, a no",
                "a: 24:00:00\nb: no\nc: 010\n",
                Reads({"a": "24:00:00", "b": "no", "c": "010"}),
            ),
        ],
    ),
    "typed YAML": Reader(
        "a.yaml",
        lambda path: yaml_text.read(path, typed=True),
        [
            (
                "a number without end",
                f"a: {'9' * 5000}",
                "a.yaml:1:4: a number of too many",
            ),
            ("a number beyond all", "a: 1e999\n", Reads({"a": float("inf")})),
            (
                "an octal of YAML 1.1",
                "a: 010\nb: 0o10\n",
                Reads({"a": 10, "b": "0o10"}),
            ),
        ],
    ),
    "options": Reader(
        "a.yaml",
        lambda path: config.load_yaml(path, train.Options),
        [
            (
                "an option misspelt",
                "max_step: 3\n",
                "'max_step'; did you mean 'max_steps'?",
            ),
            (
                "a block for a value",
                "lr: {a: 1}\n",
                "a.yaml: option 'lr' is '{'a': '1'}', wants",
            ),
            (
                "a value of another type",
                "lr: fast\n",
                "option 'lr' is 'fast', wants: a number",
            ),
            (
                "nothing",
                "lr:\n",
                "option 'lr' is '', wants: a value, and there is none",
            ),
            ("not a number", "lr: .nan\n", "option 'lr' is '.nan', wants: a number"),
            ("a list of options", "- lr\n", "a.yaml: expected 'option: value' lines"),
            (
                "a text without effect",
                "without_effect: lr\n",
                "a.yaml: without_effect: expected",
            ),
        ],
    ),
    "schedule": Reader(
        "a.yaml",
        ratio,
        [
            ("the paper's", "", Reads(0.7)),
            (
                "a shape of nobody",
                "schedule: stp\n",
                "step, constant, linear, cosine, inverse",
            ),
            (
                "more than all words",
                "text_ratio: 1.5\n",
                "'text_ratio' is 1.5, wants: at least 0",
            ),
            (
                "no multiple of its drop",
                "text_ratio: 0.95\n",
                "0.95 is no multiple of its drop",
            ),
            (
                "no steps",
                "text_ratio_every: 0\n",
                "'text_ratio_every' is 0, wants: at least 1",
            ),
            (
                "a drop that rises",
                "text_ratio_drop: -0.1\n",
                "'text_ratio_drop' is -0.1, wants",
            ),
        ],
    ),
    "Slurm": Reader(
        "slurm.yaml",
        lambda path: resources.read(path, "cuda_cmd").num_ranks,
        [
            ("whole", "cuda_cmd:\n  num_nodes: 2\n  gpus_per_node: 8\n", Reads(16)),
            (
                "a class misspelt",
                "cuda_cm:\n  num_nodes: 2\n",
                "'cuda_cm'; did you mean 'cuda",
            ),
            (
                "memory of words",
                "cuda_cmd:\n  memory: much\n",
                "slurm.yaml, cuda_cmd: option 'me",
            ),
            (
                "a line for sbatch",
                'partition: "a\\n#SBATCH --x"\n',
                Reads(1),
            ),  # it is one word
        ],
    ),
    "grid": Reader(
        "grid.yaml",
        grid_file.load,
        [
            ("no group", {"grid.yaml": "version: 1\n"}, "grid.yaml: no 'groups'"),
            ("no recipe", {"grid.yaml": GRID[0]}, "replication.yaml: no such file"),
            (
                "a group of words",
                {
                    "grid.yaml": GRID[0].partition(b"groups:")[0] + b"groups: all\n",
                    "replication.yaml": RECIPE,
                },
                "grid.yaml: groups: wants a list",
            ),
        ],
    ),
}
