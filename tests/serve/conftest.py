"""Small packed models behind a server, and recordings for it."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_pack
from serving import Held, running

from s2st_interleave.pack.translator import Translator
from s2st_interleave.serve.models import Model


@pytest.fixture(scope="session")
def packed(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("a user's model") / "packed"
    tiny_pack.write(root)
    return root


@pytest.fixture(scope="session")
def translator(packed) -> Translator:
    return Translator.from_pretrained(packed, device="cpu")


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
        stream = io.BytesIO()
        samples = level * tiny_pack.noise(seconds, 16_000, round(1000 * seconds))
        soundfile.write(stream, np.asarray(samples), 16_000, format=form)
        return stream.getvalue()

    return record
