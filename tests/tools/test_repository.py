"""The repository's own hygiene."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def repository_files():
    """Files that are tracked, or untracked and not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        result = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    names = os.fsdecode(result.stdout).split("\0")
    return [path for name in names if name and (path := ROOT / name).is_file()]


def is_shell(path):
    if path.suffix == ".sh":
        return True
    with path.open("rb") as file:
        return re.match(rb"#!.*\b(bash|sh)\b", file.readline(64)) is not None


def test_shell_scripts_parse():
    scripts = [path for path in repository_files() if is_shell(path)]
    assert len(scripts) >= 5
    for path in scripts:
        subprocess.run(["bash", "-n", str(path)], check=True)


@pytest.mark.parametrize(
    "name",
    [
        "requirements.txt",
        "requirements-nodeps.txt",
        "requirements-dev.txt",
        "requirements-fuzz.txt",
    ],
)
def test_requirements_are_pinned_and_carry_a_reason(name):
    lines = (ROOT / "tools" / name).read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    assert lines
    for line in lines:
        assert re.fullmatch(
            r"[\w.-]+==[0-9][\w.]*(; python_version >= \S+)?  # \S.{8,}", line
        ), line
    assert len({line.split("==")[0].lower() for line in lines}) == len(lines)


# Written so that they do not find themselves: this file is searched too.
FORBIDDEN = {
    "a registry's host": r"pypi[.]org|python(?:hosted)|registry[.]npmjs"
    r"|deb[.]debian|archive[.]ubuntu|anaconda[.]org",
    "a path of one machine": r"(?<![\w.*$}])/(?:root|home|work|farm|Users)/"
    r"|/tmp/(?:bash_jobs|spike)",
}


@pytest.mark.parametrize("what", sorted(FORBIDDEN))
def test_no_file_names(what):
    pattern = re.compile(FORBIDDEN[what].encode())
    found = []
    for path in repository_files():
        data = path.read_bytes()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line[:120]!r}")
    assert found == []


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("egs/cvss/es_en/data/train/text.es", True),
        ("egs/cvss/es_en/dump/units/train/stage.json", True),
        ("egs/cvss/es_en/exp/baseline/config.yaml", True),
        ("egs/mini_cvss/es_en/downloads/whisper/model.bin", True),
        (".venv/pyvenv.cfg", True),
        ("egs/cvss/es_en/RESULTS.md", False),
        ("egs/cvss/es_en/exp/RESULTS.md", True),
        ("egs/own/exp/RESULTS.md", True),
        ("egs/mini_cvss/results.json", False),
        ("s2st_interleave/data/manifest.py", False),
    ],
)
def test_git_ignores_what_stages_make(path, ignored):
    command = ["git", "check-ignore", "--quiet", "--no-index", path]
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    if status == 128:
        pytest.skip("not a git checkout")
    assert (status == 0) == ignored


def checkers(text: str) -> set[str]:
    return set(re.findall(r"\bpython -m ((?:ruff|pyrefly)\b.*)", text))


def test_pre_commit_runs_the_checkers_of_ci_and_no_other():
    """By the environment in which the tests run, so that both have the pinned version."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in hooks] == ["local"]
    entries = [hook["entry"] for hook in hooks[0]["hooks"]]
    script = (ROOT / "tools" / "test.sh").read_text()
    assert checkers("\n".join(entries)) == checkers(script) and len(entries) == 3
    assert "bash tools/test.sh" in (ROOT / ".ci" / "run").read_text()
