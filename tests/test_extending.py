"""docs/extending.md: every diff applies, its commands print what is shown, it goes again."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text("utf-8")
BLOCK = re.compile(r"^```(diff|console)\n(.*?)^```$", re.M | re.S)
SECTIONS = {
    part.partition("\n")[0]: BLOCK.findall(part) for part in PAGE.split("\n## ")[1:]
}
KINDS = {".py", ".yaml", ".json", ".sh", ".md", ".tsv", ".txt"}
PARTS = ("s2st_interleave", "tests", "egs/cvss", "egs/mini_cvss/local")


@pytest.fixture(scope="module")
def copy(tmp_path_factory, python) -> Path:
    """The parts of the repository that the page changes, and the folder `tiny`."""
    folder = tmp_path_factory.mktemp("a copy")
    for part in PARTS:
        for path in sorted((ROOT / part).rglob("*")):
            if path.suffix in KINDS and path.is_file():
                copied = folder / path.relative_to(ROOT)
                copied.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copied)
    shutil.copy(ROOT / "pyproject.toml", folder)
    introduction = PAGE.partition("\n## ")[0]
    for _, console in BLOCK.findall(introduction):
        check(console, folder, python)
    return folder


@pytest.mark.parametrize("title", SECTIONS)
def test_the_diffs_of_an_example_fit_the_code(title):
    """Its commands run in the slow test; a changed line of code is seen all day."""
    diffs = "".join(text for kind, text in SECTIONS[title] if kind == "diff")
    if diffs:
        apply(diffs, ROOT, "--check")


@pytest.mark.slow  # a dozen interpreters that load torch
@pytest.mark.parametrize("title", SECTIONS)
def test_a_worked_example_is_applied_runs_and_is_taken_back(title, copy, python):
    before = digests(copy)
    diffs = "".join(text for kind, text in SECTIONS[title] if kind == "diff")
    if diffs:
        apply(diffs, copy)
        assert digests(copy) != before
    for kind, text in SECTIONS[title]:
        if kind == "console":
            check(text, copy, python)
    if diffs:
        apply(diffs, copy, "--reverse")
    assert digests(copy) == before


def apply(diff: str, folder: Path, *options: str) -> None:
    words = ["git", "apply", "--unidiff-zero", *options, "-"]
    done = subprocess.run(words, input=diff, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def check(console: str, folder: Path, python: Path) -> None:
    """Run `$ command` lines; what is below each is its output, `...` stands for any text."""
    commands = re.split(r"^\$ ", console, flags=re.M)[1:]
    for command, _, shown in (each.partition("\n") for each in commands):
        path = f"{python.parent}:/usr/bin:/bin"
        environment = {"PATH": path, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        pattern = ".*".join(map(re.escape, shown.strip().split("...")))
        said = f"{command}\n{done.stdout}"
        assert re.fullmatch(pattern, done.stdout.strip(), re.S), said


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for part in PARTS
        for path in sorted((folder / part).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
