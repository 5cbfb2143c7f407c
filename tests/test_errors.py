"""What the user can mend is one line; what only we can mend keeps its traceback."""

import errno
import json
import os
import shutil
import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from s2st_interleave import __main__ as command_line
from s2st_interleave import begun, passing
from s2st_interleave.data import validate
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write, read_json
from s2st_interleave.score.asr import AsrError
from s2st_interleave.train import torchrun

ARGV = ["validate", "--data_dir", "data/train", "--languages", "es en"]


def run(monkeypatch, error: Exception, *more: str) -> int:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(validate, "run", fail)
    return command_line.main([*ARGV, *more])


@pytest.mark.parametrize(
    "error",
    [
        UserError("data/train: no utterances"),
        AsrError("utterance u1: cannot be read"),
        FileNotFoundError("exp/encoder is missing"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_user_can_mend_is_one_line(monkeypatch, capsys, error):
    assert run(monkeypatch, error) == 1
    assert capsys.readouterr().err == f"error: validate: {error}\n"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left", "a/b"), "a/b: No space left, {} bytes"),
        (OSError(errno.ENOSPC, "No space left"), "No space left: make room; the same"),
        (OSError(errno.EDQUOT, "Disk quota", "a/b"), "a/b: Disk quota: make room"),
        (OSError(errno.EROFS, "Read-only", "a/b"), "a/b: Read-only: this disk is read"),
        (OSError(errno.EACCES, "Denied", "a/b"), "a/b: Denied: it cannot be read or"),
        (
            OSError(errno.EMFILE, "Too many", "a/b"),
            "a/b: Too many in this process: rai",
        ),
        (OSError(errno.EISDIR, "Is a", "a/b"), "a/b: this is a folder, and a file"),
        (OSError(errno.ENOTDIR, "Not a", "a/b"), "a/b: a part of this path is a file"),
        (OSError(errno.ENOENT, "No such", "a/b"), "a/b: no such file or folder"),
        (
            RuntimeError("I/O error: No space left on device (os error 28)"),
            "device: ma",
        ),
        (MemoryError(), "this machine has no memory left"),
        (RuntimeError("could not create a primitive"), "this machine has no memory"),
        (RuntimeError("mkl_malloc: failed to allocate"), "this machine has no memory"),
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to"),
            "CUDA out of memory: lo",
        ),
    ],
)
def test_what_the_machine_lacks_is_one_line_with_the_file(
    monkeypatch, capsys, error, message
):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=7))
    monkeypatch.setattr(begun, "_held", {})  # other tests of this process leave some
    assert run(monkeypatch, error) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: validate: ") and said.count("\n") == 1
    assert message.format(7) in said


def test_a_full_disk_is_told_with_the_file_that_could_not_be_written(tmp_path):
    """The error of a write does not know it."""
    with pytest.raises(OSError) as caught, atomic_write(tmp_path / "x") as stream:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(tmp_path / "x") and stream.closed
    assert not list(tmp_path.iterdir())


def test_a_full_disk_of_an_error_without_a_file_was_told_of_another_disk(
    monkeypatch, tmp_path, capsys
):
    """That of the current folder; the directory that the process works in is known."""
    monkeypatch.setattr(begun, "_held", {})
    begun.hold(tmp_path)
    assert run(monkeypatch, RuntimeError("I/O error: (os error 28)")) == 1
    begun.leave(tmp_path)
    line = capsys.readouterr().err
    assert f"device, while {tmp_path} was made: make room" in line
    assert "bytes are free" not in line


def end(number: int) -> None:
    os.kill(os.getpid(), number)


def test_a_process_of_a_pool_that_was_killed_is_told_in_a_line(monkeypatch, capsys):
    with ProcessPoolExecutor(1, get_context("fork")) as pool:
        error = pool.submit(end, signal.SIGKILL).exception()
    assert run(monkeypatch, error) == 1
    line = capsys.readouterr().err
    assert "a process of this command was killed" in line and line.count("\n") == 1


def test_an_interrupted_command_says_how_to_go_on(monkeypatch, capsys):
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(validate, "run", interrupted)
    assert command_line.main(ARGV) == 130
    line = "validate: interrupted; the same command carries on\n"
    assert capsys.readouterr().err == line


def test_an_error_of_all_ranks_is_told_once(monkeypatch, tmp_path, capsys):
    from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

    monkeypatch.setenv("S2ST_RANK_ERRORS", "1")
    failures = []
    for rank, text in enumerate(("no", "no", "out of memory on this one")):
        file = tmp_path / str(rank)
        monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(file))
        assert run(monkeypatch, UserError(text)) == 1
        failures.append(ProcessFailure(rank, 1, 1, str(file)))
    failures.append(ProcessFailure(3, 1, 1, str(tmp_path / "it was killed")))
    assert capsys.readouterr().err == ""
    assert torchrun._tell_errors(failures)
    said = capsys.readouterr().err.splitlines()
    assert said == ["error: validate: no", "error: validate: out of memory on this one"]


def test_errors_that_name_an_option_say_how_a_recipe_passes_it_on(monkeypatch, capsys):
    error = UserError("too much; lower --languages, --overwrite true or --no_option")
    assert "run.sh" not in told(monkeypatch, capsys, error)
    monkeypatch.setenv("S2ST_TAKES", "overwrite nj")
    monkeypatch.setenv("S2ST_PASSES", "data_args check_args")
    assert "run.sh" not in told(
        monkeypatch, capsys, error
    )  # it passes nothing on to it
    monkeypatch.setitem(passing.COMMANDS_OF, "check_args", ("validate",))
    line = told(monkeypatch, capsys, error)
    assert line.endswith('; run.sh passes it on by --check_args "--languages VALUE"\n')


def test_a_task_that_decode_wants_named_is_not_that_of_the_recipe(monkeypatch):
    """ "Name one of them with --task" named run.sh's, which is what all systems learn."""
    monkeypatch.setenv("S2ST_TAKES", "task nj")
    monkeypatch.setenv("S2ST_PASSES", "decode_args score_args")
    message = "exp/both learned s2st asr: name one of them with --task"
    how = '; run.sh passes it on by --decode_args "--task VALUE"'
    assert passing.hint("decode", message) == how
    assert passing.hint("score", message) == ""  # run.sh names that one itself


def told(monkeypatch, capsys, error: Exception) -> str:
    assert run(monkeypatch, error) == 1
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "error",
    [ValueError("operands could not be broadcast"), RuntimeError("size mismatch")],
    ids=lambda error: type(error).__name__,
)
def test_a_bug_of_ours_keeps_its_traceback(monkeypatch, error):
    with pytest.raises(type(error)):
        run(monkeypatch, error)


def test_numpys_own_value_error_is_no_mistake_of_the_user():
    with pytest.raises(ValueError) as caught:
        np.zeros(2) + np.zeros(3)
    assert not isinstance(caught.value, UserError)


def test_debug_shows_where_an_error_of_the_user_comes_from(monkeypatch):
    with pytest.raises(UserError):
        run(monkeypatch, UserError("no"), "--debug", "true")
    assert run(monkeypatch, UserError("no"), "--debug", "false") == 1


def test_json_that_is_none_names_its_file(tmp_path):
    path = tmp_path / "stage.json"
    path.write_text(json.dumps({"a": 1})[:-1])
    with pytest.raises(UserError, match=r"stage\.json: not JSON"):
        read_json(path)
