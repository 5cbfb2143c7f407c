"""The rates of the core at hand scale those of the table, each by what it resembles."""

import pytest

from s2st_interleave.plan import here
from s2st_interleave.plan.rates import Rates


@pytest.fixture
def seconds(monkeypatch):
    """Seconds of the products, the elementwise operations and the tiny pass, in turn."""

    def set_to(*each: float) -> None:
        left = list(each)
        monkeypatch.setattr(here, "_seconds", lambda run: left.pop(0))

    return set_to


def test_fast_products_do_not_make_python_fast(seconds):
    """Stages of small steps were planned at half of what they took."""
    kernels = here.count(here._tiny_pass("meta")).launches
    seconds(1e-3, 1e-3, kernels * here.KERNEL_SEC)
    slow = here.measured(Rates())
    seconds(5e-4, 1e-3, kernels * here.KERNEL_SEC)
    fast = here.measured(Rates())
    assert fast.core_products == pytest.approx(2 * slow.core_products)
    assert (
        fast.pair_sec == pytest.approx(slow.pair_sec) == pytest.approx(Rates().pair_sec)
    )
    seconds(5e-4, 1e-3, 2 * kernels * here.KERNEL_SEC)
    busy = here.measured(Rates())
    assert busy.core_launch_sec == pytest.approx(2 * Rates().core_launch_sec)
    assert busy.launch_sec == Rates().launch_sec  # a GPU's is not measured here


def test_a_core_has_rates_of_its_own():
    rates = here.measured(Rates())
    assert rates.core_products > 1e9 and rates.core_memory > 1e8
    assert 1e-6 < rates.core_launch_sec < 1e-2
