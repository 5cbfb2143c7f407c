"""Fixtures that several tests share, made once a run."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tiny_parts
import warm_python

from s2st_interleave.interleave import dump
from s2st_interleave.progress import name_lines


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes starts first, so that two workers end at about the same time."""
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
