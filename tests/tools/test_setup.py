"""setup.sh and activate.sh; no network."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path):
    """The files of setup in a folder whose name has a space and quotes."""
    root = tmp_path / 'it\'s a "copy"'
    shutil.copytree(ROOT / "tools", root / "tools")
    shutil.copy(ROOT / "setup.py", root)
    return root


def write_program(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def run_bash(checkout, script, programs):
    """Run bash in the checkout, with `programs` in front of the system's own."""
    folder = checkout.parent / "programs"
    for name, text in programs.items():
        write_program(folder / name, text)
    path = f"{folder}:/usr/bin:/bin"
    return subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{script}"],
        cwd=checkout,
        env={"PATH": path, "HOME": str(checkout.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


NO_PACKAGE = {"python": "exit 1"}
OLD_PYTHONS = {f"python3{minor}": "exit 1" for minor in ["", ".11", ".12", ".13"]}
# Stands for a Python >= 3.11 with or without modules: answers by what is asked.
PYTHON_WITHOUT_VENV = """
case "$*" in
  *ensurepip*) exit 1 ;;
  *version_info\\[*) echo python3.11 ;;
esac"""


def test_setup_says_what_to_type_when_python_is_too_old(checkout):
    result = run_bash(checkout, "tools/setup.sh", NO_PACKAGE | OLD_PYTHONS)
    assert result.returncode == 1
    assert "no Python 3.11 to 3.13" in result.stderr
    assert "apt-get install python3 python3-venv" in result.stderr
    assert not (checkout / ".venv").exists()


def test_setup_says_what_to_type_when_the_venv_module_is_missing(checkout):
    programs = {"python3": PYTHON_WITHOUT_VENV, "apt-get": "exit 1", "sudo": "exit 1"}
    result = run_bash(checkout, "tools/setup.sh", NO_PACKAGE | programs)
    assert result.returncode == 1
    assert "apt-get install python3-venv'" in result.stderr
    assert not (checkout / ".venv").exists()


def test_setup_leaves_a_directory_that_is_no_environment_alone(checkout):
    (checkout / "mine").mkdir()
    (checkout / "mine" / "file").touch()
    result = run_bash(checkout, "tools/setup.sh --venv mine", NO_PACKAGE)
    assert result.returncode == 1
    assert "no virtual environment" in result.stderr
    assert os.listdir(checkout / "mine") == ["file"]


def test_setup_does_not_empty_an_environment_behind_a_link(checkout):
    theirs = checkout.parent / "theirs"
    theirs.mkdir()
    (theirs / "pyvenv.cfg").touch()
    (checkout / ".venv").symlink_to(theirs)
    result = run_bash(checkout, "tools/setup.sh", NO_PACKAGE)
    assert result.returncode == 1
    assert "remove the link" in result.stderr
    assert os.listdir(theirs) == ["pyvenv.cfg"]


def make_finished_environment(checkout):
    """An environment whose marker says that setup ended, as after a real install."""
    venv = checkout / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "pyvenv.cfg").touch()
    write_program(venv / "bin" / "python", f"printf '%s\\n' '{venv.name}' src")
    script = "source <(sed '$d' tools/setup.sh); root=$PWD; fingerprint"
    marker = run_bash(checkout, script, {}).stdout
    (venv / ".s2st-setup").write_text(marker, encoding="utf-8")
    return venv


def test_setup_does_nothing_when_up_to_date(checkout):
    venv = make_finished_environment(checkout)
    result = run_bash(checkout, "tools/setup.sh --quiet", NO_PACKAGE)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{venv}\n"


@pytest.mark.parametrize("change", ["requirements", "interrupted", "moved"])
def test_setup_starts_again_when_the_marker_does_not_hold(change, checkout):
    venv = make_finished_environment(checkout)
    if change == "requirements":
        with (checkout / "tools/requirements.txt").open("a") as file:
            file.write("more==1  # why\n")
    elif change == "interrupted":
        (venv / ".s2st-setup").unlink()
    else:
        checkout = checkout.rename(checkout.parent / "elsewhere")
    result = run_bash(checkout, "tools/setup.sh --quiet", NO_PACKAGE | OLD_PYTHONS)
    assert result.returncode == 1
    assert "no Python 3.11 to 3.13" in result.stderr


ACTIVE = {"python": "printf '%s\\n' /opt/active /opt/source"}


def test_setup_uses_an_active_environment_as_it_is(checkout):
    result = run_bash(checkout, "tools/setup.sh", ACTIVE)
    assert (result.returncode, result.stdout) == (0, "/opt/active\n")
    assert "used as it is: /opt/active" in result.stderr
    assert not (checkout / ".venv").exists()


def test_another_checkouts_package_is_never_used_in_silence(checkout):
    (checkout / "s2st_interleave").mkdir(exist_ok=True)
    result = run_bash(checkout, "tools/setup.sh --quiet", ACTIVE)
    assert result.returncode == 0
    assert "its s2st_interleave is the copy in /opt/source, not this" in result.stderr


SHOW = """
. tools/activate.sh
printf '%s\\n' "$(command -v python)" "${VIRTUAL_ENV:-none}" "$OMP_WAIT_POLICY" \
  "$PYTHONHASHSEED" "$LC_ALL" "$TOKENIZERS_PARALLELISM"
compgen -v | grep ^_s2st || true
"""


def test_activate_puts_the_environment_first(checkout):
    venv = make_finished_environment(checkout)
    result = run_bash(checkout, SHOW, NO_PACKAGE)
    assert result.stderr == ""
    assert result.stdout.splitlines() == [
        f"{venv}/bin/python",
        str(venv),
        "passive",
        "0",
        "C.UTF-8",
        "false",
    ]


def test_activate_fails_where_setup_fails(checkout):
    result = run_bash(checkout, SHOW, NO_PACKAGE | OLD_PYTHONS)
    assert result.returncode == 1
    assert "the environment is not ready" in result.stderr
    assert result.stdout == ""


def test_setup_takes_the_pythons_that_the_package_does(checkout):
    """A Python newer than the pinned packages was taken, and pip failed in many lines."""
    assert 'python_requires=">=3.11,<3.14"' in (checkout / "setup.py").read_text()
    text = (checkout / "tools/setup.sh").read_text()
    assert "(3, 11) <= sys.version_info < (3, 14)" in text
    assert 'for python in ${PYTHON:+"$PYTHON"} python3 python3.13 ' in text
