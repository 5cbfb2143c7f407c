"""The device that a command runs on, and what is said where it cannot be had."""

import pytest

from s2st_interleave.device import resolve_device
from s2st_interleave.errors import UserError
from s2st_interleave.launch import gpus


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """An nvidia-smi that tells of two GPUs, which PyTorch here cannot use."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv(gpus.VISIBLE, raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)


def test_gpus_that_torch_cannot_use_do_not_become_a_cpu(driver, monkeypatch):
    """With an old driver eight GPUs trained on the CPU, and nothing said so."""
    with pytest.raises(
        UserError, match=r"2 GPUs that PyTorch cannot use.*--device cpu"
    ):
        resolve_device("auto")
    assert resolve_device("cpu").type == "cpu"
    monkeypatch.setenv(gpus.VISIBLE, "")  # a job that is to have none
    assert resolve_device("auto").type == "cpu"


def test_gpus_that_only_the_environment_names_are_none(monkeypatch):
    monkeypatch.setattr(gpus, "_known_to_driver", lambda: ())
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setenv(gpus.VISIBLE, "0,1")
    assert resolve_device("auto").type == "cpu"
