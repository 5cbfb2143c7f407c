"""`show` in a recipe's directory: what it needs to be told, and what it says to mistakes."""

import json
import shutil
from pathlib import Path

import pytest

from s2st_interleave.__main__ import main
from s2st_interleave.show.lookup import most_like


def said(capsys, *words: str) -> str:
    status = main(["show", *words])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    return captured.out


def refused(capsys, *words: str) -> str:
    assert main(["show", *words]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: show: ") and error.count("\n") == 1
    return error


def test_an_id_is_enough_and_the_step_is_the_first_that_reads_it(recipe, capsys):
    text = said(capsys, "u03")
    assert "u03" in text and "the training reads it at this step" in text
    assert "source (es)" in text and "\x1b" not in text
    assert text == said(capsys, "u03", "--train_dir", "exp/scheduled")


def test_terminal_svg_json_and_page_are_of_one_step(recipe, capsys):
    assert "step 39 of 40" in said(capsys, "--step", "39", "u03")
    assert "step 40, beyond the last of 40 ·" in said(capsys, "--step", "40", "u03")
    for name in ("a.svg", "a.json", "a.html"):
        said(capsys, "u03", "--step", "39", f"--out={name}", "--audio", "false")
        assert "u03" in Path(name).read_text("utf-8")
    assert json.loads(Path("a.json").read_text())["step"] == 39
    assert "a.svg exists: pass --overwrite" in refused(capsys, "u03", "--out", "a.svg")


def test_dev_is_found_and_is_not_read_by_the_training(recipe, capsys):
    assert "the training does not read it" in said(capsys, "u21", "--step", "3")


def test_it_draws_before_anything_is_trained(recipe, text_llm, capsys):
    Path("mine.yaml").write_text("text_ratio_every: 2\nmax_steps: 30\n")
    words = ["--llm", str(text_llm), "--dump_dir", "dump/interleave/train"]
    text = said(capsys, "u03", "--train_config", "mine.yaml", "--step", "5", *words)
    assert "p = 0.7" in text and "mine.yaml" in text


def test_a_training_of_another_recipe_was_drawn_from_the_dump_of_this_one(
    recipe, tmp_path, capsys, monkeypatch
):
    """Both have a dump/interleave/train: that of the current directory was taken."""
    other = tmp_path / "other"
    shutil.copytree(recipe, other)
    (vocabulary,) = other.glob("dump/interleave/train/vocab.json")
    own = said(capsys, "u03", "--step", "3", "--train_dir", "exp/scheduled")
    vocabulary.unlink()
    theirs = f"{other}/exp/scheduled"
    assert "u03" in own
    assert f"{other}/dump" in refused(capsys, "u03", "--train_dir", theirs)


def test_paths_of_a_training_are_those_of_its_recipe(
    recipe, tmp_path, capsys, monkeypatch
):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "u03" in said(capsys, "u03", "--train_dir", str(recipe / "exp/scheduled"))


def test_a_quick_run_is_shown_where_no_other_run_was_made(recipe, capsys):
    """`run.sh --quick true` makes all below quick/, and `show ID` ended in an error."""
    Path("quick").mkdir()
    for name in ("exp", "data", "dump"):
        Path(name).rename(f"quick/{name}")
    assert main(["show", "u03"]) == 0
    captured = capsys.readouterr()
    assert "u03" in captured.out and "quick/exp/scheduled" in captured.out
    assert captured.err == "no exp here: taking quick/exp/scheduled, of a quick run\n"
    Path("exp").mkdir()
    assert "exp/scheduled/config.yaml is missing" in refused(capsys, "u03")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["u3"],
            "no utterance u3 in dump/interleave/train or dump/interleave/dev; did you",
        ),
        ([], "no utterance is named: show ID; dump/interleave/train or"),
        (["u90"], "data/train/dropped.tsv: no audio: it cannot be read"),
        (["u91"], "dump/align/train/dropped.tsv: bad alignment: score -9"),
        (["u21", "--dump_dir", "dump/interleave/train"], "is in dump/interleave/dev"),
        (
            ["u03", "--dump_dir", "dump/none"],
            "dump/none is no dump: ./run.sh --stage 5",
        ),
        (["u03", "--out", "a.png"], "ends in neither .svg, .html nor .json"),
        (
            ["u03", "--train_dir", "exp/baseline"],
            "config.yaml is missing; there is exp/scheduled:",
        ),
        (["u03", "--train_config", "x.yaml"], "wants --llm and --dump_dir"),
        (["u03", "u04"], "'u04': show one utterance at a time"),
        (["u03", "--llm", "x"], "--llm is for --train_config"),
    ],
)
def test_mistakes_are_a_line_that_says_what_to_do(words, message, recipe, capsys):
    assert message in refused(capsys, *words)


def test_no_colour_where_nobody_sees_it(recipe, capsys, monkeypatch):
    assert "\x1b[" in said(capsys, "u03", "--color", "always")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in said(capsys, "u03")


def test_the_nearest_of_many_ids_is_among_the_few_that_are_compared():
    ids = [f"common_voice_es_{18306000 + 7 * k}" for k in range(20_000)]
    for wrong in (
        "comon_voice_es_18306007",
        "common_voice_es_1830600",
        "ommon_voice_es_18306007",
    ):
        assert "common_voice_es_18306007" in most_like(wrong, ids)
