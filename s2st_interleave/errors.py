"""UserError: what the user can mend, shown in one line. All else keeps its traceback."""

import contextlib
import errno
import json
import os
import re
import resource
import select
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from s2st_interleave import extras

PIPE_CLOSED = 141  # the exit status that a shell reports for SIGPIPE


class UserError(ValueError):
    """Input or an option is wrong; the message says which, where, and what to do.

    The command line shows it as one line. Every other exception is a fault of this
    package and keeps its traceback.
    """


def guarded(name: str, work: Callable[[], int | None], *, debug: bool = False) -> int:
    """Run `work` and return its exit status; UserErrors are printed in a line with `name`.

    Errors of the machine (OSError) and missing packages (ImportError) are printed so as
    well. `debug` lets every exception through, with its traceback.
    """
    try:
        return work() or 0
    except Exception as error:
        message = explained(error)
        closed = isinstance(error, BrokenPipeError) and _nobody_reads()
        if debug or not message or closed:
            raise
        _tell(f"error: {name}: {message}{_through_recipe(name, message)}")
        return 1
    except KeyboardInterrupt:
        _tell(f"{name}: interrupted; the same command carries on")
        return 130


def explained(error: Exception) -> str:
    """The line that says what the user can mend; "" for a fault of this package.

    Libraries that write files report a full disk by errors of their own.
    """
    if isinstance(error, UserError):
        return str(error)
    if lacks_memory(error):
        return "this machine has no memory left: lower the batch size or --nj"
    if isinstance(error, ImportError):
        return missing_package(error)
    if any(sign in str(error) for sign in UNWRITTEN):
        return _of_machine(_unwritten())
    if isinstance(error, OSError):
        return _of_machine(error)
    if type(error).__name__ == "BrokenProcessPool":  # not imported here, either
        return (
            "a process of this command was killed, probably for want of memory: lower "
            "--nj or --num_workers; the same command carries on"
        )
    if (
        type(error).__name__ == "OutOfMemoryError"
    ):  # torch's, which is not imported here
        first = str(error).partition(". ")[0]
        return (
            f"{first}: lower the batch size, or raise --accum_grad where there is one"
        )
    if "gloo/transport" in str(error):  # the ranks of a training talk by it
        return (
            "another rank of this training has ended, or was silent for too long "
            "(S2ST_RANK_TIMEOUT_SEC, two hours if unset): the same command carries on"
        )
    if code := re.search(r"\(os error (\d+)\)", str(error)):  # safetensors, tokenizers
        return _of_machine(OSError(int(code[1]), os.strerror(int(code[1]))))
    if os.strerror(errno.ENOSPC) in str(error):
        return _of_machine(_unwritten())
    return ""


# torch and numpy say so of what they could not write, and not why.
UNWRITTEN = ("PytorchStreamWriter failed", "inline_container.cc", " requested and ")
NO_MEMORY = (
    "DefaultCPUAllocator",
    "could not create a primitive",  # oneDNN's
    "mkl_malloc",
    "std::bad_alloc",
    "can't start new thread",
    "Storage size calculation overflowed",  # torch's
    os.strerror(errno.ENOMEM),
)


def lacks_memory(error: Exception) -> bool:
    """Whether an error, of whatever library, says that memory is exhausted."""
    return isinstance(error, MemoryError) or any(s in str(error) for s in NO_MEMORY)


def _unwritten() -> OSError:
    """Why a library could not write: a file may grow no more, or the disk is full."""
    most, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    number = errno.ENOSPC if most == resource.RLIM_INFINITY else errno.EFBIG
    return OSError(number, os.strerror(number))


def _of_machine(error: OSError) -> str:
    """An error of the operating system, with the file, and what to do about it."""
    path = error.filename if isinstance(error.filename, str | Path) else ""
    where = f"{path}: " if path else ""
    reason = error.strerror or str(error)
    number = error.errno
    if number in (errno.ENOSPC, errno.EDQUOT):
        if number == errno.EDQUOT or not path:
            made = "" if path else _being_made()
            return f"{where}{reason}{made}: make room; the same command carries on"
        place = Path(path).absolute()
        folder = next(p for p in (place, *place.parents) if p.is_dir())
        free = f"{shutil.disk_usage(folder).free} bytes are free in {folder}"
        return f"{where}{reason}, {free}: make room; the same command carries on"
    if number == errno.EMFILE:
        return f"{where}{reason} in this process: raise the limit, `ulimit -n 65536`"
    if number == errno.EFBIG:
        return (
            f"{where}{reason} for this process: raise the limit, `ulimit -f unlimited`"
        )
    if number == errno.EROFS or (number in (errno.EACCES, errno.EPERM) and path):
        owner = "it cannot be read or written by this user"
        what = "this disk is read-only" if number == errno.EROFS else owner
        return f"{where}{reason}: {what}; choose another folder, or change its rights"
    if number == errno.EISDIR and path:
        return f"{where}this is a folder, and a file is wanted"
    if number == errno.ENOTDIR and path:
        return f"{where}a part of this path is a file, and a folder is wanted"
    if number == errno.EEXIST and path:
        return f"{where}this is a file, and a folder is wanted"
    if number == errno.ENAMETOOLONG and path:
        return f"no such file or folder: its name has {len(str(path))} characters"
    if number == errno.ENOENT and path:
        return f"{where}no such file or folder"
    return str(error)


def _being_made() -> str:
    """What this process was making when an error came that names no file."""
    from s2st_interleave import begun

    places = ", ".join(map(str, begun.held()))
    return f", while {places} was made" if places else ""


# Where torchrun's ranks leave their errors, so that it prints an error of all of them once.
RANK_ERRORS, RANK_FILE = "S2ST_RANK_ERRORS", "TORCHELASTIC_ERROR_FILE"


def shown(text: str) -> str:
    r"""`text` for a terminal: characters that steer it, or turn its order, as escapes.

    >>> shown("u1\x1b[2J")
    'u1\\x1b[2J'
    """
    return STEERING.sub(lambda match: ascii(match[0])[1:-1], text)


# Control characters but for tab and line feed, marks of direction, halves of surrogates.
STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def _tell(line: str) -> None:
    """Print a line on standard error; a rank leaves it to train/torchrun.py."""
    line = shown(line)
    if RANK_ERRORS in os.environ and RANK_FILE in os.environ:
        with contextlib.suppress(OSError):
            told = json.dumps({"message": line, "timestamp": int(time.time())})
            Path(os.environ[RANK_FILE]).write_text(told)
            return
    print(line, file=sys.stderr)


def _through_recipe(name: str, message: str) -> str:
    """How a recipe, if one has started the command, passes on the options of a message."""
    if "S2ST_PASSES" not in os.environ:
        return ""
    from s2st_interleave import passing

    return passing.hint(name, message)


def missing_package(error: ImportError) -> str:
    """The line that says what to install; "" where a module of this package is missing."""
    package = (error.name or "").partition(".")[0]
    if package == __package__:
        return ""
    pip = f", or {extras.command(package)}" if package else ""
    return (
        f"{error}: tools/setup.sh installs what the recipes need, and `. egs/path.sh` takes "
        f"that environment{pip}"
    )


def quiet_pipe(work: Callable[[], int | None]) -> int:
    """Run `work` and return its exit status, also where its output's reader has ended.

    The reader may be `| head`: the status is then PIPE_CLOSED, without a traceback.
    """
    _open_closed()
    try:
        try:
            return work() or 0
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        if not _nobody_reads():
            raise
        # The interpreter flushes standard output at its end: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _open_closed() -> None:
    """Let standard streams that the shell has closed (`>&-`) go nowhere.

    Python has None in their place, and the next file would be opened as one of them.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, "w" if number else "r"))


def script(name: str, main: Callable[[], int | None]) -> int:
    """Run the `main` of a program that is no command of the package; see `guarded`."""
    return quiet_pipe(partial(guarded, name, main))


def _nobody_reads() -> bool:
    """Is standard output a pipe that was closed at its other end?"""
    try:
        watch = select.poll()
        watch.register(sys.stdout.fileno(), 0)
        return any(event & select.POLLERR for _, event in watch.poll(0))
    except (OSError, ValueError):  # standard output is not a file
        return False
