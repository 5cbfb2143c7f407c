"""Progress never changes what a loop sees, and writes whole lines only."""

from types import SimpleNamespace

import pytest

from s2st_interleave import progress as module
from s2st_interleave.progress import NOT_YET, PROGRESS, progress


def test_items_pass_unchanged_and_a_short_loop_is_silent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert list(progress([3, 1, 2], "count")) == [3, 1, 2]
    assert list(progress(iter("ab"), "count")) == ["a", "b"]
    assert capsys.readouterr().err == ""


def test_log_gets_lines_with_the_total(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOG_INTERVAL_SEC", 0.0)
    list(progress(range(2), "count"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("count 1/2, ") and lines[0].endswith(NOT_YET)
    assert lines[-1].startswith("count 2/2 in ")
    assert PROGRESS.search(lines[0])["total"] == "2"
    assert all("\r" not in line for line in lines)


@pytest.mark.parametrize("first_sec", [1.0, 10.5])
def test_a_first_item_that_loads_a_model_alarms_nobody(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, first_sec
) -> None:
    """`features 1/200, 35 min left` was said of what took 16 s: the first item loads."""
    clock = [0.0]
    # The module's own clock: with that of the whole process a server of other tests sleeps on.
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    for number, _ in enumerate(progress(range(200), "features")):
        clock[0] += first_sec if number == 0 else 0.15
    lines = capsys.readouterr().err.splitlines()
    counts = [PROGRESS.search(line) for line in lines[:-1]]
    assert all(counts) and lines[-1].startswith("features 200/200 in ")
    times = [count["left"] for count in counts if count]
    assert (times[0] is None) == (first_sec > 10)
    assert {int(text.removesuffix(" s")) for text in times if text} <= set(range(22))
