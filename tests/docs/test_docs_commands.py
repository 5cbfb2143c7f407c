"""Each command in the README and in docs/ is one that the program takes.

Commands of the package are parsed by their own parsers, which end before anything runs.
Options of recipes and tools are looked up in their scripts, and files that are named exist.
"""

import argparse
import ast
import importlib.util
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import docs_reference
import pytest

from s2st_interleave import __main__ as package
from s2st_interleave import config
from s2st_interleave.errors import UserError
from s2st_interleave.launch import job
from s2st_interleave.stage_list import STAGES

ROOT = Path(__file__).resolve().parents[2]
RECIPE = (
    ROOT / "egs" / "mini_cvss" / "es_en"
)  # where commands start, unless they say where
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
# Words that start an inline command, and a path of the repository.
COMMAND = re.compile(
    r"(\./run\.sh|s2st-\w+|egs/\S+\.sh|tools/\S+\.sh|python -m \S+) \S"
)
PATH = re.compile(r"(egs|tools|docs|tests|benchmarks|s2st_interleave)/[\w./-]*\w")
# Programs of others, whose options are not looked at.
OTHERS = {
    "cat",
    "curl",
    "git",
    "hf",
    "mkdocs",
    "pip",
    "pre-commit",
    "ruff",
    "tensorboard",
}
NOT_THERE = re.compile(
    r"/(exp|data|dump|downloads|shared|page|cells)(/|$)"
)  # a run makes it
ROOT_NAME = "s2st_interleave"  # as CONTRIBUTING.md clones it
MADE_THERE = "extending.md"  # whose examples make the systems and tasks that they name


class Parsed(Exception):
    """A parser has taken the line; nothing is to run."""


def blocks(kind: str) -> list[tuple[str, str]]:
    return [
        (page.name, text)
        for page in PAGES
        for found, text in BLOCK.findall(page.read_text("utf-8"))
        if found == kind
    ]


def inline() -> Iterator[tuple[str, str]]:
    """What stands between backticks, in one line, with its page's name."""
    for page in PAGES:
        text = BLOCK.sub("", page.read_text("utf-8"))
        for code in re.findall(r"`([^`]+)`", text):
            yield page.name, " ".join(code.split())


INLINE = list(dict.fromkeys(inline()))
SENTENCES = [each for each in INLINE if COMMAND.match(each[1]) and "<" not in each[1]]


@pytest.fixture
def parsers(monkeypatch) -> None:
    """Parsers of the package end with Parsed where they would return."""

    def stopping(parse: Callable) -> Callable:
        def stop(*words: object, **named: object) -> None:
            parse(*words, **named)
            raise Parsed

        return stop

    monkeypatch.setattr(config, "parse", stopping(config.parse))
    both = argparse.ArgumentParser
    monkeypatch.setattr(both, "parse_args", stopping(both.parse_args))


@pytest.mark.parametrize(("page", "text"), blocks("sh"))
def test_the_commands_of_a_block_are_taken(page, text, parsers, monkeypatch):
    monkeypatch.chdir(
        ROOT if re.search(r"^(egs|tools)/|=egs/| egs/", text, re.M) else RECIPE
    )
    variables: dict[str, str] = {}
    for line in text.replace("\\\n", " ").splitlines():
        for words in commands(expanded(line, variables)):
            run(words, monkeypatch, page)


@pytest.mark.parametrize(("page", "code"), SENTENCES)
def test_a_command_in_a_sentence_is_taken(page, code, parsers, monkeypatch):
    monkeypatch.chdir(ROOT if code.startswith(("egs", "tools")) else RECIPE)
    for words in commands(code):
        run([word for word in words if word != "..."], monkeypatch, page, whole=False)


@pytest.mark.parametrize(
    "line",
    [
        "python -m s2st_interleave train --lrr 1",
        "python -m s2st_interleave trian --help",
        "s2st-translate --modle DIR in.wav",
        "./run.sh --stage 12",
        "./run.sh --train_args '--lr -1'",
        "./run.sh --systems 'baseline nobody'",
        "egs/cvss/no_pair/run.sh",
        "tools/setup.sh --loud",
        "no_such_program in.wav",
    ],
)
def test_a_wrong_line_would_be_seen(line, parsers, monkeypatch):
    monkeypatch.chdir(RECIPE)
    with pytest.raises((AssertionError, SystemExit, UserError, KeyError)):
        run(commands(line)[0], monkeypatch, "a page")


def test_files_of_the_repository_that_are_named_exist():
    named = [(page, code) for page, code in INLINE if PATH.fullmatch(code)]
    assert len(named) > 30
    assert [
        (page, code)
        for page, code in named
        if not (ROOT / code).exists() and not NOT_THERE.search(code)
    ] == []


@pytest.mark.parametrize(("page", "text"), blocks("python"))
def test_python_compiles_and_its_imports_are_there(page, text):
    compile(text, page, "exec")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for name in node.names:
                assert importlib.util.find_spec(name.name)
        elif isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module or "")
            assert all(hasattr(module, name.name) for name in node.names)


def expanded(line: str, variables: dict[str, str]) -> str:
    """The line with `$name` replaced; an assignment is remembered, and is no command."""
    if match := re.fullmatch(r'(\w+)="([^"]*)"', line):
        variables[match[1]] = match[2]
        return ""
    return re.sub(r"\$(\w+)", lambda name: variables.get(name[1], name[0]), line)


def commands(line: str) -> list[list[str]]:
    """The words of each command of a line, without redirections and assignments."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    words = iter(lexer)
    for word in words:
        if set(word) <= set("|&;"):
            found.append([])
        elif set(word) <= set("<>"):
            next(words)
        elif found[-1] or not re.match(r"[A-Z_0-9]+=", word):
            found[-1].append(word)
    return [each for each in found if each]


def run(words: list[str], monkeypatch, page: str, *, whole: bool = True) -> None:
    """Check a command as far as it goes without running it; fails where it is none."""
    first, *rest = words
    if first == "cd":
        monkeypatch.chdir(ROOT if rest[0] == ROOT_NAME else rest[0])
    elif first == ".":
        there(rest[0])
    elif first.startswith("s2st-"):
        command(["translate"] * (first == "s2st-translate") + rest, whole)
    elif words[:2] == ["python", "-m"] and words[2] == "s2st_interleave":
        command(words[3:], whole)
    elif words[:2] == ["python", "-m"]:
        assert importlib.util.find_spec(words[2]), words
        if words[2].startswith("s2st_interleave."):
            check_parses(
                importlib.import_module(f"{words[2]}.__main__").main, words[3:], whole
            )
    elif first.endswith("run.sh"):
        recipe(there(first), rest, page)
    elif first.endswith((".sh", ".py")) or first == "python":
        script(there(rest[0]), rest[1:]) if first == "python" else script(
            there(first), rest
        )
    else:
        assert first in OTHERS, words


def there(path: str) -> Path:
    found = [Path(path), ROOT / path, RECIPE / path]
    assert any(each.is_file() for each in found), f"{path} is not there"
    return next(each for each in found if each.is_file()).resolve()


def command(words: list[str], whole: bool) -> None:
    if words[0] == "launch":
        job.read(words[1:])
    elif "--help" in words:
        assert words[0] in package.MODULES or words[0] == "--help"
    else:
        check_parses(lambda rest: package._call(words[0], rest), words[1:], whole)


def check_parses(main: Callable, words: list[str], whole: bool) -> None:
    """Let a parser read the words; what is missing is no fault where they are not whole."""
    try:
        main(words)
    except Parsed:
        return
    except SystemExit:
        if whole:
            raise
    except UserError as error:
        pytest.fail(f"{words}: {error}")


def recipe(path: Path, words: list[str], page: str) -> None:
    """Options of a run.sh: those of the drivers, whose options for commands are parsed."""
    known = dict.fromkeys(re.findall(r"\$1 == --(\w+)", texts(path)))
    known |= dict.fromkeys(re.findall(r"^([a-z_]+)=", texts(path), re.M))
    for name, value in pairs(words):
        assert name in known, f"{path.parent.name}/run.sh: no option --{name}"
        if name.endswith("_args"):
            options = package.importlib.import_module(
                f"s2st_interleave.{package.MODULES[name.removesuffix('_args')]}"
            ).Options
            for inner, text in pairs(shlex.split(value)):
                config.value_of(options, inner, text, source=page)
        elif name in ("stage", "stop_stage"):
            names = [str(stage.number) for stage in STAGES] + [
                stage.name for stage in STAGES
            ]
            assert value in names
        elif (
            name in ("systems", "task")
            and page != MADE_THERE
            and "my_conf" not in words
        ):
            for each in value.split():
                assert list(ROOT.glob(f"egs/*/conf/{name.rstrip('s')}s/{each}.yaml")), (
                    each
                )


def texts(path: Path) -> str:
    """A recipe's scripts: its own, and the drivers that it calls."""
    files = [path, path.parents[1] / "run.sh", docs_reference.DRIVER]
    if path.parent.name == "x_en":
        files += [
            docs_reference.DRIVER.with_name("shared.sh"),
            path.parents[1] / "shared.sh",
        ]
    return "\n".join(file.read_text("utf-8") for file in files if file.is_file())


def script(path: Path, words: list[str]) -> None:
    text = path.read_text("utf-8")
    for name, _ in pairs(words):
        spelling = name.replace("_", "[-_]")
        taken = (
            rf"--{spelling}\b|^{name}[=:]|^    {name}:"  # in bash, argparse, Options
        )
        assert re.search(taken, text, re.M), f"{path.name}: no option --{name}"


def pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    """Options and values of a line."""
    rest = iter(words)
    for word in rest:
        if word.startswith("--"):
            yield word[2:].replace("-", "_"), next(rest, "")
