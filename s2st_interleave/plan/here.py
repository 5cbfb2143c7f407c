"""How fast a core of this machine is, in a second or two: it scales the table's rates."""

import time
from collections.abc import Callable
from dataclasses import fields, replace

from s2st_interleave.plan.passes import count
from s2st_interleave.plan.rates import Rates

ROWS, WIDTH, REPEATS = 1000, 300, 30
SHAPES = 0.9  # of a core's products, which the shapes of trainings reach
KERNEL_SEC = (
    9.2e-6  # of a kernel of `_tiny_pass`, on a core that has the table's other rates
)


def measured(rates: Rates) -> Rates:
    """The rates with this core's products, memory and small steps.

    All other work of a core (filter banks, WORLD, starting kernels ...) is taken to be
    slower or faster as kernels on next to no numbers are: products may be several times
    as fast on a core that is not. CPU seconds are measured, so that other programs do not
    count.
    """
    import torch

    torch.set_num_threads(1)
    a, b = torch.randn(600, 600), torch.randn(600, 600)
    wide = torch.randn(ROWS, WIDTH)
    silu, norm = torch.nn.functional.silu, torch.nn.functional.layer_norm
    products = SHAPES * 2 * 600**3 / _seconds(lambda: a @ b)
    size = 2 * 4 * ROWS * WIDTH
    memory = 2 * size / _seconds(lambda: (silu(wide), norm(wide, (WIDTH,))))
    kernel = _seconds(_tiny_pass("cpu")) / count(_tiny_pass("meta")).launches
    scaled = {
        each.name: getattr(rates, each.name) * kernel / KERNEL_SEC
        for each in fields(Rates)
        if each.metadata["unit"].startswith("s ") and each.name != "launch_sec"
    }
    return replace(rates, core_products=products, core_memory=memory, **scaled)


def _tiny_pass(device: str) -> Callable[[], object]:
    """A forward and backward pass whose time is that of starting its kernels."""
    import torch

    with torch.random.fork_rng(devices=[]), torch.device(device):
        layers = [
            torch.nn.TransformerEncoderLayer(32, 2, 64, batch_first=True)
            for _ in range(4)
        ]
        model, given = torch.nn.Sequential(*layers), torch.zeros(2, 8, 32)
    return lambda: model(given).sum().backward()


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
