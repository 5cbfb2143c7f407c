"""`python -m s2st_interleave serve` as a user starts and stops it."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from s2st_interleave import __main__ as command_line
from s2st_interleave import serve as package
from s2st_interleave.serve import command


def run(*words: object) -> int:
    return command_line.main(["serve", *map(str, words)])


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_it_tells_where_it_listens_answers_and_stops_with_status_0(
    name, python, packed, speech
):
    words = [python, "-m", "s2st_interleave", "serve", "--model", packed, "--port", "0"]
    process = subprocess.Popen(
        [*words, "--device", "cpu"], stdout=subprocess.PIPE, text=True
    )
    try:
        lines = [process.stdout.readline() for _ in range(5)]
        assert lines[0] == f"serve: loading {packed}\n"
        url = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", lines[1])[1]
        assert f"curl --data-binary @in.wav {url}/translate" in lines[3]
        request = urllib.request.Request(f"{url}/translate", data=speech(1.0))
        with urllib.request.urlopen(request) as response:
            assert json.load(response)["answers"][0]["model"] == "scheduled"
        start = time.monotonic()
        process.send_signal(getattr(signal, name))
        assert process.wait(30) == 0
        assert re.fullmatch(r"serve: stopped after \d\.\d s\n", process.stdout.read())
        assert time.monotonic() - start < 25  # 5 s, and what a loaded machine adds
    finally:
        process.kill()
        process.wait()


def test_a_port_that_is_taken_is_told_before_models_are_loaded(place, capsys):
    assert run("--model", "none", "--port", place.port) == 1
    line = capsys.readouterr().err
    assert line.startswith(
        f"error: serve: port {place.port} of 127.0.0.1: Address already"
    )
    assert line.count("\n") == 1 and "pass another --port" in line


def test_a_model_that_is_none_is_one_line(capsys):
    assert run("--model", "none", "--port", 0) == 1
    line = capsys.readouterr().err
    assert (
        line.startswith("error: serve: none: no such folder") and line.count("\n") == 1
    )


def test_another_address_is_warned_of(capsys):
    assert run("--model", "none", "--port", 0, "--host", "0.0.0.0") == 1
    assert capsys.readouterr().err.startswith(
        "warning: 0.0.0.0 is reached from other machines: whoever reaches it may use it"
    )


@pytest.mark.parametrize("missing", ["uvicorn", "starlette"])
def test_a_package_that_is_missing_is_one_line_that_names_the_extra(
    missing, monkeypatch, capsys
):
    for name in ("app", "server", "limits", "guard"):
        monkeypatch.delitem(sys.modules, f"{package.__name__}.{name}", raising=False)
        monkeypatch.delattr(package, name, raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, missing, None)
    assert run("--model", "none") == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and "`pip install 's2st_interleave[serve]'`" in line


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--port", "70000", "--model", "m"],
            "'port' is 70000, wants: at least 0 and at",
        ),
        (["--queue", "0", "--model", "m"], "'queue' is 0, wants: at least 1"),
        (["--modle", "m"], "unknown option '--modle'; did you mean 'model'"),
        ([], "missing --model"),
    ],
)
def test_an_option_that_is_wrong_is_one_line(words, sentence, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(*words)
    line = capsys.readouterr().err
    assert stopped.value.code == 2 and sentence in line and line.count("\n") == 1


def test_models_are_named_one_after_another_also_with_spaces(tmp_path, monkeypatch):
    spaced = tmp_path / "a model"
    spaced.mkdir()
    words = ["--model", str(spaced), "--port", "1", "--model=b", "--model", "c d"]
    assert command.models_of(words) == (spaced, Path("b"), Path("c"), Path("d"))
    read: list[command.Options] = []
    monkeypatch.setattr(command, "run", read.append)
    assert run(*words) == 0 and read[0].model == command.models_of(words)


def test_models_may_be_named_in_a_file(tmp_path, monkeypatch):
    config = tmp_path / "serve.yaml"
    config.write_text("model: [a, b]\nport: 81\n")
    read: list[command.Options] = []
    monkeypatch.setattr(command, "run", read.append)
    assert run("--config", config) == 0
    assert (read[0].model, read[0].port) == ((Path("a"), Path("b")), 81)
