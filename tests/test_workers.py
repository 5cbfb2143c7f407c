"""Work that is dealt among processes comes back whole and in order."""

import pytest

from s2st_interleave import workers
from s2st_interleave.errors import UserError


def square(number: int) -> int:
    return number * number


def fail(number: int) -> int:
    raise TimeoutError(f"of item {number}")


@pytest.mark.parametrize(("nj", "chunk"), [(1, 1), (2, 3), (3, 100)])
def test_results_come_in_the_order_of_the_items(nj, chunk):
    items = [5, 3, 9, 0, 7, 7, 1]
    assert list(workers.mapped(square, items, nj, chunk=chunk)) == [
        number**2 for number in items
    ]


def test_an_error_of_the_work_is_no_silence():
    with pytest.raises(TimeoutError, match="of item 1"):
        list(workers.mapped(fail, [1, 2], 2, chunk=1))


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan", "inf"])
def test_a_time_out_that_is_no_time_is_told(monkeypatch, text):
    monkeypatch.setenv(workers.TIMEOUT, text)
    with pytest.raises(UserError, match=f"{workers.TIMEOUT} is '{text}', wants sec"):
        list(workers.mapped(square, [1, 2], 2, chunk=1))
