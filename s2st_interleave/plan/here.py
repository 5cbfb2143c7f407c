"""How fast a core of this machine is, in a second or two: it scales the table's rates."""

import time
from collections.abc import Callable
from dataclasses import fields, replace

from s2st_interleave.plan.rates import Rates

ROWS, WIDTH, REPEATS = 1000, 300, 30


def measured(rates: Rates) -> Rates:
    """The rates with this core's products and memory.

    All other work of a core (filter banks, WORLD, starting kernels ...) is taken to be
    slower or faster as the products are. CPU seconds are measured, so that other programs
    do not count.
    """
    import torch

    torch.set_num_threads(1)
    a, b = torch.randn(600, 600), torch.randn(600, 600)
    wide = torch.randn(ROWS, WIDTH)
    silu, norm = torch.nn.functional.silu, torch.nn.functional.layer_norm
    products = 2 * 600**3 / _seconds(lambda: a @ b)
    size = 2 * 4 * ROWS * WIDTH
    memory = 2 * size / _seconds(lambda: (silu(wide), norm(wide, (WIDTH,))))
    factor = rates.core_products / products
    scaled = {
        each.name: getattr(rates, each.name) * factor
        for each in fields(Rates)
        if each.metadata["unit"].startswith("s ") and each.name != "launch_sec"
    }
    return replace(rates, core_products=products, core_memory=memory, **scaled)


def _seconds(run: Callable[[], object]) -> float:
    """CPU seconds of a call, the least of three times REPEATS calls."""
    run()
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        for _ in range(REPEATS):
            run()
        best = min(best, (time.process_time() - started) / REPEATS)
    return best
