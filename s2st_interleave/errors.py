"""What a user can mend is told apart from what only we can."""

import os
import select
import sys
from collections.abc import Callable
from functools import partial

# Packages that not every use needs, by the extra of setup.py that brings them.
EXTRAS = {
    "asr": ("faster_whisper", "ctranslate2", "whisper", "tiktoken", "more_itertools"),
    "vocoder": ("pyworld", "espnet2", "librosa", "humanfriendly", "typeguard"),
    "lora": ("peft",),
    "mos": ("speechmos", "onnxruntime"),
    "interop": ("praatio",),
    "report": ("matplotlib",),
}
PIPE_CLOSED = 141  # what a shell says of a program that SIGPIPE ended


class UserError(ValueError):
    """Input or an option is wrong; the message says which, where, and what to do.

    The command line shows it as one line. Every other exception is a fault of this
    package and keeps its traceback.
    """


def guarded(name: str, work: Callable[[], int | None], *, debug: bool = False) -> int:
    """The exit status of `work`; what a user can mend is said in a line, with `name`."""
    try:
        return work() or 0
    except (UserError, OSError, ImportError) as error:  # the user's, or the machine's
        said = _missing_package(error) if isinstance(error, ImportError) else str(error)
        closed = isinstance(error, BrokenPipeError) and _nobody_reads()
        if debug or not said or closed:
            raise
        print(f"error: {name}: {said}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{name}: interrupted; the same command carries on", file=sys.stderr)
        return 130


def _missing_package(error: ImportError) -> str:
    """What to install; "" where the module that is missing is our own."""
    package = (error.name or "").partition(".")[0]
    if package == __package__:
        return ""
    extra = next((k for k, names in EXTRAS.items() if package in names), "")
    which = f"s2st_interleave[{extra}]" if extra else package
    pip = f", or `pip install {which}`" if which else ""
    return f"{error}: tools/setup.sh installs what the recipes need{pip}"


def quiet_pipe(work: Callable[[], int | None]) -> int:
    """The exit status of `work`, also where `| head` has heard enough of it."""
    try:
        try:
            return work() or 0
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        if not _nobody_reads():
            raise
        # What is still to be written goes nowhere, or the interpreter would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def script(name: str, main: Callable[[], int | None]) -> int:
    """The exit status of a program that stands by itself, by the same rules."""
    return quiet_pipe(partial(guarded, name, main))


def _nobody_reads() -> bool:
    """Is standard output a pipe that was closed at its other end?"""
    try:
        watch = select.poll()
        watch.register(sys.stdout.fileno(), 0)
        return any(event & select.POLLERR for _, event in watch.poll(0))
    except (OSError, ValueError):  # it is no file at all
        return False
