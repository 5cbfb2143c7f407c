"""A step's batch is shared out over ranks, and dev over batches."""

import pytest

from s2st_interleave.train.batches import chunks, share


def test_ranks_share_out_a_batch(monkeypatch):
    items = list(range(10))
    for count, parts, pieces in (
        (1, 4, 4),
        (2, 3, 2),
        (3, 1, 1),
        (4, 9, 2),
        (10, 1, 1),
    ):
        monkeypatch.setenv("WORLD_SIZE", str(count))
        shares = []
        for index in range(count):
            monkeypatch.setenv("RANK", str(index))
            shares.append(share(items, parts))
        assert {len(rank_share) for rank_share in shares} == {pieces}
        assert (
            sorted(i for rank_share in shares for piece in rank_share for i in piece)
            == items
        )
    monkeypatch.setenv("WORLD_SIZE", "11")
    with pytest.raises(ValueError, match="11 ranks cannot share 10"):
        share(items, 1)


def test_one_rank_evaluates_in_batches_of_the_size_asked_for():
    assert chunks([0, 1, 2, 3, 4], 2) == [[0, 1], [2, 3], [4]]
