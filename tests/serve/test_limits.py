"""What a request may cost: size, time, a place in the queue."""

import gc
import operator
import os
import socket
import threading

import pytest
from serving import WAIT_SEC, running, until

from s2st_interleave.serve import limits
from s2st_interleave.serve.limits import Limits
from s2st_interleave.serve.models import Model
from s2st_interleave.serve.worker import Job


def answer_of(sock: socket.socket) -> bytes:
    """All that the server sends until it ends the connection, or a whole JSON."""
    content = b""
    while chunk := sock.recv(65_536):
        content += chunk
        if content.endswith(b"}"):
            break
    return content


def test_a_body_that_is_announced_as_too_large_is_not_waited_for(place):
    with place.connect() as sock:
        sock.sendall(place.head(16_000_001))
        answer = answer_of(sock)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"larger than 16 MB, the most that is taken" in answer


def test_a_body_that_becomes_too_large_is_cut_off(translator, speech):
    with (
        running([Model("a", translator)], Limits(max_bytes=50_000)) as place,
        place.connect() as sock,
    ):
        head = place.head(0).replace(
            b"Content-Length: 0", b"Transfer-Encoding: chunked"
        )
        sock.sendall(head + (b"2710\r\n" + bytes(10_000) + b"\r\n") * 6)
        assert answer_of(sock).startswith(b"HTTP/1.1 413 ")
        assert place.translate(speech(1.0)).status == 200


def test_a_body_that_dribbles_is_cut_off(translator, speech):
    with (
        running([Model("a", translator)], Limits(upload_sec=0.3)) as place,
        place.connect() as sock,
    ):
        sock.sendall(place.head(1000) + b"RI")
        stop = threading.Event()

        def dribble() -> None:
            while not stop.wait(0.05):
                try:
                    sock.sendall(b"F")
                except OSError:
                    return

        thread = threading.Thread(target=dribble)
        thread.start()
        try:
            assert b"HTTP/1.1 408 " in answer_of(sock)
            until(lambda: not place.server.server_state.connections)
        finally:
            stop.set()
            thread.join()
        assert place.translate(speech(1.0)).status == 200


def test_many_slow_clients_do_not_keep_a_quick_one_waiting(place, speech):
    slow = [place.connect() for _ in range(40)]
    try:
        for number, sock in enumerate(slow):
            head = place.head(1_000_000)
            sock.sendall(head[: len(head) // 2] if number % 2 else head + b"RIFF")
        assert place.translate(speech(1.0)).status == 200
    finally:
        for sock in slow:
            sock.close()


def test_a_full_queue_answers_politely_and_those_in_it_are_answered(held, speech):
    with running([Model("a", held)], Limits(queue=2)) as place:
        waits = [place.begin(speech(0.5))]
        assert held.busy.wait(WAIT_SEC)
        for number in (1, 2):
            waits.append(place.begin(speech(0.6)))
            until(lambda number=number: place.worker.num_waiting == number)
        reply = place.translate(speech(0.7))
        assert (reply.status, reply.headers["retry-after"]) == (503, "5")
        assert reply.json == {
            "error": "Too many recordings wait already: please try again in a few seconds.",
            "kind": "busy",
        }
        assert place.ask("/health").json["num_waiting"] == 2
        held.go.set()
        assert [wait().status for wait in waits] == [200] * 3
        assert place.translate(speech(0.7)).status == 200
        assert held.batches == [1, 2, 1]  # those that waited together were one batch


def test_uploads_hold_no_more_memory_than_a_few_of_the_largest(held, speech):
    body = speech(0.5)
    with running([Model("a", held)], Limits(max_bytes=len(body), queue=99)) as place:
        waits = [place.begin(body)]
        assert held.busy.wait(WAIT_SEC)
        for number in range(1, limits.AT_ONCE):
            waits.append(place.begin(body))
            until(lambda number=number: place.worker.num_waiting == number)
        assert place.translate(body).status == 503
        held.go.set()
        assert [wait().status for wait in waits] == [200] * limits.AT_ONCE
        assert place.translate(body).status == 200


def test_an_answer_that_takes_too_long_is_not_waited_for(held, speech):
    with running([Model("a", held)], Limits(answer_sec=0.2)) as place:
        reply = place.translate(speech(0.5))
        assert reply.status == 503 and "No answer within 0.2 s" in reply.json["error"]
        held.go.set()


def test_a_client_that_leaves_takes_its_recording_along(held, speech):
    with running([Model("a", held)]) as place:
        wait = place.begin(speech(0.5))
        assert held.busy.wait(WAIT_SEC)
        body = speech(0.6)
        with place.connect() as sock:
            sock.sendall(place.head(len(body)) + body)
            until(lambda: place.worker.num_waiting == 1)
        until(lambda: len(place.server.server_state.tasks) == 1)
        held.go.set()
        assert wait().status == 200
        assert place.translate(speech(0.7)).status == 200
        assert held.batches == [1, 1]


@pytest.mark.parametrize("status", [403, 408, 413, 500, 503])
def test_only_a_busy_server_asks_to_come_again(status):
    headers = limits.Refusal(status, "kind", "Sentence.").headers
    assert ("Retry-After" in headers) == (status == 503)


def test_a_refused_recording_is_let_go_at_once(held, speech, capsys):
    """Its bytes and its decoder do not wait until Python looks for circles of garbage."""
    held.go.set()
    held.fault_sec.append(0.9)
    whole = speech(2.0, form="FLAC")
    bodies = [b"no recording", whole[: len(whole) // 2], speech(0.9)]
    with running([Model("a", held)]) as place:
        for body in bodies:  # what a first answer loads is there
            place.translate(body)
        gc.collect()
        gc.disable()
        try:
            before = num_held()
            statuses = [place.translate(body).status for body in 3 * bodies]
            until(lambda: all(map(operator.le, num_held(), before)))
        finally:
            gc.enable()
    assert statuses == 3 * [422, 422, 500]


def num_held() -> tuple[int, int]:
    """Jobs (of each worker the last one) and threads (decoders have some)."""
    jobs = sum(type(each) is Job for each in gc.get_objects())
    return jobs, len(os.listdir("/proc/self/task"))
