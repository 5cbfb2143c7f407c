#!/usr/bin/env python3
"""Compare what `plan` predicts for a finished training with what happened.

    python check_plan.py --train_dir exp/scheduled

Tokens, steps and the bytes of the weights must be the same; those of the optimizer's state
may differ by 5 % (torch stores names as well). The exit status is 1 if something differs.
"""

import argparse
import json
import sys
from pathlib import Path

from s2st_interleave import config, yaml_text
from s2st_interleave.errors import script
from s2st_interleave.plan import command, counts, sizes

OPTIMIZER_ERROR = 0.05


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train_dir", type=Path, required=True)
    folder = parser.parse_args().train_dir
    used = folder / "config.yaml"
    dumps = " ".join(yaml_text.read(used)["train_dir"])
    options = config.parse(
        command.Options, ["--config", str(used), "--dump_dir", dumps], prog="check_plan"
    )
    task = command.planned_task(options)
    steps = list(counts.draw_steps(task, options.max_steps))
    llm = sizes.measure(options.llm, task.llm.vocabulary.size)

    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    checkpoint = folder / f"checkpoint-{len(lines)}"
    rows = [
        ("steps", len(steps), len(lines), 0.0),
        (
            "tokens",
            sum(step.tokens for step in steps),
            json.loads(lines[-1])["tokens_seen"],
            0.0,
        ),
        (
            "bytes of weights",
            sizes.weights_bytes(llm),
            (checkpoint / "model.safetensors").stat().st_size,
            0.0,
        ),
        (
            "bytes of optimizer",
            sizes.optimizer_bytes(llm),
            (checkpoint / "optimizer.pt").stat().st_size,
            OPTIMIZER_ERROR,
        ),
    ]
    wrong = 0
    for name, planned, seen, error in rows:
        fits = abs(planned - seen) <= error * seen
        wrong += not fits
        print(f"{name:20} planned {planned:>13,}  happened {seen:>13,}  {fits}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(script("check_plan", main))
