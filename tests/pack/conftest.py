"""A small packed model of texts, and recordings for it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_pack

from s2st_interleave.pack.translator import Translator


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
        level = 0.0 if silent else 1.0
        path.write_bytes(tiny_pack.recording(seconds, 8_000, level))
        return path

    return write
