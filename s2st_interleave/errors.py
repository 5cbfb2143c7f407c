"""UserError: what the user can mend, shown in one line. All else keeps its traceback."""

import os
import select
import sys
from collections.abc import Callable
from functools import partial

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
    except (UserError, OSError, ImportError) as error:
        is_import = isinstance(error, ImportError)
        message = missing_package(error) if is_import else str(error)
        closed = isinstance(error, BrokenPipeError) and _nobody_reads()
        if debug or not message or closed:
            raise
        print(f"error: {name}: {message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{name}: interrupted; the same command carries on", file=sys.stderr)
        return 130


def missing_package(error: ImportError) -> str:
    """The line that says what to install; "" where a module of this package is missing."""
    package = (error.name or "").partition(".")[0]
    if package == __package__:
        return ""
    pip = f", or {extras.command(package)}" if package else ""
    return f"{error}: tools/setup.sh installs what the recipes need{pip}"


def quiet_pipe(work: Callable[[], int | None]) -> int:
    """Run `work` and return its exit status, also where its output's reader has ended.

    The reader may be `| head`: the status is then PIPE_CLOSED, without a traceback.
    """
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
