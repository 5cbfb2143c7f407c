"""Marks of tests that run through a real Slurm."""

import os

import pytest

NEEDS_SLURM = [
    pytest.mark.slurm,
    pytest.mark.skipif(
        "S2ST_TEST_SLURM" not in os.environ,
        reason="tools/slurm_test.sh starts a Slurm for it",
    ),
]
