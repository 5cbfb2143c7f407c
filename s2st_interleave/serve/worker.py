"""The one thread that runs the models, and the queue before it.

Recordings that wait together are answered in one batch, whose answers are those that each
gets alone.
"""

import contextlib
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from s2st_interleave.errors import UserError
from s2st_interleave.pack.clips import Clip, Refused
from s2st_interleave.serve.limits import Refusal, busy, stopping
from s2st_interleave.serve.models import Model, Upload, reply

BATCH = 16  # recordings: a batch of more makes the first one wait too long
FAULT = "A fault of the server: its log tells more."


@dataclass(eq=False)
class Job:
    """A recording to answer; `future` gets the JSON of the answer, or a Refusal.

    Its status is 422 for a recording that is not translated, 503 where the server stops,
    and 500 for a fault of this package.
    """

    upload: bytes
    with_source: bool = False
    future: "Future[bytes]" = field(default_factory=Future)


class Worker:
    def __init__(self, models: Sequence[Model], queue: int):
        """Answers by `models`; at most `queue` jobs wait while others are answered."""
        self._models = models
        self._queue = queue
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="models", daemon=True)
        self._thread.start()

    @property
    def num_waiting(self) -> int:
        return len(self._waiting)

    @property
    def is_stopped(self) -> bool:
        return self._stopped

    def check_room(self) -> None:
        """Raise Refusal where no job would be taken."""
        if self._stopped:
            raise stopping()
        if len(self._waiting) >= self._queue:
            raise busy()

    def submit(self, job: Job) -> None:
        """Put a job into the queue; Refusal where that is full, or the server stops.

        A job whose future is cancelled while it waits leaves the queue unanswered.
        """
        with self._changed:
            self._waiting = deque(j for j in self._waiting if not j.future.cancelled())
            self.check_room()
            self._waiting.append(job)
            self._changed.notify()

    def stop(self) -> None:
        """Refuse all jobs that wait; what runs goes on. See `join`."""
        with self._changed:
            self._stopped = True
            for job in self._waiting:
                if job.future.set_running_or_notify_cancel():
                    job.future.set_exception(stopping())
            self._waiting.clear()
            self._changed.notify()

    def join(self, seconds: float) -> bool:
        """Wait for what runs; False if it still runs after so many seconds."""
        self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopped:
                    self._changed.wait()
                if self._stopped:
                    return
                number = min(BATCH, len(self._waiting))
                jobs = [self._waiting.popleft() for _ in range(number)]
            self._answer([j for j in jobs if j.future.set_running_or_notify_cancel()])

    def _answer(self, jobs: Sequence[Job]) -> None:
        clips: dict[Job, Clip] = {}
        for job in jobs:
            try:
                clips[job] = self._read(job)
            except Exception as error:
                self._fail(job, error)
        if not clips:
            return
        try:
            self._translate(clips)
            return
        except Exception as error:
            if len(clips) == 1:
                self._fail(next(iter(clips)), error)
                return
        for job, clip in clips.items():  # the others do not suffer from one of them
            if not job.future.done():
                self._alone(job, clip)

    def _alone(self, job: Job, clip: Clip) -> None:
        try:
            self._translate({job: clip})
        except Exception as error:
            self._fail(job, error)

    def _read(self, job: Job) -> Clip:
        first, *others = [model.translator for model in self._models]
        clip = first.read(Upload(job.upload))
        job.upload = b""
        for other in others:
            other.check_room(clip)
        return clip

    def _translate(self, clips: dict[Job, Clip]) -> None:
        start = time.monotonic()
        given = list(clips.values())
        said = [model.translator.answer(given) for model in self._models]
        for (job, clip), *answers in zip(clips.items(), *said, strict=True):
            pairs = list(zip(self._models, answers, strict=True))
            job.future.set_result(reply(clip, pairs, with_source=job.with_source))
        heard, took = sum(clip.seconds for clip in given), time.monotonic() - start
        number = f"{len(given)} recording{'s' if len(given) > 1 else ''}"
        _log(f"serve: {number}, {heard:.1f} s, answered in {took:.1f} s\n")

    def _fail(self, job: Job, error: Exception) -> None:
        """Tell `error` in words.

        The error itself holds, by its traceback, the frames that hold the job: upload and
        decoder would stay until Python next looks for circles, hundreds of jobs later.
        """
        job.upload = b""
        job.future.set_exception(_refusal(error))
        if not isinstance(error, UserError):
            _log("".join(traceback.format_exception(error)))


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, Refused):
        return Refusal(422, error.kind, error.plain)
    if isinstance(error, UserError):
        return Refusal(422, "not translated", str(error))
    return Refusal(500, "fault", FAULT)


def _log(text: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads it, and the thread goes on
        sys.stderr.write(text)
        sys.stderr.flush()
