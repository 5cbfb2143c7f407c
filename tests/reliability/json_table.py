"""Bad JSON, YAML, options and schedules, by reader."""

import json
from pathlib import Path

from cases import Reader, Reads
from seeds import FACTS, PROGRESS, SCORE

from s2st_interleave import files, typed_json
from s2st_interleave.align import words
from s2st_interleave.facts import TrainFacts
from s2st_interleave.report import curves, systems
from s2st_interleave.score import records
from s2st_interleave.score.records import SystemScore
from s2st_interleave.train import checkpoint

DEEP = "[" * 100_000
ROW = '["hola", 0.0, 0.5, -0.1]'


def line(*rows: str, utterance: str = '"u1"') -> str:
    return f'{{"id": {utterance}, "words": [{", ".join(rows)}]}}\n'


def changed(text: bytes, **values: object) -> str:
    return json.dumps(json.loads(text) | values)


def first_words(path: Path) -> dict[str, str]:
    return {k: v[0].text for k, v in words.read_words(path).items()}


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
        lambda path: records.read(SystemScore, path).asr_bleu,
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
}
