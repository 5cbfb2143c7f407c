"""Trainings of 20 steps as they were recorded, to the last bit, before one loop served all.

`trainings.json` was recorded on git 1a7dff5, of trainings in one go. Bits are compared on
a processor of the recorded kind, and the losses to 1e-3 on another, whose products of
matrices round differently.
"""

import hashlib
import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

RECORD = Path(__file__).with_name("trainings.json")
STEPS = {"max_steps": 20, "save_every": 10, "eval_every": 10}
NOT_COMPUTED = ("step", "lr", "sec", "tokens", "tokens_seen", "num_targets")


def observe(out_dir: Path) -> dict:
    """Everything of a finished training that must not change; floats as `float.hex`."""
    texts = (out_dir / "metrics.jsonl").read_text().splitlines()
    lines = [json.loads(text) for text in texts]
    names = [name for name in lines[1] if name not in NOT_COMPUTED]
    weights = {}
    for file in sorted(out_dir.glob("checkpoint-20/model*.safetensors")):
        weights |= load_file(file)
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].contiguous().numpy().tobytes())
    return {
        "metrics": {
            name: [float(line[name]).hex() if name in line else None for line in lines]
            for name in names
        },
        "dev_loss": [line["dev_loss"].hex() for line in lines if "dev_loss" in line],
        "lr": [line["lr"].hex() for line in lines],
        "tokens_seen": lines[-1]["tokens_seen"],
        "weights": digest.hexdigest(),
    }


def assert_same(name: str, out_dir: Path) -> None:
    """The training in `out_dir` computed what the one called `name` did."""
    from test_identity import processor

    record = json.loads(RECORD.read_text(encoding="utf-8"))
    wanted, seen = record["trainings"][name], observe(out_dir)
    if record["processor"] == processor():
        assert seen == wanted
    assert (seen["lr"], seen["tokens_seen"]) == (wanted["lr"], wanted["tokens_seen"])
    for kind in wanted["metrics"]:
        values, expected = (
            [float.fromhex(text) for text in record["metrics"][kind] if text]
            for record in (seen, wanted)
        )
        assert values == pytest.approx(expected, rel=1e-3)
