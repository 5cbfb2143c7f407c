"""`python -m s2st_interleave serve` as a user starts and stops it."""

import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from serving import WAIT_SEC

from s2st_interleave import __main__ as command_line
from s2st_interleave import serve as package
from s2st_interleave.serve import command


def run(*words: object) -> int:
    return command_line.main(["serve", *map(str, words)])


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_it_tells_where_it_listens_answers_and_stops_with_status_0(
    name, python, tiny_model, speech
):
    words = [
        python,
        "-m",
        "s2st_interleave",
        "serve",
        "--model",
        tiny_model,
        "--port",
        "0",
    ]
    process = subprocess.Popen(
        [*words, "--device", "cpu"], stdout=subprocess.PIPE, text=True
    )
    try:
        lines = [process.stdout.readline() for _ in range(5)]
        assert lines[0] == f"serve: loading {tiny_model}\n"
        url = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", lines[1])[1]
        assert f"curl --data-binary @in.wav {url}/translate" in lines[3]
        request = urllib.request.Request(f"{url}/translate", data=speech(1.0))
        with urllib.request.urlopen(request, timeout=WAIT_SEC) as response:
            assert json.load(response)["answers"][0]["model"] == "scheduled"
        process.send_signal(getattr(signal, name))
        assert process.wait(WAIT_SEC) == 0
        assert process.stdout.read() == "serve: stopped\n"
    finally:
        process.kill()
        process.wait()


def test_a_model_that_still_runs_does_not_keep_it_from_stopping(
    tiny_model, speech, tmp_path
):
    """Its client is told, and nothing is left in the folder for temporary files."""
    words = [sys.executable, "-c", ENDLESS, str(tiny_model)]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        lines = [process.stdout.readline() for _ in range(5)]
        port = int(lines[1].rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SEC)
        connection.request("POST", "/translate", speech(0.5))
        # A request that was refused would be waited for without end, as CI has seen.
        streams = [process.stdout, connection.sock]
        ready = select.select(streams, [], [], WAIT_SEC)[0]
        assert ready == [process.stdout], connection.getresponse().read()
        assert process.stdout.readline() == "busy\n"
        process.send_signal(signal.SIGTERM)
        response = connection.getresponse()
        assert response.status == 503 and b"The server is stopping" in response.read()
        assert process.wait(WAIT_SEC) == 0
        assert process.stdout.read() == "serve: stopped\n"
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()
        process.wait()


# `serve` with a model that never answers, and a file that its thread leaves.
ENDLESS = """
import faulthandler, sys, tempfile, time
faulthandler.dump_traceback_later(60)  # where it hangs, should it
from s2st_interleave.__main__ import main
from s2st_interleave.pack.translator import Translator
from s2st_interleave.serve import server

def answer(self, recordings):
    tempfile.mkdtemp()
    print("busy", flush=True)
    time.sleep(600)

Translator.answer = answer
server.GRACE_SEC = 1
sys.exit(main(["serve", "--model", sys.argv[1], "--port", "0", "--device", "cpu"]))
"""


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
