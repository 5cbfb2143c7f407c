"""A signal that recordings are made of."""

import numpy as np
import pytest

RATE, SECONDS = 16_000, 4.0


@pytest.fixture(scope="session")
def signal() -> np.ndarray:
    """A tone that glides, with noise: no part of it is like another."""
    t = np.arange(round(RATE * SECONDS)) / RATE
    noise = np.random.default_rng(0).standard_normal(len(t))
    return (0.3 * np.sin(2 * np.pi * (200 + 100 * t) * t) + 0.01 * noise).astype("f4")
