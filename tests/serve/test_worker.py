"""The thread that runs the models, and the queue before it."""

import pytest
from serving import WAIT_SEC

from s2st_interleave.serve.limits import Refusal
from s2st_interleave.serve.models import Model
from s2st_interleave.serve.worker import Job, Worker


@pytest.fixture
def worker(held):
    worker = Worker([Model("a", held)], queue=2)
    yield worker
    held.go.set()
    worker.stop()
    assert worker.join(WAIT_SEC)


def submit(worker: Worker, upload: bytes) -> Job:
    job = Job(upload)
    worker.submit(job)
    return job


def test_what_waits_together_is_one_batch_and_a_bad_recording_fails_alone(
    worker, held, speech
):
    first = submit(worker, speech(0.5))
    assert held.busy.wait(WAIT_SEC)
    good, bad = submit(worker, speech(0.6)), submit(worker, b"no recording")
    held.go.set()
    assert first.future.result(WAIT_SEC) and good.future.result(WAIT_SEC)
    with pytest.raises(Refusal, match="the recording: cannot be read as audio"):
        bad.future.result(WAIT_SEC)
    assert held.batches == [1, 1] and good.upload == bad.upload == b""


def test_a_job_that_is_cancelled_makes_room_and_is_not_answered(worker, held, speech):
    submit(worker, speech(0.5))
    assert held.busy.wait(WAIT_SEC)
    gone, kept = submit(worker, speech(0.6)), submit(worker, speech(0.7))
    with pytest.raises(Refusal, match="Too many recordings wait"):
        worker.check_room()
    assert gone.future.cancel()
    more = submit(worker, speech(0.8))
    held.go.set()
    assert kept.future.result(WAIT_SEC) and more.future.result(WAIT_SEC)
    assert held.batches == [1, 2]


def test_at_the_end_what_waits_is_refused_and_what_runs_is_answered(
    worker, held, speech
):
    runs = submit(worker, speech(0.5))
    assert held.busy.wait(WAIT_SEC)
    waits = submit(worker, speech(0.6))
    worker.stop()
    assert worker.is_stopped and not worker.join(0)
    for refused in (lambda: waits.future.result(0), lambda: submit(worker, b"")):
        with pytest.raises(Refusal, match="The server is stopping"):
            refused()
    held.go.set()
    assert runs.future.result(WAIT_SEC) and worker.join(WAIT_SEC)
