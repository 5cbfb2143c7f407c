"""A finished experiment is clean; each of many faults in a copy is found and named."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import finished_experiment
import pytest
from audit_changes import CLEAN
from audit_faults import FAULTS

from s2st_interleave.__main__ import main
from s2st_interleave.audit.command import audit

pytestmark = pytest.mark.slow  # the experiment takes 20 s to make


SEEN: dict[str, int] = {}  # faults that were found, and the lines that each caused


@pytest.fixture(scope="module")
def experiment(tmp_path_factory, text_llm) -> Path:
    root = tmp_path_factory.mktemp("audited") / "a user's experiment"
    finished_experiment.make(root, text_llm)
    return root


@pytest.fixture
def copy(experiment, tmp_path, monkeypatch) -> Path:
    """A copy, as of a recipe that was moved; the working directory."""
    shutil.copytree(experiment, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return Path()


def test_a_finished_experiment_that_was_moved_is_clean(copy, capsys):
    assert main(["audit"]) == 0
    printed = capsys.readouterr().out
    assert "no findings" in printed and printed.count(" ok\n") == 17, printed
    assert main(["audit", "--fast", "true"]) == 0


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_found_and_named(copy, fault: Callable[[], tuple[str, str]]):
    path, words = fault()
    findings = audit([Path()]).findings
    mine = [finding for finding in findings if finding.path == path]
    assert len(mine) == 1, [str(each) for each in findings]
    assert words in mine[0].wrong and mine[0].remedy, str(mine[0])
    SEEN[fault.__name__] = len(findings)


@pytest.mark.parametrize("change", CLEAN, ids=lambda change: change.__name__)
def test_what_a_user_may_do_is_no_fault(copy, change: Callable[[], None]):
    change()
    assert [str(each) for each in audit([Path()]).findings] == []


def test_every_fault_was_found(count):
    """It comes after them, and keeps the counts; a part of the tests may be chosen."""
    alone = sum(number == 1 for number in SEEN.values())
    if len(SEEN) == len(FAULTS):
        count(
            "audit",
            faults=len(FAULTS),
            found=len(SEEN),
            named_in_one_line=alone,
            allowed_changes=len(CLEAN),
            false_alarms=0,
        )


def test_json_holds_directories_and_findings_and_the_status_is_1(copy, capsys):
    path, words = FAULTS[0]()
    assert main(["audit", "--json", "true"]) == 1
    told = json.loads(capsys.readouterr().out)
    (finding,) = told["findings"]
    assert finding["path"] == path and words in finding["wrong"]
    (data,) = [each for each in told["directories"] if each["stage"] == "data"]
    assert (data["in"], data["out"], data["findings"]) == (4, 4, 1)


def test_an_earlier_version_recorded_one_digest_of_all_files(copy):
    for path in Path().rglob("stage.json"):
        done = json.loads(path.read_text())
        del done["digests"]
        path.write_text(json.dumps(done))
    assert audit([Path()]).findings == []
    array = Path("dump/interleave/src.units.npy")
    content = bytearray(array.read_bytes())
    content[-4] ^= 1
    array.write_bytes(content)
    (finding,) = audit([Path()]).findings
    assert finding.path == str(array) and "not what was written" in finding.wrong


def test_many_findings_of_a_folder_are_a_few_lines(copy, capsys):
    folder = Path("dump/audio/src")
    for number in range(30):
        shutil.copy(next(folder.iterdir()), folder / f"more{number}.flac")
    assert main(["audit"]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert len([line for line in printed if line.startswith(str(folder))]) == 11
    assert any("20 more; --json true lists them" in line for line in printed)


def test_no_torch_is_loaded(copy):
    code = "import sys; from s2st_interleave.__main__ import main; main(['audit']); "
    code += "sys.exit('torch' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.DEVNULL
        ).returncode
        == 0
    )


def test_a_folder_that_is_not_there_is_an_error_in_a_line(tmp_path, capsys):
    assert main(["audit", str(tmp_path / "none")]) == 1
    assert "no such folder" in capsys.readouterr().err


def test_a_damaged_record_hid_all_else_that_was_wrong(copy):
    """It is one finding, those that read its directory say so, and the rest is looked at."""
    path, words = FAULTS[0]()
    for name in ("dump/align", "exp/kmeans"):
        Path(name, "stage.json").write_text("{")
    findings = {finding.path: finding for finding in audit([Path()]).findings}
    assert words in findings[path].wrong
    damaged = [p for p, f in findings.items() if "JSON" in f.wrong]
    assert len(damaged) == 2 and all(p.endswith("stage.json") for p in damaged)
    assert any("cannot be read" in finding.wrong for finding in findings.values())
