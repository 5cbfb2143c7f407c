#!/usr/bin/env python3
"""Compare what `plan` predicts for a finished recipe with what happened.

    python check_plan.py --train_dir exp/scheduled

Tokens, steps and the bytes of the weights must be the same; those of the optimizer's state
may differ by 5 % (torch stores names as well). The seconds of each stage must be within
30 % of those in its `stage.json`, on an idle machine, with rates that are measured here;
--hours false leaves them out. The exit status is 1 if something differs.
"""

import argparse
import json
import sys
from pathlib import Path

from s2st_interleave import config, yaml_text
from s2st_interleave.errors import script
from s2st_interleave.plan import command, counts, finished, here, sizes
from s2st_interleave.plan.rates import Rates

OPTIMIZER_ERROR = 0.05
SECONDS_ERROR = 0.3
LEAST_SEC = 5.0  # what takes less is told, not judged: seconds are rounded, starts vary


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train_dir", type=Path, required=True)
    parser.add_argument("--ranks", type=int, default=2, help="of stages 2, 8 and 9")
    parser.add_argument("--hours", choices=("true", "false"), default="true")
    given = parser.parse_args()
    wrong = _check_counts(given.train_dir)
    if given.hours == "true":
        wrong += _check_seconds(given.train_dir.parent.parent, given.ranks)
    return 1 if wrong else 0


def _check_counts(folder: Path) -> int:
    """Print what is exact; return how much of it is wrong."""
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
    return wrong


def _check_seconds(recipe: Path, ranks: int) -> int:
    """Print planned and real seconds of each stage; return how many are too far apart."""
    rates = here.measured(Rates())
    print(
        f"\na core here: {rates.core_products / 1e9:.0f} GFLOP/s, "
        f"{rates.core_memory / 1e9:.1f} GB/s, {1e6 * rates.core_launch_sec:.1f} us a kernel"
    )
    wrong = 0
    for row in finished.compared(recipe, rates, ranks):
        ratio = row.planned / max(0.1, row.happened)
        is_judged = row.happened >= LEAST_SEC
        fits = not is_judged or abs(ratio - 1) <= SECONDS_ERROR
        wrong += not fits
        print(
            f"{row.stage:20} planned {row.planned:>9.1f} s  happened "
            f"{row.happened:>9.1f} s  {ratio:.2f}  "
            f"{fits if is_judged else 'too short to judge'}  {row.longest}"
        )
    return wrong


if __name__ == "__main__":
    sys.exit(script("check_plan", main))
