"""A compiled LLM trains as the plain one does, and resumes to the same bits."""

import shutil

import pytest
import torch
from safetensors.torch import load_file
from small_runs import HALF, STEPS, lines

from s2st_interleave.__main__ import main
from s2st_interleave.train import checkpoint

# Compiling takes half a minute, three times.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.nightly,
    pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed"),
]


def test_a_compiled_llm_trains_alike_and_resumes_to_the_same_bits(corpus, command):
    assert main(command("llm", "plain")) == 0
    assert main(command("llm", "compiled", compile="true")) == 0
    for a, b in zip(lines(corpus / "plain"), lines(corpus / "compiled"), strict=True):
        assert b == pytest.approx(a, rel=1e-4)

    assert main(command("llm", "resumed", compile="true", max_steps=HALF)) == 0
    torch._dynamo.reset()  # as a process of its own would
    assert main(command("llm", "resumed", compile="true")) == 0
    whole, resumed = (
        load_file(checkpoint.path(corpus / name, STEPS) / "model.safetensors")
        for name in ("compiled", "resumed")
    )
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
