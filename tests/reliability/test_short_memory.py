"""Memory that a machine does not have is told in a line, and a rerun ends in the same bytes."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import replay
from fork_server import Fault
from replay import Replay
from test_machine import STAGES, mended, told_in_one_line

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def tally(count: Callable[..., None]) -> Iterator[Counter]:
    counts: Counter = Counter()
    yield counts
    count("memory", **counts)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Iterator[Replay]:
    with replay.recorded(tmp_path_factory.mktemp("memory")) as tiny:
        yield tiny


@pytest.mark.parametrize("number", STAGES)
def test_memory_that_is_short_is_told_and_mended_by_a_rerun(tiny, tally, number):
    """The limit is so many MB beyond what the process has when its command begins."""
    for most_mb in (16, 64, 200):
        tiny.undo(number)
        fault = Fault(limits={"RLIMIT_AS": most_mb << 20})
        line = told_in_one_line(tiny.run(number, fault)[-1])
        assert not line or "no memory left" in line, f"{most_mb} MB: {line}"
        tally["told"] += bool(line)
        mended(tiny, tally, number, "short_memory")
