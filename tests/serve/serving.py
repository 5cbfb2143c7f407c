"""A server of `serve` in a thread of the test, on a free port, and clients for it."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

from s2st_interleave.pack.clips import Clip
from s2st_interleave.pack.said import Said
from s2st_interleave.pack.translator import Translator
from s2st_interleave.serve import app, server
from s2st_interleave.serve.limits import Limits
from s2st_interleave.serve.models import Model
from s2st_interleave.serve.worker import Worker

WAIT_SEC = 120  # of a machine with much else to do


@dataclass(frozen=True, eq=False, repr=False)
class Held(Translator):
    """A translator that answers when it is let go, and has a fault where it is told to."""

    go: threading.Event = field(default_factory=threading.Event)
    busy: threading.Event = field(default_factory=threading.Event)
    batches: list[int] = field(default_factory=list)
    fault_sec: list[float] = field(default_factory=list)  # lengths with a fault

    @classmethod
    def of(cls, translator: Translator) -> "Held":
        return cls(
            **{each.name: getattr(translator, each.name) for each in fields(Translator)}
        )

    def answer(self, recordings: Sequence[Clip]) -> list[Said]:
        self.busy.set()
        assert self.go.wait(WAIT_SEC)
        self.batches.append(len(recordings))
        if any(clip.seconds in self.fault_sec for clip in recordings):
            raise RuntimeError("a fault")
        return super().answer(recordings)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass(frozen=True, eq=False)
class Place:
    port: int
    server: server.Server
    worker: Worker

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] = {},
        method: str = "",
    ) -> Reply:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=WAIT_SEC
        )
        method = method or ("GET" if body is None else "POST")
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        reply = Reply(response.status, names, response.read())
        connection.close()
        return reply

    def translate(self, body: bytes, query: str = "") -> Reply:
        return self.ask(f"/translate{query}", body)

    def begin(self, body: bytes) -> Callable[[], Reply]:
        """Send a request from a thread; what is returned waits for its answer."""
        replies: list[Reply] = []
        thread = threading.Thread(target=lambda: replies.append(self.translate(body)))
        thread.start()

        def wait() -> Reply:
            thread.join(WAIT_SEC)
            return replies[0]

        return wait

    def connect(self) -> socket.socket:
        """A connection on which nothing is sent yet."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_SEC)

    def head(self, length: int) -> bytes:
        """The head of a POST of so many bytes."""
        lines = ["POST /translate HTTP/1.1", f"Host: localhost:{self.port}"]
        return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


@contextmanager
def running(
    models: Sequence[Model],
    limits: Limits | None = None,
    hosts: Sequence[str] = (),
    send_buffer: int = 0,
) -> Iterator[Place]:
    limits = limits or Limits()
    sock = server.bind("127.0.0.1", 0)
    if send_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    port = sock.getsockname()[1]
    worker, listens = Worker(models, limits.queue), threading.Event()
    run = server.Server(app.make(models, worker, limits, hosts), worker, listens.set)
    thread = threading.Thread(target=run.run, kwargs={"sockets": [sock]})
    thread.start()
    assert listens.wait(WAIT_SEC)
    try:
        yield Place(port, run, worker)
    finally:
        run.should_exit = True
        thread.join(WAIT_SEC)
        assert worker.join(WAIT_SEC) and not thread.is_alive()


def until(condition: Callable[[], Any]) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + WAIT_SEC
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.01)
