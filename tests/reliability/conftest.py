"""The fixture `count`, which keeps the counts of a run for the page on reliability."""

from collections.abc import Callable

import counts
import pytest


@pytest.fixture
def count() -> Callable[..., None]:
    return counts.write
