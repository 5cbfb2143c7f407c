"""Randomness depends on its key alone."""

import subprocess
import sys

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
