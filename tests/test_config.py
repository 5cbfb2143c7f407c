"""Options: YAML first, the command line wins, mistakes are named."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from s2st_interleave import config
from s2st_interleave.config import REQUIRED, option


@dataclass(frozen=True, kw_only=True)
class Options:
    out_dir: Path = option(REQUIRED, "required")
    max_steps: int = option(10, "a number")
    lr: float = option(1e-3, "a number")
    fit: bool = option(False, "a switch")
    stop: Literal["literal", "exact"] = option("literal", "a choice")
    languages: tuple[str, ...] = option(("es",), "a list")
    limit: int | None = option(None, "may be absent")
    dirs: tuple[Path, ...] = option((), "several")


def parse(*argv: str) -> Options:
    return config.parse(Options, list(argv), prog="test")


def test_command_line_wins_over_the_files_and_the_later_file_over_the_earlier(tmp_path):
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("max_steps: 1\nlr: 2\nout-dir: from file")
    second.write_text("lr: 1.0e-4\n")
    parsed = parse("--max-steps", "3", "--config", str(first), "--config", str(second))
    assert (parsed.max_steps, parsed.lr, parsed.out_dir) == (3, 1e-4, Path("from file"))


def test_dash_and_underscore_are_the_same():
    assert parse("--out-dir", "a") == parse("--out_dir", "a")


def test_lists_choices_and_absent_values():
    parsed = parse("--out_dir", "a", "--languages", "es en", "--limit", "3")
    assert parsed.languages == ("es", "en") and parsed.limit == 3
    assert parse("--out_dir", "a", "--limit", "none").limit is None


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--out_dir", "a", "--max_step", "3"], "did you mean 'max_steps'"),
        (["--out_dir", "a", "--fit", "yes"], "wants: true or false"),
        (["--out_dir", "a", "--stop", "never"], "one of literal, exact"),
        (["--out_dir", "a", "--max_steps", "many"], "an integer"),
        ([], "missing --out_dir"),
    ],
)
def test_mistakes_end_with_status_2_and_say_what_is_wrong(argv, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        parse(*argv)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_stepz: 3", "unknown option 'max_stepz'; did you mean 'max_steps'"),
        ("fit: 1", "wants: true or false"),
        ("max_steps: true", "wants: an integer"),
        ("max_steps: 2.5", "an integer"),
        ("- a\n- b", "expected 'option: value' lines"),
    ],
)
def test_a_bad_config_file_is_named(tmp_path, text, message, capsys):
    path = tmp_path / "bad conf.yaml"
    path.write_text(text)
    with pytest.raises(SystemExit):
        parse("--out_dir", "a", "--config", str(path))
    error = " ".join(capsys.readouterr().err.split())
    assert message in error and "bad conf.yaml" in error


def test_a_folder_with_a_space_in_its_name_is_one_of_several_or_the_only_one(tmp_path):
    folder = tmp_path / "my disk"
    folder.mkdir()
    assert parse("--out_dir", "a", "--dirs", str(folder)).dirs == (folder,)
    assert parse("--out_dir", "a", "--dirs", "b c ").dirs == (Path("b"), Path("c"))
    assert parse("--out_dir", "a", "--dirs", "").dirs == ()
    assert parse("--dirs", str(folder), "c", "--out_dir", "a").dirs == (
        folder,
        Path("c"),
    )


def test_several_words_of_an_option_need_no_quotes():
    """A recipe's `--score_args "--metrics 'ter loops'"` was cut at the space in the quotes."""
    for words in (["fr", "it"], ["fr it"]):
        parsed = parse("--out_dir", "a", "--languages", *words, "--lr", "1")
        assert parsed.languages == ("fr", "it")


def test_help_of_every_command_needs_no_torch():
    """--help answers at once: nothing heavy is imported for it."""
    import subprocess
    import sys

    from s2st_interleave.__main__ import MODULES

    code = (
        "import sys, importlib, contextlib, io\n"
        "from s2st_interleave.__main__ import main\n"
        "for name in sys.argv[1:]:\n"
        "    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "        main([name, '--help'])\n"
        "heavy = {'torch', 'transformers', 'whisper', 'espnet2', 'pyworld', 'sklearn'}\n"
        "sys.exit(f'imported {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *MODULES], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
