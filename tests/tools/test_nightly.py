"""tools/nightly.sh runs all its parts, whatever fails, and names what failed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = re.compile(r"^part (?:in_environment )?(\S+\.sh)", re.MULTILINE)
STUB = """#!/usr/bin/env bash
echo "ran ${0##*/} $*"
[[ $0 != *"$FAILS"* ]]
"""


@pytest.fixture
def repository(tmp_path) -> Path:
    """A copy of nightly.sh among parts that only say that they ran."""
    text = (ROOT / "tools/nightly.sh").read_text()
    parts = set(PROGRAM.findall(text))
    assert len(parts) >= 10 and all((ROOT / part).is_file() for part in parts)
    for part in (*parts, "tools/activate.sh", "egs/path.sh"):
        place = tmp_path / part
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(STUB if part in parts else "")
        place.chmod(0o755)
    (tmp_path / "egs/mini_cvss/es_en").mkdir(exist_ok=True)
    shutil.copy(ROOT / "tools/nightly.sh", tmp_path / "tools")
    return tmp_path


def night(repository: Path, *words: str, fails: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [repository / "tools/nightly.sh", *words],
        env={"PATH": "/usr/bin:/bin", "FAILS": fails},
        capture_output=True,
        text=True,
    )


def test_a_part_that_fails_is_named_and_keeps_no_other_from_running(repository):
    """The first test that failed ended the night."""
    done = night(repository, "--fuzz_minutes", "3", "--minutes", "480", fails="fuzz.sh")
    assert done.returncode == 1
    assert "nightly: failed: tools/fuzz.sh --minutes 3\n" in done.stderr
    ran = [line for line in done.stdout.splitlines() if line.startswith("ran ")]
    assert ran[0] == "ran faults.sh " and ran[1] == "ran fuzz.sh --minutes 3"
    assert ran[-1] == "ran paper.sh --minutes 480"
    for words in ("-m nightly and not slurm --ignore tests/reliability", "es_en/quick"):
        assert any(words in line for line in ran)


def test_help_and_an_option_without_a_value_run_nothing(repository):
    assert "fuzz_minutes" in night(repository, "--help", fails="-").stdout
    done = night(repository, "--fuzz_minutes", fails="-")
    assert done.returncode != 0 and "ran " not in done.stdout
