"""Randomness depends on its key alone."""

import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from s2st_interleave import keyed


def test_the_same_in_every_process_whatever_the_hash_seed():
    code = (
        "from s2st_interleave import keyed; print(keyed.generator(1, 'a', 2).random())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "012"
    }
    assert outputs == {f"{keyed.generator(1, 'a', 2).random()}\n"}


def test_parts_of_a_key_do_not_run_together():
    assert keyed.stable_hash("ab", "c") != keyed.stable_hash("a", "bc")
    assert keyed.stable_hash(1, "src") != keyed.stable_hash(1, "tgt")


@pytest.mark.parametrize("mean", [0.0, 0.5, 1.0, 3.0, 9.99])
def test_a_stream_draws_what_the_generator_of_its_key_draws(mean):
    choices = np.random.default_rng(1)
    for seed in range(300):
        stream, generator = keyed.Stream(seed, "a"), keyed.generator(seed, "a")
        for _ in range(60):  # past the numbers that it makes at once
            kind = choices.integers(3)
            high = int(choices.integers(1, 50)) + (3 * 2**30 if seed % 3 == 0 else 0)
            drawn = [
                rng.random()
                if kind == 0
                else int(rng.integers(high) if kind == 1 else rng.poisson(mean))
                for rng in (stream, generator)
            ]
            assert drawn[0] == drawn[1]


def test_a_stream_draws_as_generator_choice_does():
    for seed in range(200):
        stream, generator = keyed.Stream(seed), keyed.generator(seed)
        for left in (7, 5, 4, 1, 1):
            values = np.arange(left) * 3
            assert values[stream.integers(left)] == generator.choice(values)
            assert stream.poisson(1.0) == generator.poisson(1.0)


def test_threads_do_not_disturb_each_other():
    wanted = [keyed.generator(seed).random(50).tolist() for seed in range(20)]

    def draw(seed: int) -> list[float]:
        stream = keyed.Stream(seed)
        return [stream.random() for _ in range(50)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(draw, range(20))) == wanted


def test_larger_poisson_means_are_left_to_numpy():
    assert isinstance(keyed.stream(1, mean=10.0), np.random.Generator)
    assert isinstance(keyed.stream(1, mean=9.0), keyed.Stream)
    with pytest.raises(ValueError, match="mean is 10"):
        keyed.Stream(1).poisson(10)


def test_a_hash_is_that_of_its_json():
    key = (1, 'a "quoted" wörd\\', 2.5, None, Path("x"))
    text = json.dumps([str(part) for part in key]).encode()
    digest = hashlib.blake2b(text, digest_size=16).digest()
    assert keyed.stable_hash(*key) == int.from_bytes(digest, "little")
