"""Stage 6: fine-tune the LLM on scheduled interleaved sequences (paper Sec. 3.2).

The baseline is --text_ratio 0; "without scheduling" is --schedule constant --text_ratio
0.3. Metrics of every step go to metrics.jsonl.
"""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from s2st_interleave.artifact import Input, atomic_write, open_stage
from s2st_interleave.config import REQUIRED, option, to_dict
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.interleave.schedule import Schedule, Shape
from s2st_interleave.stages.encoder import model_input
from s2st_interleave.train import parallel
from s2st_interleave.train.interleaved import InterleavedTask, Interleaving
from s2st_interleave.train.loop import LoopOptions, fit, resolve_device, set_threads


@dataclass(frozen=True, kw_only=True)
class Options(LoopOptions):
    llm: Path = option(REQUIRED, "Hugging Face directory or name to start from")
    train_dir: Path = option(REQUIRED, "dump/interleave/train")
    dev_dir: Path = option(REQUIRED, "dump/interleave/dev")
    out_dir: Path = option(REQUIRED, "exp/<tag> to write")
    schedule: Shape = option("step", "shape of the text ratio; the paper's is step")
    text_ratio: float = option(0.9, "share of words as text at the start; 0: baseline")
    text_ratio_drop: float = option(0.1, "by which it falls")
    text_ratio_every: int = option(300, "optimizer steps between two falls")
    span_lambda: float = option(1.0, "Poisson mean of a span's length in words")
    stop: Literal["literal", "exact"] = option("literal", "Algorithm 1, or tracking p")
    sides: Literal["both", "src", "tgt", "none"] = option("both", "sides interleaved")
    fill: Literal["text", "mask"] = option("text", "what stands in for units")
    alignment: Literal["words", "uniform"] = option("words", "or equal intervals")
    cot: bool = option(True, "transcript and translation between the speech blocks")
    attention_dropout: float = option(0.2, "the paper's dropout is 0.2")
    residual_dropout: float = option(0.0, "behind each attention and MLP block")
    new_rows: Literal["mean", "normal", "zero"] = option("mean", "embedding of units")
    probe_every: int = option(
        0, "steps between two probes of hidden states, as in Fig. 3", runtime=True
    )

    def interleaving(self) -> Interleaving:
        # Ratio 0 is the baseline under either shape.
        shape = self.schedule if self.text_ratio else "constant"
        return Interleaving(
            schedule=Schedule(
                shape, self.text_ratio, self.text_ratio_drop, self.text_ratio_every
            ),
            span_lambda=self.span_lambda,
            stop=self.stop,
            sides=self.sides,
            fill=self.fill,
            alignment=self.alignment,
            cot=self.cot,
            seed=self.seed,
        )


def run(options: Options) -> None:
    # 1. Check options before anything is loaded; is there anything to do?
    how = options.interleaving()
    stage = parallel.on_first(
        lambda: open_stage(
            options.out_dir,
            stage="train",
            options=options,
            inputs={
                "llm": model_input(options.llm),
                "train": Input(options.train_dir, "dump"),
                "dev": Input(options.dev_dir, "dump"),
            },
            overwrite=options.overwrite,
        )
    )
    if stage is None:
        return
    parallel.on_first(lambda: _write_command(options))

    # 2. The data, and the LLM with rows for the units.
    from s2st_interleave.train import llm

    set_threads(options.num_threads)
    train, dev = Dump(options.train_dir), Dump(options.dev_dir)
    speech_llm = llm.extend(
        options.llm,
        train.vocabulary.num_units,
        new_rows=options.new_rows,
        attention_dropout=options.attention_dropout,
        residual_dropout=options.residual_dropout,
        seed=options.seed,
    )
    device = resolve_device(options.device)
    speech_llm.model.to(device)

    # 3. Train.
    task = InterleavedTask(
        llm=speech_llm,
        train=train,
        dev=dev,
        how=how,
        batch_size=options.batch_size,
        accum_grad=options.accum_grad,
        device=device,
        probe_every=options.probe_every,
    )
    outcome = fit(task, options, options.out_dir)
    num = len(train)
    parallel.on_first(lambda: stage.finish(num_in=num, num_out=num, **to_dict(outcome)))


def _write_command(options: Options) -> None:
    """exp/<tag>/config.yaml and run.sh: what this is, and how to go on with it."""
    with atomic_write(options.out_dir / "config.yaml") as stream:
        yaml.safe_dump(to_dict(options), stream, sort_keys=False)
    words = ["python", "-m", "s2st_interleave", "train", *sys.argv[2:]]
    with atomic_write(options.out_dir / "run.sh") as stream:
        stream.write(
            "#!/usr/bin/env bash\n# From the recipe's directory, after path.sh.\n"
        )
        stream.write(f"exec {shlex.join(words)}\n")
