"""Fixtures that several tests share, made once a run."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tiny_parts
import warm_python

from s2st_interleave.interleave import dump
from s2st_interleave.progress import name_lines

if TYPE_CHECKING:
    from s2st_interleave.pack.translator import Translator


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes starts first, so that two workers end at about the same time.

    Nightly tests are slow too: -m "not slow", the quick suite, ran an hour of them.
    """
    for item in items:
        if item.get_closest_marker("nightly"):
            item.add_marker("slow")
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True)
def nameless() -> None:
    """A stage that a test has begun names the lines of its process."""
    name_lines("")


@pytest.fixture(scope="session")
def python(tmp_path_factory) -> Iterator[Path]:
    """A `python` that starts at once, see tests/warm_python.py."""
    with warm_python.warm(tmp_path_factory.mktemp("warm") / "python") as folder:
        yield folder / "python"


@pytest.fixture(scope="session")
def driver(tmp_path_factory) -> Iterator[object]:
    """A browser, see tests/browser.py, whose microphone hears noise, over and over."""
    import tiny_pack

    browser = pytest.importorskip("browser", reason="selenium is not installed")
    if reason := browser.missing():
        pytest.skip(reason)
    voice = tmp_path_factory.mktemp("microphone") / "voice.wav"
    voice.write_bytes(tiny_pack.recording(2.0, 48_000))
    flags = ("device-for-media-stream", "ui-for-media-stream")
    words = [f"--use-fake-{flag}" for flag in flags]
    with browser.chromium(
        *words, f"--use-file-for-fake-audio-capture={voice}"
    ) as opened:
        yield opened


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """A packed folder of a small model that speaks, for tests of pack and serve."""
    import tiny_pack  # loads much that most tests do not need

    root = tmp_path_factory.mktemp("a user's model") / "packed"
    tiny_pack.write(root)
    return root


@pytest.fixture(scope="session")
def translator(tiny_model) -> "Translator":
    from s2st_interleave.pack.translator import Translator

    return Translator.from_pretrained(tiny_model, device="cpu")


@pytest.fixture(scope="session")
def text_llm(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("text llm")
    tiny_parts.write_text_llm(folder)
    return folder


@pytest.fixture(scope="session")
def small_dump(tmp_path_factory) -> dump.Dump:
    folder = tmp_path_factory.mktemp("dump")
    tiny_parts.write_dump(folder)
    return dump.Dump(folder)


@pytest.fixture(scope="session")
def count() -> Callable[..., None]:
    """Keeps what a test has counted for docs/reliability.md; see tools/faults.sh."""

    def keep(name: str, **counts: object) -> None:
        if folder := os.environ.get("S2ST_COUNTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            Path(folder, f"{name}.json").write_text(json.dumps(counts))

    return keep
