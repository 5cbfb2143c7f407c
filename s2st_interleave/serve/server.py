"""The HTTP server: uvicorn, with less patience, on a socket that is bound before models load.

uvicorn speaks HTTP and starlette routes; both are small, pure Python, and kept well.
"""

import asyncio
import ipaddress
import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from s2st_interleave.errors import UserError
from s2st_interleave.serve.worker import Worker

PATIENCE_SEC = 20.0  # for the head of a request, and for the reading of a response
GRACE_SEC = 5  # at the end, for what runs
MAX_CONNECTIONS = 256
MAX_HEAD = 16_384  # bytes


class Impatient(H11Protocol):
    """Ends connections that send no request, half of one, or do not read their answer.

    While a request is in work its own limits hold.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.abort()
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_timer()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._end_timer()
        elif self._timer is None:
            self._timer = self.loop.call_later(PATIENCE_SEC, self.transport.abort)

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Server(uvicorn.Server):
    def __init__(self, app: Any, worker: Worker, on_start: Callable[[], None]):
        """Serves `app`, whose jobs `worker` does; `on_start` is called when it listens."""
        super().__init__(
            uvicorn.Config(
                app,
                http=Impatient,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SEC,
                h11_max_incomplete_event_size=MAX_HEAD,
            )
        )
        self._worker = worker
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new requests, refuse those that wait, end what runs."""
        self._worker.stop()
        await super().shutdown(sockets)


def bind(host: str, port: int) -> socket.socket:
    """A socket on which nobody can connect yet; UserError where that cannot be had."""
    try:
        kind = socket.SOCK_STREAM
        family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
        sock = socket.socket(family, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError as error:
        raise UserError(f"--host {host}: {error.strerror}") from None
    try:
        sock.bind(address)
        # Else a second server binds the same port while neither listens yet.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    except OSError as error:
        sock.close()
        raise UserError(
            f"port {port} of {host}: {error.strerror}: pass another --port; 0 takes one "
            "that is free"
        ) from None
    return sock


def url(sock: socket.socket) -> str:
    """Where a browser on this machine finds the server.

    Of a socket on all addresses that is loopback.
    """
    host, port = sock.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = "::1" if ":" in host else "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(sock: socket.socket) -> bool:
    """Is the socket reached from this machine alone?"""
    return ipaddress.ip_address(sock.getsockname()[0]).is_loopback


def serve(server: Server, sock: socket.socket, worker: Worker) -> bool:
    """Serve until SIGINT or SIGTERM, after which what runs is given GRACE_SEC seconds.

    False where a model still runs then: only the end of the process ends it.
    """
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(
            name, lambda *_: None
        )  # uvicorn raises it again when it has ended
    server.run(sockets=[sock])
    return worker.join(0 if server.force_exit else 1)
