"""Progress never changes what a loop sees, and writes whole lines only."""

import pytest

from s2st_interleave import progress as module
from s2st_interleave.progress import PROGRESS, progress


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
    assert lines[0].startswith("count 1/2, ") and lines[0].endswith(" left")
    assert lines[-1].startswith("count 2/2 in ")
    assert PROGRESS.search(lines[0])["total"] == "2"
    assert all("\r" not in line for line in lines)
