"""Bad JSON, YAML, options and schedules, by reader."""

import json
from pathlib import Path

from cases import Reader, Reads
from seeds import FACTS, GRID, PROGRESS, RECIPE, SCORE

from s2st_interleave import config, files, typed_json, yaml_text
from s2st_interleave.align import words
from s2st_interleave.facts import TrainFacts
from s2st_interleave.interleave.schedule import Schedule, text_ratio
from s2st_interleave.launch import resources
from s2st_interleave.replicate import grid
from s2st_interleave.report import curves, systems
from s2st_interleave.score.records import SystemScore
from s2st_interleave.stages import train
from s2st_interleave.train import checkpoint

DEEP = "[" * 100_000
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
ROW = '["hola", 0.0, 0.5, -0.1]'


def line(*rows: str, utterance: str = '"u1"') -> str:
    return f'{{"id": {utterance}, "words": [{", ".join(rows)}]}}\n'


def changed(text: bytes, **values: object) -> str:
    return json.dumps(json.loads(text) | values)


def first_words(path: Path) -> dict[str, str]:
    return {k: v[0].text for k, v in words.read_words(path).items()}


def ratio(path: Path) -> float:
    """The ratio at step 600 by the options of a YAML, as the training takes it."""
    given = config.load_yaml(path, train.Options)
    defaults = {"schedule": "step", "text_ratio": 0.9, "text_ratio_drop": 0.1}
    values = defaults | {"text_ratio_every": 300} | given
    start, drop = values["text_ratio"], values["text_ratio_drop"]
    schedule = Schedule(values["schedule"], start, drop, values["text_ratio_every"])
    return text_ratio(schedule, 600)


READERS = {
    "JSON": Reader(
        "a.json",
        files.read_json,
        [
            ("empty", "", "a.json: not JSON: Expecting value"),
            ("cut off", '{"a": [1, 2', "a.json: not JSON: Expecting"),
            ("a list in its place", "[1]", "a.json: no JSON object"),
            (
                "brackets without end",
                DEEP,
                "a.json: brackets within brackets, too deep",
            ),
            (
                "objects without end",
                '{"a":' * 100_000,
                "brackets within brackets, too deep",
            ),
            (
                "a number without end",
                f'{{"a": {"9" * 5000}}}',
                "a.json: not JSON: Exceeds",
            ),
            (
                "Latin-1",
                b'{"a": "caf\xe9"}',
                "a.json: not JSON: 'utf-8' codec can't decode",
            ),
            ("bytes of nothing", bytes(100), "a.json: not JSON"),
            ("half a surrogate", r'{"a": "\ud800"}', Reads({"a": "\ud800"})),
        ],
    ),
    "JSON lines": Reader(
        "metrics.jsonl",
        lambda path: curves.read_metrics(path.parent),
        [
            ("empty", "", Reads({})),
            (
                "a line cut off",
                '{"step": 0, "loss": 1}\n{"st',
                "metrics.jsonl:2: not JSON",
            ),
            (
                "a step of words",
                '{"step": "one", "loss": 1}\n',
                "step 'one' is no number",
            ),
            (
                "no step",
                '{"loss": 1}\n',
                "metrics.jsonl:1: no 'step' in it; was it edited?",
            ),
            ("a loss beyond all", f'{{"step": 0, "loss": {10**400}}}\n', Reads({})),
            ("a loss that is none", '{"step": 0, "loss": NaN}\n', Reads({})),
            ("a deep line", DEEP, "metrics.jsonl:1: brackets within brackets"),
        ],
    ),
    "words": Reader(
        "words.jsonl",
        first_words,
        [
            ("whole", line(ROW), Reads({"u1": "hola"})),
            ("an id twice", line(ROW) + line(ROW), "words.jsonl:2: u1 occurs twice"),
            (
                "an id that is a list",
                line(ROW, utterance="[1]"),
                "words.jsonl:1: no line of wo",
            ),
            ("no words", '{"id": "u1"}\n', "words.jsonl:1: no line of words: 'words'"),
            ("a list", "[1, 2]\n", "words.jsonl:1: no line of words"),
            (
                "a time of words",
                line('["hola", "0", 1, null]'),
                "'hola' has '0' in place of a",
            ),
            (
                "a time that is none",
                line('["hola", NaN, 1, null]'),
                "'hola' has nan in place",
            ),
            (
                "a time without end",
                line('["hola", 0, Infinity, null]'),
                "'hola' has inf in pl",
            ),
            (
                "a score beyond all",
                line(f'["a", 0, 1, {10**400}]'),
                "words.jsonl:1: no line of",
            ),
            (
                "a word that is a number",
                line("[5, 0, 1, null]"),
                "5 in place of a text",
            ),
            (
                "a word of three",
                line('["hola", 0, 1]'),
                "words.jsonl:1: no line of words",
            ),
            (
                "words in a text",
                '{"id": "u1", "words": ["abcd"]}\n',
                "'a' has 'b' in place of",
            ),
            ("brackets without end", DEEP, "words.jsonl:1: no line of words"),
            (
                "a NUL",
                line(ROW) + "\0\n",
                "words.jsonl:2: no text, it holds a NUL byte",
            ),
        ],
    ),
    "typed": Reader(
        "stage.json",
        lambda path: (
            typed_json.read(TrainFacts, files.read_json(path), str(path)).num_steps
        ),
        [
            ("whole", FACTS[0], Reads(3)),
            (
                "a key misspelt",
                changed(FACTS[0], num_step=3),
                "'num_step'; did you mean 'num_st",
            ),
            (
                "a key missing",
                '{"last": "x"}',
                "missing keys: best, num_steps, tokens_seen",
            ),
            (
                "a number in quotes",
                changed(FACTS[0], num_steps="3"),
                "expected int, not '3'",
            ),
            (
                "a half step",
                changed(FACTS[0], num_steps=3.5),
                "num_steps: expected int, not 3.5",
            ),
            (
                "true for a number",
                changed(FACTS[0], num_steps=True),
                "expected int, not True",
            ),
            (
                "beyond all",
                changed(FACTS[0], train_sec=10**400),
                "train_sec: expected float",
            ),
        ],
    ),
    "progress": Reader(
        "meta.json",
        lambda path: files.read_as(checkpoint.Progress, path).step,
        [
            ("whole", PROGRESS[0], Reads(1)),
            (
                "a loss not yet seen",
                changed(PROGRESS[0], best_loss=float("inf")),
                Reads(1),
            ),
            (
                "a key of another",
                changed(PROGRESS[0], x=1),
                "meta.json: 'x' is not known",
            ),
            (
                "a step of words",
                changed(PROGRESS[0], step="1"),
                "'step' is '1', wants int",
            ),
            (
                "a list for a number",
                changed(PROGRESS[0], best_loss=[]),
                "'best_loss' is []",
            ),
        ],
    ),
    "scores": Reader(
        "score.json",
        lambda path: SystemScore.from_json(files.read_json(path), str(path)).asr_bleu,
        [
            ("whole", SCORE[0], Reads(20.5)),
            (
                "an interval of three",
                changed(SCORE[0], ci95=[1, 2, 3]),
                "expected [low, high]",
            ),
            (
                "without its first",
                changed(SCORE[0], primary="x"),
                "x: expected a score, not None",
            ),
        ],
    ),
    "rows": Reader(
        "utterances.tsv",
        lambda path: systems.read_rows(path, "bleu")["u1"].reference,
        [
            ("no column", "id\tx\n", "utterances.tsv:1: no column 'bleu'"),
            (
                "a cell too few",
                "id\tbleu\treference\thypothesis\nu1\t2\n",
                ":2: 2 cells, exp",
            ),
            (
                "no number",
                "id\tbleu\treference\thypothesis\nu1\tx\ta\tb\n",
                ":2: bleu: 'x'",
            ),
            (
                "a line end of Unicode in a text",
                "id\tbleu\treference\thypothesis\nu1\t\ta\u2028b\tb\n",
                Reads("a\u2028b"),
            ),
        ],
    ),
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
        grid.load,
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
