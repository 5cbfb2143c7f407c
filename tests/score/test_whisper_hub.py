"""Weights of Whisper by name: of the hub, of an earlier copy, or a line on what helps."""

import socket

import hub_stand_in
import pytest

from s2st_interleave.errors import UserError
from s2st_interleave.score import whisper_sequential, whisper_weights

BACKENDS = [
    (whisper_weights, "openai/whisper-tiny", "model.safetensors"),
    (whisper_sequential, "Systran/faster-whisper-tiny", "model.bin"),
]
each_backend = pytest.mark.parametrize(("backend", "repository", "file"), BACKENDS)


@pytest.fixture
def mute(monkeypatch, tmp_path):
    """A hub that takes connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        hub_stand_in.use(monkeypatch, endpoint, tmp_path / "cache")
        monkeypatch.setattr("s2st_interleave.hub.TIMEOUT_SEC", 0.1)
        yield tmp_path / "cache"


def copied(cache, repository: str, file: str):
    """The file of a copy that was fetched before."""
    root = cache / f"models--{repository.replace('/', '--')}"
    path = root / "snapshots" / "abc123" / file
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text("abc123")
    return path


@each_backend
def test_a_hub_that_does_not_answer_is_told_with_what_helps(
    mute, backend, repository, file
):
    line = (
        rf"{repository}: no such folder, .* out of reach: name a folder .* set HF_HOME"
    )
    with pytest.raises(UserError, match=line):
        backend.weights("tiny")


@each_backend
def test_an_earlier_copy_serves_where_the_hub_does_not_answer(
    mute, capsys, backend, repository, file
):
    path = copied(mute, repository, file)
    assert backend.weights("tiny") == [path]
    assert "is out of reach, the copy of before is used" in capsys.readouterr().err


@each_backend
def test_offline_the_hub_is_not_asked(
    mute, capsys, monkeypatch, backend, repository, file
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="HF_HUB_OFFLINE is set, so that the hub is"):
        backend.weights("tiny")
    path = copied(mute, repository, file)
    assert backend.weights("tiny") == [path]
    assert capsys.readouterr().err == ""


@each_backend
def test_what_the_hub_holds_is_fetched_by_its_revision(
    monkeypatch, tmp_path, backend, repository, file
):
    with hub_stand_in.serving() as hub:
        hub_stand_in.use(monkeypatch, hub.endpoint, tmp_path / "cache")
        held = hub.repos[repository] = hub_stand_in.Repo(repository)
        held.commit("v1", {file: b"old", "README.md": b"not wanted"})
        held.commit("main", {file: b"new"})
        (path,) = backend.weights("tiny@v1")
        assert path.read_bytes() == b"old"
        assert [each.name for each in path.parent.iterdir()] == [file]
        with pytest.raises(UserError, match=f"{repository}: .*no revision 'v9'"):
            backend.weights("tiny@v9")
