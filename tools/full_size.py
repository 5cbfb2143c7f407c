"""One step or one utterance through the stages of egs/cvss at full size, on a CPU.

    python tools/full_size.py --work build/full_size

The commands are the recipe's, with egs/cvss/conf and the smallest overrides. AdamW on all 16
layers of the LLM wants 21 GB, so that stage 6 takes one step with --num_layers of them, and
none with all; stage 7 answers with all.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import full_size_parts as parts

ROOT = Path(__file__).resolve().parents[1]
EMPTY_GB = 0.6  # a process that has imported torch and transformers


@dataclass(frozen=True)
class Step:
    """A stage of the recipe with its overrides; `planned` gives GB from the folder."""

    stage: int
    what: str
    options: Sequence[str]
    planned: Callable[[Path], float]
    basis: str


def steps(work: Path, num_layers: int) -> Iterator[Step]:
    """The steps in order; GB are of weights and AdamW, and beside that of the process."""
    whisper = "--asr_backend transformers --compute_type float32 --num_resamples 10"
    cut = ["--expdir", "exp_step", "--llm", str(work / f"llm_{num_layers}")]
    yield Step(1, "data", [], lambda _: 0.0, "")
    yield Step(
        2,
        "encoder, one step",
        ["--encoder_args", "--max_steps 1 --batch_size 2 --num_workers 0 --num_dev 1"],
        lambda _: 16 * parts.ENCODER_WEIGHTS / 1e9,
        "weights, gradients, moments",
    )
    encoder_gb = 4 * parts.ENCODER_WEIGHTS / 1e9
    yield Step(3, "words", [], lambda _: encoder_gb, "weights")
    yield Step(4, "codebook and units", [], lambda _: encoder_gb, "weights")
    yield Step(5, "dump", [], lambda _: 0.0, "")
    yield Step(
        6,
        f"LLM of {num_layers} layers, one step",
        [*cut, "--train_args", "--max_steps 1 --batch_size 4 --num_workers 0"],
        lambda _: parts.planned_step_gb(work, num_layers),
        "plan/memory.py",
    )
    yield Step(
        6,
        "LLM of 16 layers, extended, saved and read back",
        ["--train_args", "--max_steps 0 --num_workers 0"],
        lambda _: 2 * 4 * parts.LLM_WEIGHTS / 1e9,
        "weights twice",
    )
    yield Step(
        7,
        "LLM of 16 layers, an answer",
        ["--decode_args", "--max_text_tokens 8 --max_unit_ratio 0.2"],
        lambda _: 4 * parts.LLM_WEIGHTS / 1e9,
        "weights",
    )
    yield Step(
        8,
        "HiFi-GAN, one step; an answer's speech",
        ["--vocoder_args", "--max_steps 1 --batch_size 2 --num_dev 1"],
        lambda _: 16 * parts.GAN_WEIGHTS / 1e9,
        "weights, gradients, moments",
    )
    yield Step(
        9,
        "Whisper large-v3, an answer's text",
        ["--score_args", whisper],
        lambda _: 4 * parts.WHISPER_WEIGHTS / 1e9,
        "weights",
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "full_size")
    parser.add_argument("--stage", type=int, default=1)
    parser.add_argument("--stop_stage", type=int, default=9)
    parser.add_argument("--num_layers", type=int, default=2, help="under AdamW")
    parser.add_argument("--wheel", type=Path, help="of llama-models, if already here")
    options = parser.parse_args(argv)
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    # In a process of its own: children begin with the peak of the process that forks them.
    maker = [
        sys.executable,
        str(Path(parts.__file__)),
        str(work),
        str(options.num_layers),
    ]
    maker += [str(options.wheel)] if options.wheel else []
    subprocess.run(maker, check=True)
    print("stage | what | seconds | peak GB | planned GB | of", flush=True)
    for step in steps(work, options.num_layers):
        if not options.stage <= step.stage <= options.stop_stage:
            continue
        status, seconds, peak_gb = run(step, work)
        planned = step.planned(work) + EMPTY_GB
        figures = (f"{seconds:.0f}", f"{peak_gb:.1f}", f"{planned:.1f}")
        print(
            " | ".join((str(step.stage), step.what, *figures, step.basis)), flush=True
        )
        if status:
            print(f"stage {step.stage}: exit status {status}; see {log_of(step, work)}")
            return 1
    return 0


def run(step: Step, work: Path) -> tuple[int, float, float]:
    """Exit status, seconds, and the peak GB of the largest process of a step."""
    conf = str(work / "conf")
    words = [str(ROOT / "egs/cvss/s2st.sh"), "--conf", conf]
    words += ["--tsv", str(work / "corpus.tsv"), "--src_lang", "es", "--tgt_lang", "en"]
    words += ["--encoder", str(work / "w2v_bert"), "--llm", str(work / "llm_16")]
    words += ["--asr", str(work / "whisper"), "--systems", "scheduled"]
    words += ["--baseline", "scheduled", "--checkpoints", "last", "--toplines", "false"]
    words += ["--device", "cpu", "--nj", "1", *step.options]
    words += ["--stage", str(step.stage), "--stop_stage", str(step.stage)]
    started = time.monotonic()
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    with log_of(step, work).open("w") as log:
        process = subprocess.Popen(
            words, cwd=work, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)  # its children are in `usage`
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    return process.returncode, seconds, usage.ru_maxrss * 1024 / 1e9


def log_of(step: Step, work: Path) -> Path:
    return work / f"{step.stage}.{step.what.split(',')[0].replace(' ', '_')}.log"


if __name__ == "__main__":
    sys.exit(main())
