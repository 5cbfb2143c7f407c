"""The recipes' option parser keeps Kaldi's rules and never executes data."""

import subprocess
from pathlib import Path

import pytest

PARSER = Path(__file__).parents[2] / "egs/cvss/utils/parse_options.sh"

DRIVER = r"""
set -euo pipefail
stage=1
stop_stage=10
tag=
train_args=
skip_train=false
name=kept
declare -a list=(a b)
readonly fixed=1
UPPER=kept
help_message="Usage: run.sh [--stage N]"
. "$PARSER"
echo "after: $#"
printf '%s=<%s>\n' stage "$stage" stop_stage "$stop_stage" tag "$tag" \
  train_args "$train_args" skip_train "$skip_train" name "$name" UPPER "$UPPER"
later=1
"""


def run_driver(*arguments, cwd=None):
    """Run a small driver that sources the parser, as a recipe's run.sh does."""
    return subprocess.run(
        ["bash", "-c", DRIVER, "run.sh", *map(str, arguments)],
        env={"PARSER": str(PARSER), "PATH": "/usr/local/bin:/usr/bin:/bin"},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def options_of(*arguments, cwd=None):
    """The driver's variables after parsing; fails the test if the driver failed."""
    result = run_driver(*arguments, cwd=cwd)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    lines = result.stdout.split("\n", 1)
    assert lines[0] == "after: 0"
    return dict(part.split("=<", 1) for part in lines[1][:-2].split(">\n"))


def error_of(*arguments, cwd=None):
    """What the driver says on stderr when it refuses the line with status 1."""
    result = run_driver(*arguments, cwd=cwd)
    assert result.returncode == 1, result.stdout
    assert result.stdout == ""
    assert result.stderr.startswith("run.sh: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_defaults_stay_without_options():
    assert options_of() == {
        "stage": "1",
        "stop_stage": "10",
        "tag": "",
        "train_args": "",
        "skip_train": "false",
        "name": "kept",
        "UPPER": "kept",
    }


@pytest.mark.parametrize("spelling", ["--stop_stage", "--stop-stage"])
def test_dash_and_underscore_are_the_same(spelling):
    assert options_of(spelling, 6, "--stage", 3)["stop_stage"] == "6"


def test_words_for_a_stage_are_added_to_those_of_the_recipe():
    """`--quick true --train_args "--lr 1e-4"` trained for as many steps as a full run."""
    line = ("--train_args", "--max_steps 3", "--train-args", "--lr 1e-4")
    assert options_of(*line)["train_args"] == "--max_steps 3 --lr 1e-4"
    assert options_of(*line, "--train_args", "")["train_args"] == ""


def test_the_last_of_two_equal_options_wins():
    assert options_of("--stage", 3, "--stage", 4)["stage"] == "4"


@pytest.mark.parametrize(
    "value",
    [
        "two words",
        'it\'s "quoted"',
        "$(touch executed)",
        "`touch executed`",
        "$HOME",
        "a\nb",
        "*",
        "back\\slash %s",
        "--max_steps 10",
        "-1",
        "",
        "a=b",
    ],
)
def test_values_are_taken_literally(value, tmp_path):
    assert options_of("--tag", value, cwd=tmp_path)["tag"] == value
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["name", "tag"])
def test_options_named_like_the_parsers_words_work(option):
    assert options_of(f"--{option}", "x")[option] == "x"


def test_unknown_option_names_its_nearest_neighbour():
    message = error_of("--stop-stagee", 3)
    assert message == (
        "run.sh: unknown option --stop-stagee, did you mean --stop_stage?\n"
    )


def test_unknown_option_without_neighbour():
    assert (
        error_of("--zebra_crossing", 3) == "run.sh: unknown option --zebra_crossing\n"
    )


@pytest.mark.parametrize(
    "option",
    [
        "UPPER",
        "later",
        "list",
        "fixed",
        "help_message",
        "PATH",
        "list[0]",
        "_po_letters",
        "stage[$(touch executed)]",
        "config.x",
        "-stage",
    ],
)
def test_only_plain_lower_case_variables_set_before_are_options(option, tmp_path):
    assert "unknown option" in error_of(f"--{option}", "x", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_equals_sign_is_refused_with_the_right_spelling():
    assert "write '--stage 3'" in error_of("--stage=3")


def test_a_boolean_takes_true_and_false_only():
    assert options_of("--skip_train", "true")["skip_train"] == "true"
    for value in ["yes", "True", "1", ""]:
        assert "takes true or false" in error_of("--skip-train", value)


def test_a_number_takes_whole_numbers_only_and_008_is_8(tmp_path):
    """To bash it would be a mistake, and 010 would be 8."""
    for value, number in {"008": "8", "010": "10", "0": "0"}.items():
        assert options_of("--stage", value)["stage"] == number
    for value in ["two", "-1", "1.5", "0x3", "stop_stage", "a[$(touch executed)]", ""]:
        assert "takes a whole number" in error_of("--stage", value, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_text_stays_text_whatever_a_config_sets_it_to(tmp_path):
    for first in ("5", "true"):
        config = write_config(tmp_path / "x.conf", f"tag={first}\n")
        assert options_of("--config", config, "--tag", "x")["tag"] == "x"


@pytest.mark.parametrize(
    "arguments",
    [["--stage"], ["--stage", "--tag", "x"], ["--config"], ["--tag", "--config", "c"]],
)
def test_a_missing_value_is_an_error(arguments):
    assert f"{arguments[0]} needs a value" in error_of(*arguments)


@pytest.mark.parametrize("arguments", [["x"], ["--stage", "3", "x"], ["3", "--stage"]])
def test_left_over_arguments_are_an_error(arguments):
    assert "unexpected argument" in error_of(*arguments)


@pytest.mark.parametrize("arguments", [["-s", "3"], ["-"], ["--"], ["--", "x"]])
def test_short_options_and_bare_dashes_are_an_error(arguments):
    error_of(*arguments)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--stage", "3", "-h"]])
def test_help_prints_the_message(arguments):
    result = run_driver(*arguments)
    assert result.returncode == 0
    assert result.stdout == "Usage: run.sh [--stage N]\n"


def write_config(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_config_is_read_first_and_the_line_wins_wherever_it_stands(tmp_path):
    config = write_config(tmp_path / "a b.conf", "stage=5\ntag=config\n")
    for line in (
        ["--stage", 3, "--config", config],
        ["--config", config, "--stage", 3],
    ):
        options = options_of(*line)
        assert (options["stage"], options["tag"]) == ("3", "config")


def test_of_two_configs_the_later_wins(tmp_path):
    first = write_config(tmp_path / "1.conf", "stage=5\ntag=one\n")
    second = write_config(tmp_path / "2.conf", "stage=6\n")
    options = options_of("--config", first, "--config", second)
    assert (options["stage"], options["tag"]) == ("6", "one")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("tag=plain", "plain"),
        ("  tag=two words  ", "two words"),
        ("--tag two words", "two words"),
        ("tag=plain # why", "plain"),
        ("tag=a#b", "a#b"),
        ("tag='single # \"x\"'  # why", 'single # "x"'),
        ("tag=\"double 'x'\"", "double 'x'"),
        ("tag=$(touch executed)", "$(touch executed)"),
        ('tag="`touch executed`$HOME"', "`touch executed`$HOME"),
        ("tag=x; touch executed", "x; touch executed"),
        ("tag=", ""),
        ("tag= # nothing", ""),
        ("tag=crlf\r", "crlf"),
        ("tag=a=b", "a=b"),
        ("# comment\n\n   # more\ntag=last line without end", None),
    ],
)
def test_config_lines_are_read_and_never_executed(line, value, tmp_path):
    config = write_config(tmp_path / "x.conf", line)
    expected = "last line without end" if value is None else value
    assert options_of("--config", config, cwd=tmp_path)["tag"] == expected
    assert list(tmp_path.iterdir()) == [config]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("stge=3", "unknown option --stge, did you mean --stage?"),
        ("skip_train=yes", "--skip_train takes true or false, not 'yes'"),
        ("--stage=3", "write '--stage 3'"),
        ("--stage", "--stage needs a value"),
        ("--stage   # comment", "--stage needs a value"),
        ("tag='open", "the quote is not closed"),
        ("tag='a'b", "text behind the closing quote"),
        ("touch executed", "write name=value or --name value"),
        ("export tag=x", "write name=value or --name value"),
        ("tag: yaml", "write name=value or --name value"),
        ("PATH=x", "unknown option --PATH"),
        ("config=other", "unknown option --config"),
    ],
)
def test_config_errors_name_file_and_line(line, message, tmp_path):
    config = write_config(tmp_path / "x.conf", f"# first\n{line}\n")
    error = error_of("--config", config, cwd=tmp_path)
    assert f"{config}, line 2: " in error
    assert message in error
    assert list(tmp_path.iterdir()) == [config]


def test_a_config_that_is_not_there_is_an_error(tmp_path):
    assert "no such file" in error_of("--config", tmp_path / "none.conf")
    assert "no such file" in error_of("--config", tmp_path)


def test_nothing_of_the_parser_stays_behind():
    script = f'stage=1; . "{PARSER}"; declare -F; compgen -v | grep ^_po || true'
    result = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout == ""


def test_words_of_an_option_are_split_and_name_no_files(tmp_path):
    (tmp_path / "a file").touch()
    script = """
    . "$1/training.sh"
    s2st_split words "$2"
    printf '<%s>' "${words[@]}"
    s2st_split none ""
    echo " ${#none[@]}"
    """
    command = ["bash", "-euc", script, "sh", PARSER.parent, " --x *  \n 'a b' "]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "<--x><*><'a><b'> 0\n"
