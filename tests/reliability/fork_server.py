"""Runs commands in forks of one process that has imported the libraries.

    with ForkServer(folder) as server:
        end = server.run(command, fault)

A fork leads a process group of its own, which a kill reaches whole: `End.signal` says by
what it died, and `End.left` how many of its group live on. tests/warm_python.py has a
client between the two, which a kill would hit in place of the command.
"""

import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import faults
import warm_python
from tiny_run import Command

MODULES = """align.words data.corpus decode.generate encoder.ctc interleave.dump
llm.model score.asr stages.data stages.encoder stages.align stages.kmeans stages.units
stages.dump stages.train stages.decode stages.vocoder stages.vocode stages.topline
stages.score stages.compare stages.results report.command""".split()


@dataclass(frozen=True)
class Fault:
    """What goes wrong in a command, see faults.py; `kind` "" : nothing, events are counted.

    `signal` is sent after `after_sec` seconds. `limits`: resource limits by name.
    """

    kind: str = ""
    at: int = 0
    root: str = ""
    signal: int = 0
    after_sec: float = 0.0
    limits: dict[str, int] = dataclasses.field(default_factory=dict)
    clock_sec: float = 0.0  # added to time.time()
    lock_error: int = 0  # errno of every flock
    write_error: int = 0  # errno of the event `at`


NO_FAULT = Fault()


@dataclass(frozen=True)
class End:
    """How a command ended: its status, the signal that killed it, and what it printed."""

    status: int
    signal: int
    events: int
    left: int
    output: str
    sec: float


class ForkServer:
    """A process that imports the libraries once, and forks for each command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        same = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"}
        path = os.pathsep.join([*map(str, _paths()), os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(folder)],
            env=os.environ | same | {"PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "ForkServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(60)

    def start(self, command: Command, fault: Fault = NO_FAULT) -> None:
        """Start a command; `wait` tells how it ended. Several run side by side."""
        assert self.process.stdin
        message = {"command": dataclasses.asdict(command), "fault": vars(fault)}
        message["command"]["cwd"] = str(command.cwd)
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def wait(self) -> End:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the fork server has ended"
        return End(**json.loads(line))

    def run(self, command: Command, fault: Fault = NO_FAULT) -> End:
        """Run a command to its end."""
        self.start(command, fault)
        return self.wait()


def _paths() -> list[Path]:
    here = Path(__file__).resolve().parent
    return [here, here.parent, here.parents[1]]


def serve(folder: Path) -> None:
    """Import the libraries, then fork for every line of standard input."""
    import contextlib
    import importlib

    for name in warm_python.LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for name in MODULES:
        importlib.import_module(f"s2st_interleave.{name}")
    out = threading.Lock()
    followers = []
    for number, line in enumerate(sys.stdin):
        message = json.loads(line)
        log = folder / f"log.{number}"
        fault = Fault(**message["fault"])
        root = Path(fault.root or message["command"]["cwd"])
        grave = folder / f"grave.{number}"
        grave.mkdir()
        watch = faults.Watch(root, fault.kind, fault.at, grave)
        pid = os.fork()
        if pid == 0:
            child(message["command"], fault, watch, log)
        with contextlib.suppress(PermissionError, ProcessLookupError):
            os.setpgid(pid, pid)
        follower = threading.Thread(
            target=follow, args=(pid, watch, log, grave, fault, out)
        )
        follower.start()
        followers.append(follower)
    for follower in followers:
        follower.join()


def follow(
    pid: int,
    watch: faults.Watch,
    log: Path,
    grave: Path,
    fault: Fault,
    out: threading.Lock,
) -> None:
    """Wait for a command and print how it ended."""
    import shutil
    import struct

    began = time.monotonic()
    if fault.signal:
        time.sleep(fault.after_sec)
        os.killpg(pid, fault.signal)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    end = End(
        max(status, 0),
        max(-status, 0),
        struct.unpack("q", watch.count[:8])[0],
        living(pid),
        log.read_text(errors="replace"),
        round(time.monotonic() - began, 3),
    )
    shutil.rmtree(grave)
    os.close(watch.between)
    with out:
        print(json.dumps(vars(end)), flush=True)


def living(group: int) -> int:
    """How many processes of a group are there, once the killed ones had time to go."""
    count = 0
    for _ in range(50):
        count = 0
        for place in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = place.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            count += int(fields[2]) == group and fields[0] != "Z"
        if not count:
            return 0
        time.sleep(0.1)
    return count


def child(command: dict, fault: Fault, watch: faults.Watch, log: Path) -> None:
    """The fork: takes on the fault, then is the command."""
    os.setpgid(0, 0)
    stream = os.open(log, os.O_WRONLY | os.O_CREAT, 0o666)
    null = os.open(os.devnull, os.O_RDONLY)
    for name, most in fault.limits.items():
        kind = getattr(resource, name)
        if name == "RLIMIT_AS":  # beyond what this process has
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            most += pages * resource.getpagesize()
        resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))
    take_on(fault)
    faults.install(watch)
    is_module = command["words"][0] == "-m"
    words = command["words"][1:] if is_module else command["words"]
    env = command["env"]
    message = {"cwd": command["cwd"], "env": env, "words": [is_module, *words]}
    warm_python.run(message, [null, stream, os.dup(stream)])


def take_on(fault: Fault) -> None:
    """Change what the system tells this process."""
    if fault.clock_sec:
        real, real_ns = time.time, time.time_ns
        began, most = real(), fault.clock_sec

        def now() -> float:  # it jumps in the midst of the work
            return real() + (most if real() - began > 0.3 else 0.0)

        time.time = now
        time.time_ns = lambda: real_ns() + int((now() - real()) * 1e9)
    if fault.lock_error:
        import fcntl

        def flock(*_: object) -> None:
            raise OSError(fault.lock_error, os.strerror(fault.lock_error))

        fcntl.flock = flock


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(Path(sys.argv[1]))
