"""The server itself: patience with connections, how it starts and stops."""

import socket

import pytest
from serving import WAIT_SEC, running, until

from s2st_interleave.errors import UserError
from s2st_interleave.serve import server
from s2st_interleave.serve.models import Model


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(server, "PATIENCE_SEC", 0.3)


@pytest.mark.parametrize(
    "start", [b"", b"GET /hea", b"POST /translate HTTP/1.1\r\nHost: "]
)
def test_a_connection_without_a_whole_head_is_ended(start, impatient, translator):
    with running([Model("a", translator)]) as place, place.connect() as sock:
        sock.sendall(start)
        assert is_ended(sock)


def test_the_second_request_of_a_connection_has_no_more_time(impatient, translator):
    with running([Model("a", translator)]) as place, place.connect() as sock:
        request = (
            f"GET /health HTTP/1.1\r\nHost: localhost:{place.port}\r\n\r\n".encode()
        )
        sock.sendall(request)
        assert sock.recv(10_000).startswith(b"HTTP/1.1 200 ")
        sock.sendall(request[:20])
        while not is_ended(sock):
            pass
        assert place.ask("/health").status == 200


def test_an_answer_that_is_not_read_is_dropped(impatient, translator, speech):
    with running([Model("a", translator)], send_buffer=4096) as place:
        body = speech(8.0)
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", place.port))
            head = place.head(len(body)).replace(
                b"/translate", b"/translate?source=true"
            )
            sock.sendall(head + body)
            until(lambda: place.server.server_state.total_requests)
            until(lambda: not place.server.server_state.connections)


def test_a_request_in_work_is_not_cut_off_by_patience(impatient, held, speech):
    with running([Model("a", held)]) as place:
        wait = place.begin(speech(0.5))
        assert held.busy.wait(WAIT_SEC)
        with place.connect() as sock:
            assert is_ended(sock)  # longer than patience lasts
        held.go.set()
        assert wait().status == 200


def test_more_connections_than_there_is_room_for_are_ended(
    monkeypatch, translator, speech
):
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 5)
    with running([Model("a", translator)]) as place:
        idle = [place.connect() for _ in range(5)]
        until(lambda: len(place.server.server_state.connections) == 5)
        with place.connect() as sock:
            assert is_ended(sock)
        for each in idle:
            each.close()
        until(lambda: not place.server.server_state.connections)
        assert place.translate(speech(0.5)).status == 200


def test_at_the_end_what_runs_is_answered_and_what_waits_is_refused(held, speech):
    with running([Model("a", held)]) as place:
        running_one = place.begin(speech(0.5))
        assert held.busy.wait(WAIT_SEC)
        waiting_one = place.begin(speech(0.6))
        until(lambda: place.worker.num_waiting == 1)
        place.server.should_exit = True
        refused = waiting_one()
        assert (refused.status, refused.json["kind"]) == (503, "stopping")
        with pytest.raises(ConnectionRefusedError):
            place.connect()
        held.go.set()
        assert running_one().status == 200
    assert held.batches == [1]


def test_a_second_server_had_the_port_of_one_whose_models_were_loading():
    with server.bind("127.0.0.1", 0) as sock:  # it does not listen yet
        port = sock.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} of 127.0.0.1: .*--port"):
            server.bind("127.0.0.1", port)


def test_a_port_that_is_taken_is_one_line(place):
    with pytest.raises(
        UserError, match=f"port {place.port} of 127.0.0.1: Address already"
    ):
        server.bind("127.0.0.1", place.port)


def test_a_host_that_is_none_is_one_line():
    with pytest.raises(UserError, match=r"--host no\.such\.host\.invalid: "):
        server.bind("no.such.host.invalid", 0)


@pytest.mark.parametrize(
    ("host", "start", "is_loopback"),
    [
        ("127.0.0.1", "http://127.0.0.1:", True),
        ("localhost", "http://", True),
        ("127.0.0.2", "http://127.0.0.2:", True),
        ("0.0.0.0", "http://127.0.0.1:", False),
    ],
)
def test_where_it_is_found_and_by_whom(host, start, is_loopback):
    with server.bind(host, 0) as sock:
        assert server.url(sock).startswith(start)
        assert server.is_loopback(sock) == is_loopback


def is_ended(sock: socket.socket) -> bool:
    """Does the server end the connection, without a word or after one?"""
    try:
        return sock.recv(10_000) == b""
    except ConnectionResetError:
        return True
