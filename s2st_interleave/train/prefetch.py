"""Batches of the next step are made while this step is computed."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class Prefetch(Generic[T]):
    """Calls `make(step)`, which must be pure, ahead of the next step in a thread."""

    def __init__(self, make: Callable[[int], T]) -> None:
        self.make = make
        self.pool = ThreadPoolExecutor(1)
        self.next: tuple[int, Future[T]] | None = None

    def __call__(self, step: int) -> T:
        if self.next and self.next[0] == step:
            item = self.next[1].result()
        else:
            item = self.make(step)
        self.next = step + 1, self.pool.submit(self.make, step + 1)
        return item

    def close(self) -> None:
        """End the thread, once it has made what it was asked for."""
        self.pool.shutdown()
