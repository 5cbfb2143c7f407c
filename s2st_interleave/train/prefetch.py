"""What the next step needs, made while this one is computed."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """`make(step)`, and in a thread that of the step after it: pure, so nobody can tell."""

    def __init__(self, make: Callable[[int], T]) -> None:
        self.make = make
        self.pool = ThreadPoolExecutor(1)
        self.coming: tuple[int, Future[T]] | None = None

    def __call__(self, step: int) -> T:
        if self.coming and self.coming[0] == step:
            made = self.coming[1].result()
        else:
            made = self.make(step)
        self.coming = step + 1, self.pool.submit(self.make, step + 1)
        return made
