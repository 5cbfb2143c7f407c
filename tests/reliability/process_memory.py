"""What a process holds, as the kernel says, sampled while it works."""

import os
import statistics
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Held:
    """Memory in MB, open files, threads, and child processes of a process."""

    memory: float
    files: int
    threads: int
    children: int


def held(pid: int) -> Held:
    status = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if ":" in line
    )
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return Held(
        memory=int(status["VmRSS"].split()[0]) / 1024,
        files=len(os.listdir(f"/proc/{pid}/fd")),
        threads=int(status["Threads"]),
        children=len(children),
    )


@dataclass(eq=False)
class Watch:
    """Samples a process every `seconds` until `stop` or its end."""

    pid: int
    seconds: float
    samples: list[Held] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._ended.wait(self.seconds):
            try:
                self.samples.append(held(self.pid))
            except (FileNotFoundError, ProcessLookupError, KeyError):
                return  # it has ended: a process that is gone or a zombie holds nothing

    def growth(self) -> float:
        """Median memory of the last fifth less that of the second fifth, in MB.

        The first fifth is left out: a library's caches fill in it.
        """
        memory = [sample.memory for sample in self.samples]
        fifth = max(1, len(memory) // 5)
        return statistics.median(memory[-fifth:]) - statistics.median(
            memory[fifth : 2 * fifth]
        )


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def until_idle(pid: int, most: Held, seconds: float = 60) -> Held:
    """What a process holds once it holds no more files and threads than `most`."""
    end = time.monotonic() + seconds
    while (now := held(pid)) and time.monotonic() < end:
        if now.files <= most.files and now.threads <= most.threads:
            break
        time.sleep(0.5)
    return now
