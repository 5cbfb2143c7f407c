"""Recipes whose commands start at once, though each imports torch.

    warm_python.put_into(copy_of_the_repository, python)  # the fixture of conftest.py

A server has imported the libraries, none of our own modules, and forks for each command.
`python` in the recipes is a client: it hands over its words, environment, folder and
streams, passes signals on, and ends as the command has ended. Tests that look at times,
sessions or kills use the plain interpreter.
"""

import atexit
import contextlib
import importlib
import json
import os
import runpy
import select
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

LIBRARIES = """numpy scipy.stats yaml torch torch.utils.data torch.distributed.run
transformers.models.llama.modeling_llama transformers.models.auto.modeling_auto
transformers.models.auto.tokenization_auto transformers.generation.utils
transformers.models.wav2vec2_bert.modeling_wav2vec2_bert soundfile soxr kaldiio
sentencepiece sacrebleu.metrics faster_whisper whisper onnxruntime librosa
matplotlib.pyplot""".split()
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
HEAD = 16  # bytes that say how long a message is


@contextlib.contextmanager
def warm(folder: Path) -> Iterator[Path]:
    """Make a folder with a `python`, which works as long as the server runs."""
    folder.mkdir(parents=True)
    place = os.path.relpath(folder / "socket")  # a socket's name has 107 bytes at most
    words = shlex.join([sys.executable, "-I", "-S", __file__])
    script = (
        f'#!/bin/sh\nexec {words} client {shlex.quote(str(folder / "socket"))} "$@"\n'
    )
    (folder / "python").write_text(script)
    (folder / "python").chmod(0o755)
    same = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(
        [sys.executable, __file__, "serve", place], env=os.environ | same
    )
    try:
        while not (folder / "socket").exists():
            assert server.poll() is None, "the server of warm_python.py has ended"
            time.sleep(0.05)
        yield folder
    finally:
        server.terminate()
        server.wait()


def put_into(root: Path, python: Path) -> None:
    """Have the recipes of a copy of the repository take that `python`."""
    with (root / "egs" / "path.sh").open("a") as stream:
        stream.write(f'PATH={shlex.quote(str(python.parent))}:"$PATH"\n')


def serve(place: str) -> None:
    """Fork a watcher for every client that calls."""
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{place}.new")
    listener.listen(64)
    os.rename(f"{place}.new", place)
    while True:
        connection, _ = listener.accept()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:  # watchers that have ended
                pass
        if os.fork() == 0:
            listener.close()
            watch(connection)
            os._exit(0)
        connection.close()


def watch(connection: socket.socket) -> None:
    """Run one command; tell its client its id and, at the end, its status."""
    head, streams, *_ = socket.recv_fds(connection, HEAD, 3)
    message = json.loads(connection.recv(int(head), socket.MSG_WAITALL))
    pid = os.fork()
    if pid == 0:
        connection.close()
        run(message, streams)
    for stream in streams:
        os.close(stream)
    connection.sendall(str(pid).encode().ljust(HEAD))
    ended = os.pidfd_open(pid)
    ready, *_ = select.select([ended, connection], [], [])
    if ended not in ready:  # the client was killed
        os.killpg(pid, signal.SIGTERM)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(str(status).encode().ljust(HEAD))


def run(message: dict, streams: list[int]) -> None:
    """In place of a new interpreter: `python -m module ...` or `python script ...`."""
    os.setpgid(0, 0)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(message["cwd"])
    os.environ.clear()
    os.environ.update(message["env"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin, sys.stdout, sys.stderr = map(os.fdopen, range(3), "rww")
    sys.stdout.reconfigure(write_through="PYTHONUNBUFFERED" in os.environ)
    sys.stderr.reconfigure(line_buffering=True)
    is_module, *words = message["words"]
    if is_module:
        sys.argv, sys.path[0] = words, message["cwd"]
    else:
        sys.argv, sys.path[0] = words, str(Path(words[0]).resolve().parent)
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[1:1] = filter(None, places)
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in os.environ
    status = 1
    try:
        if is_module:
            runpy.run_module(words[0], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(words[0], run_name="__main__")
        status = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    threading._shutdown()
    atexit._run_exitfuncs()
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    os._exit(status & 0xFF)


def client(place: str, words: list[str]) -> int:
    plain = [sys.executable, *words]
    words = [word for word in words if word != "-u"] if words[:1] == ["-u"] else words
    if words[:1] == ["-m"]:
        command = [True, *words[1:]]
    elif words and words[0].endswith(".py"):
        command = [False, *words]
    else:
        os.execv(sys.executable, plain)
    # Processes of torchrun are started by this, too.
    env = {"PYTHON_EXEC": str(Path(place).with_name("python")), **os.environ}
    text = json.dumps({"words": command, "cwd": os.getcwd(), "env": env}).encode()
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(
        f"/proc/self/fd/{os.open(Path(place).parent, os.O_RDONLY)}/socket"
    )
    socket.send_fds(connection, [str(len(text)).encode().ljust(HEAD)], [0, 1, 2])
    connection.sendall(text)
    pid = int(connection.recv(HEAD, socket.MSG_WAITALL))
    for number in SIGNALS:
        signal.signal(number, lambda number, _: os.killpg(pid, number))
    status = int(connection.recv(HEAD, socket.MSG_WAITALL) or 1)
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    sys.exit(client(sys.argv[2], sys.argv[3:]))
