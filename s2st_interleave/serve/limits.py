"""What a request may cost: bytes, seconds, and a place in the queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request

AT_ONCE = 8  # uploads of the largest size that are in memory together
AGAIN_SEC = 5  # after which a client that was sent away may come back


class Refusal(Exception):
    """A request that is not answered: `status` of HTTP, and a sentence for its sender."""

    def __init__(self, status: int, kind: str, sentence: str):
        super().__init__(sentence)
        self.status = status
        self.kind = kind

    @property
    def headers(self) -> dict[str, str]:
        """A client that was sent away may return; one that was too slow is cut off."""
        if self.status == 503:
            return {"Retry-After": str(AGAIN_SEC)}
        return {"Connection": "close"} if self.status == 408 else {}


def busy() -> Refusal:
    sentence = "Too many recordings wait already: please try again in a few seconds."
    return Refusal(503, "busy", sentence)


def stopping() -> Refusal:
    return Refusal(503, "stopping", "The server is stopping.")


@dataclass(frozen=True)
class Limits:
    """Limits of a request: size in bytes, seconds for its body and for its answer.

    `queue` is how many requests may wait while others are answered.
    """

    max_bytes: int = 16_000_000
    upload_sec: float = 30.0
    answer_sec: float = 120.0
    queue: int = 16


class Uploads:
    """The bodies that are in memory: many small ones, or a few of the largest size.

    A client that sends slowly holds no more than it has sent, and that for `upload_sec`.
    """

    def __init__(self, limits: Limits):
        self._limits = limits
        self._free = AT_ONCE * limits.max_bytes

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[bytes]:
        """The body of a request, which counts as held until the context ends.

        Raises Refusal for one that is too large or too slow, or has no room.
        """
        content = bytearray()
        try:
            await self._read(request, content)
            yield bytes(content)
        finally:
            self._free += len(content)

    async def _read(self, request: Request, content: bytearray) -> None:
        limits = self._limits
        self._check(int(request.headers.get("content-length", 0)))
        try:
            async with asyncio.timeout(limits.upload_sec):
                async for chunk in request.stream():
                    self._check(len(content) + len(chunk))
                    if len(chunk) > self._free:
                        raise busy()
                    self._free -= len(chunk)
                    content += chunk
        except TimeoutError:
            raise Refusal(
                408,
                "slow",
                f"The recording did not arrive within {limits.upload_sec:g} s.",
            ) from None

    def _check(self, num_bytes: int) -> None:
        most = self._limits.max_bytes
        if num_bytes > most:
            sentence = (
                f"The file is larger than {most / 1e6:g} MB, the most that is taken."
            )
            raise Refusal(413, "too large", sentence)
