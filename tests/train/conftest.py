"""The corpus of the small trainings, and their commands."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import small_runs

from s2st_interleave.interleave import dump


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, text_llm: Path, small_dump: dump.Dump) -> Path:
    return small_runs.make_corpus(
        tmp_path_factory.mktemp("ranks"), text_llm, small_dump
    )


@pytest.fixture(scope="module")
def command(corpus: Path) -> Callable[..., list[str]]:
    """Words of the command of one run."""
    return partial(small_runs.command, corpus)
