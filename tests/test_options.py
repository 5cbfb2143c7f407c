"""Options mean what they say: as written, and within their range."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from parsing import parse, refused, written

from s2st_interleave import config, yaml_text
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.errors import UserError
from s2st_interleave.launch import resources
from s2st_interleave.replicate import grid_file
from s2st_interleave.stages.train_options import Options as TrainOptions

ROOT = Path(__file__).resolve().parents[1]
COMMITTED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "-C", ROOT, "ls-files", "*.yaml", "*.yml"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
]


@dataclass(frozen=True, kw_only=True)
class Options:
    tgt_lang: str = option("en", "a word")
    languages: tuple[str, ...] = option(("en",), "words")
    steps: int = option(10, "a number", minimum=0)
    lr: float = option(1e-3, "a number", above=0)
    dropout: float = option(0.1, "a share", minimum=0, below=1)
    cot: bool = option(True, "a switch")
    out_dir: Path = option(Path("out"), "a path")
    limit: int | None = option(7, "may be absent")
    widths: tuple[int, ...] = option((), "numbers", minimum=1)


# As written


@pytest.mark.parametrize("text", ["no", "on", "0123", "1:30", "1_000", "1.10", "1e3"])
def test_text_is_text_in_a_file_as_on_the_line(text, tmp_path):
    path = written(tmp_path, f"tgt_lang: {text}\nlanguages: [{text}, es]\n")
    read, typed = (
        parse(Options, "--config", path),
        parse(Options, "--tgt_lang", text, "--languages", f"{text} es"),
    )
    assert read == typed
    assert (read.tgt_lang, read.languages) == (text, (text, "es"))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("steps", "010", 10),
        ("steps", "+5", 5),
        ("lr", "1e-3", 0.001),
        ("lr", "2", 2.0),
        ("lr", ".5", 0.5),
        ("cot", "false", False),
        ("limit", "none", None),
        ("languages", "de no", ("de", "no")),
        ("widths", "3 07", (3, 7)),
    ],
)
def test_numbers_and_switches_mean_the_same_in_both_places(name, text, value, tmp_path):
    path = written(tmp_path, f"{name}: {text}\n")
    for words in (["--config", path], [f"--{name}", text]):
        assert getattr(parse(Options, *words), name) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("steps", "1e3", "wants: an integer: 1000"),
        ("steps", "32.0", "wants: an integer: 32"),
        ("steps", "1_000", "wants: an integer"),
        ("steps", "0o17", "wants: an integer"),
        ("steps", "0x1F", "wants: an integer"),
        ("steps", "1:30", "wants: an integer"),
        ("steps", "true", "wants: an integer"),
        ("steps", "٣", "wants: an integer"),
        ("lr", ".inf", "wants: a number"),
        ("lr", "nan", "wants: a number"),
        ("lr", "1e999", "wants: a number"),
        ("lr", "1_0.5", "wants: a number"),
        ("cot", "yes", "wants: true or false"),
        ("cot", "True", "wants: true or false"),
        ("cot", "on", "wants: true or false"),
        ("out_dir", "''", "wants: a value, and there is none"),
        ("steps", "", "wants: a value, and there is none"),
        ("steps", "-1", "is -1, wants: at least 0"),
        ("lr", "0", "is 0, wants: more than 0"),
        ("dropout", "1", "is 1, wants: at least 0 and less than 1"),
        ("widths", "4 0", "is 0, wants: at least 1"),
        ("languages", "''", "is empty, wants at least one"),
    ],
)
def test_what_is_no_such_value_is_refused_alike(name, text, message, tmp_path, capsys):
    path = written(tmp_path, f"{name}: {text}\n")
    assert message in refused(capsys, Options, "--config", path)
    typed = refused(capsys, Options, f"--{name}", text.strip("'"))
    assert message in typed and "command line: " in typed


def test_what_a_file_leaves_empty_is_nothing(tmp_path):
    path = written(tmp_path, "tgt_lang:\nwidths: ~\nlimit: null\n")
    parsed = parse(Options, "--config", path)
    assert (parsed.tgt_lang, parsed.widths, parsed.limit) == ("", (), None)


def test_a_list_is_no_single_value(tmp_path, capsys):
    path = written(tmp_path, "tgt_lang: [es, en]\n")
    assert "wants: one value" in refused(capsys, Options, "--config", path)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("lr: 1\nsteps: 3\nlr: 2\n", ":3:1: 'lr' occurs twice, first in line 1"),
        ("out-dir: a\nout_dir: b\n", ": option 'out_dir' occurs twice"),
        ("lr: 1\nlanguages:\n\t- es\n", ":3:1: found character '\\t'"),
        ("lr: 1\nlanguages: [es, en\n", ":3:1: expected ',' or ']'"),
        ("lr: !!python/name:os.system 1\n", ":1:5: could not determine"),
        ("lr: 1\n---\nlr: 2\n", ":2:1: but found another document"),
        ("lr: \0\n", ": not YAML: unacceptable character"),
        ("lr\n", ": expected 'option: value' lines"),
    ],
)
def test_what_is_no_such_yaml_names_file_line_and_column(text, where, tmp_path, capsys):
    path = written(tmp_path, text)
    assert f"{path}{where}" in refused(capsys, Options, "--config", path)


def test_a_file_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "latin.yaml"
    path.write_bytes("a: 1\ntitle: Português\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"latin\.yaml:2: not UTF-8"):
        yaml_text.read(path)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_committed_yaml_says_what_it_said(path):
    """Types and order too: digests of grids and fingerprints of stages hang on it."""
    before = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert repr(yaml_text.read(path, typed=True)) == repr(before)


def test_without_types_a_grid_reads_plain_numbers_and_no_others():
    parsed = yaml_text.parse("[1, 1e-3, true, no, 1:30, 0b1, '2', ~]", "x", typed=True)
    assert parsed == [1, 0.001, True, "no", "1:30", "0b1", "2", None]


# Slurm


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("24:00:00", "a whole number of minutes: 1440"),
        ("1-12", "a whole number of minutes: 2160"),
        ("2-00:30:00", "a whole number of minutes: 2910"),
        ("1:30", "a whole number of minutes: 90 if these are hours, 2 if not"),
        ("90.5", "a whole number of minutes"),
    ],
)
def test_a_time_of_the_clock_is_refused_with_its_minutes(text, message, tmp_path):
    path = written(tmp_path, f"cuda_cmd:\n  minutes: {text}\n", "slurm.yaml")
    with pytest.raises(UserError) as caught:
        resources.read(path, "cuda_cmd")
    start = f"{path}, cuda_cmd: option 'minutes' is '{text}', wants: "
    assert str(caught.value) == start + message


def test_names_of_slurm_keep_their_zeros(tmp_path):
    text = "account: 0123\npartition: on\nmemory: 010G\ncuda_cmd: {minutes: 010}\n"
    asked = resources.read(written(tmp_path, text), "cuda_cmd")
    assert (asked.account, asked.partition, asked.memory) == ("0123", "on", "010G")
    assert asked.minutes == 10


# Grids


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\npairs: [pt_en]\n", "no 'groups'"),
        ("version: 1\npairs: []\ngroups: [{table: 2}]\n", "group 1: no 'pairs'"),
        ("version: 1\npairs: []\ngrups: []\n", "unknown key 'grups'; did you mean"),
        ("pairs: [a]\npairs: [b]\n", ":2:1: 'pairs' occurs twice"),
    ],
)
def test_a_grid_says_what_it_lacks(text, message, tmp_path):
    with pytest.raises(UserError, match=message):
        grid_file.load(written(tmp_path, text, "grid.yaml"))


def test_required_options_are_named_together(capsys):
    @dataclass(frozen=True, kw_only=True)
    class Both:
        one: str = option(REQUIRED, "one")
        two: str = option(REQUIRED, "two")

    assert "missing --one, --two" in refused(capsys, Both)


def test_help_shows_what_is_required_first_and_then_the_commands_own(capsys):
    """`train --help` began with the optimiser; the schedule stood behind sixty lines."""
    with pytest.raises(SystemExit):
        config.parse(TrainOptions, ["--help"], prog="train")
    lines = capsys.readouterr().out
    assert lines.startswith("usage: python -m s2st_interleave train")
    order = ["--train_dir", "--out_dir", "--schedule", "--text_ratio", "--weight_decay"]
    places = [lines.index(f"  {name} ") for name in order]
    assert places == sorted(places)


def test_a_script_of_a_recipe_names_itself(capsys, monkeypatch):
    """`check_align.py --help` named a command of the package that is not there."""
    monkeypatch.setattr("sys.argv", ["../local/check_align.py", "--help"])
    with pytest.raises(SystemExit):
        config.parse(Options, ["--help"], prog="check_align")
    assert capsys.readouterr().out.startswith("usage: check_align.py [--config FILE]")
