"""A small packed model, and recordings for it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
import tiny_pack

from s2st_interleave.pack.translator import Translator


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("a user's model") / "packed"
    tiny_pack.write(root)
    return root


@pytest.fixture(scope="session")
def translator(tiny_model) -> Translator:
    return Translator.from_pretrained(tiny_model, device="cpu")


@pytest.fixture(scope="session")
def text_translator(tmp_path_factory) -> Translator:
    """A model that answers with texts, and no speech."""
    root = tmp_path_factory.mktemp("texts") / "packed"
    tiny_pack.write(root, "src_speech -> src_text tgt_text")
    return Translator.from_pretrained(str(root), device="cpu")


@pytest.fixture
def record() -> Callable[..., Path]:
    """Writes a recording of noise, or of silence."""

    def write(path: Path, seconds: float = 1.0, *, silent: bool = False) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = int(1000 * seconds)
        samples = tiny_pack.noise(seconds, 8_000, seed) * (0 if silent else 1)
        soundfile.write(path, samples, 8_000)
        return path

    return write
