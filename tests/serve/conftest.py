"""The small packed model behind a server, and recordings for it."""

from collections.abc import Callable

import pytest
import tiny_pack
from serving import Held, running

from s2st_interleave.serve.models import Model


@pytest.fixture(scope="session")
def place(translator):
    """A server of one model, with the limits that a user gets."""
    with running([Model("scheduled", translator)]) as at:
        yield at


@pytest.fixture
def held(translator):
    """A model that answers when it is let go."""
    model = Held.of(translator)
    yield model
    model.go.set()


@pytest.fixture(scope="session")
def speech() -> Callable[..., bytes]:
    """The bytes of a recording of noise, another for each length."""

    def record(seconds: float = 1.0, level: float = 1.0, form: str = "WAV") -> bytes:
        return tiny_pack.recording(seconds, 16_000, level, form)

    return record
