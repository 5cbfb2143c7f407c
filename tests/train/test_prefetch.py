"""What is made ahead is what would have been made."""

import pytest

from s2st_interleave.train.prefetch import Prefetch


def test_every_step_gets_its_own_wherever_one_begins():
    steps: list[int] = []
    prefetch = Prefetch(lambda step: steps.append(step) or step * step)
    assert [prefetch(step) for step in (5, 6, 7, 3, 4)] == [25, 36, 49, 9, 16]
    prefetch.close()
    assert sorted(steps) == [3, 4, 5, 5, 6, 7, 8]


def test_what_goes_wrong_ahead_is_told_when_it_is_its_turn():
    def fail_at_2(step: int) -> int:
        if step == 2:
            raise ValueError("step 2 is broken")
        return step

    prefetch = Prefetch(fail_at_2)
    assert prefetch(1) == 1
    with pytest.raises(ValueError, match="step 2 is broken"):
        prefetch(2)
