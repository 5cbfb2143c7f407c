"""A step's batch is shared out over ranks, and dev over batches."""

from itertools import pairwise

import numpy as np
import pytest

from s2st_interleave.errors import UserError
from s2st_interleave.train.batches import chunks, deal, share


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


def drawn_lengths(size: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.round(rng.lognormal(6.0, 0.4, size)).astype(int)


@pytest.mark.parametrize("num_ranks", [1, 2, 8])
@pytest.mark.parametrize("size", [8, 10, 64, 301])
def test_a_batch_is_dealt_whole_and_within_the_budget(size, num_ranks):
    lengths = drawn_lengths(size, seed=num_ranks)
    lengths[3] = 20_000  # longer than the budget: alone
    shares = deal(lengths, 4000, num_ranks)
    assert sorted(i for mine in shares for piece in mine for i in piece) == [
        *range(size)
    ]
    assert all(shares) and len(shares) == num_ranks
    if size > 10:
        assert len({len(mine) for mine in shares}) == 1
    for piece in (piece for mine in shares for piece in mine):
        assert len(piece) == 1 or len(piece) * max(lengths[piece]) <= 4000
        assert piece == [3] or 3 not in piece


def test_no_cut_into_as_many_pieces_has_a_cheaper_dearest_one():
    """Compared with every way to cut a small sorted batch in three."""
    for seed in range(20):
        lengths = drawn_lengths(9, seed)
        ordered = np.sort(lengths)[::-1]
        best = min(
            max((end - start) * ordered[start] for start, end in pairwise((0, a, b, 9)))
            for a in range(1, 8)
            for b in range(a + 1, 9)
        )
        (pieces,) = deal(lengths, 10**9, 1, least=3)
        assert len(pieces) == 3
        assert max(len(piece) * max(lengths[piece]) for piece in pieces) == best


def test_a_budget_that_all_fit_in_makes_one_micro_batch():
    assert deal([3, 5, 4], 15, 1) == [[[1, 2, 0]]]
    assert len(deal([3, 5, 4], 14, 1)[0]) == 2
    assert deal([3, 5, 4], 1, 1) == [[[1], [2], [0]]]
    assert len(deal([5, 5], 100, 1, least=4)[0]) == 2


def test_ranks_get_about_as_much_to_compute():
    worst = []
    for seed in range(20):
        lengths = drawn_lengths(256, seed)
        shares = deal(lengths, 12_000, 8)
        costs = [
            sum(len(piece) * max(lengths[piece]) for piece in mine) for mine in shares
        ]
        worst.append(max(costs) / np.mean(costs))
    assert np.mean(worst) < 1.03


def test_too_few_utterances_for_the_ranks_are_refused():
    with pytest.raises(UserError, match="3 ranks cannot share 2"):
        deal([1, 2], 10, 3)
