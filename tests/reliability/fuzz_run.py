"""Runs the targets of targets.py under atheris, which mutates files towards new branches.

    tools/fuzz.sh --minutes 60            all targets, each its share of the time
    tools/fuzz.sh --minutes 1 --only CTM  one of them

Inputs that reached something new stay in build/fuzz/<target>/corpus and are where the next
run starts. An input that a reader answers by any exception but a UserError, or with more
memory than a small file may take, is kept in build/fuzz/<target>/findings, one for each
place in the code.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(HERE)]
WATCHED = ["s2st_interleave", "praatio", "kaldiio", "yaml"]
HANGS_SEC, MOST_MB = 25, 3000

import counts  # noqa: E402

with atheris.instrument_imports(include=WATCHED, enable_loader_override=False):
    import fences
    import targets


def fuzz(target: "targets.Target", out: Path, seconds: int) -> None:
    """Fuzz a target for so many seconds, in a process of its own, which libFuzzer ends."""
    corpus, findings = out / "corpus", out / "findings"
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed{number}").write_bytes(seed)
    place = Path(tempfile.mkdtemp(prefix="fuzz", dir=_memory()))

    def run(content: bytes) -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        try:
            fences.outcome(lambda: target.run(content, place), seconds=0)
        except AssertionError as error:
            _keep(error.__cause__ or error, content, findings)

    words = [f"-max_total_time={seconds}", f"-timeout={HANGS_SEC}", "-seed=1"]
    words += [f"-rss_limit_mb={MOST_MB}", "-print_final_stats=1", "-max_len=20000"]
    atheris.Setup(["fuzz", *words, f"-artifact_prefix={findings}/", str(corpus)], run)
    atheris.Fuzz()


def _keep(error: BaseException, content: bytes, findings: Path) -> None:
    where = traceback.extract_tb(error.__traceback__)[-1]
    kept = (
        findings / f"{type(error).__name__}.{Path(where.filename).stem}.{where.lineno}"
    )
    if not kept.exists():
        kept.write_bytes(content)
        told = "".join(traceback.format_exception(error))
        kept.with_name(f"{kept.name}.txt").write_text(told)


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def fork(name: str, out: Path, seconds: int) -> int:
    """The number of a process that fuzzes a target, and writes what libFuzzer says."""
    sys.stdout.flush()
    if number := os.fork():
        return number
    shutil.rmtree(out / "findings", ignore_errors=True)
    for folder in ("corpus", "findings"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    log = os.open(out / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)
    fuzz(targets.TARGETS[name], out, seconds)
    os._exit(1)


def numbers(out: Path) -> dict[str, int]:
    """What a run of a target has come to, by the log and the folder of its findings."""
    text = (out / "log").read_text(errors="replace")
    runs = re.findall(
        r"stat::number_of_executed_units:\s*(\d+)|^#(\d+)", text, re.MULTILINE
    )
    covered = re.findall(r"cov: (\d+) ft: (\d+)", text)
    findings = [p for p in (out / "findings").glob("*") if p.suffix != ".txt"]
    return {
        "executions": max((int(a or b) for a, b in runs), default=0),
        "edges": int(covered[-1][0]) if covered else 0,
        "features": int(covered[-1][1]) if covered else 0,
        "findings": len(findings),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "fuzz")
    options = parser.parse_args()
    names = options.only or list(targets.TARGETS)
    seconds = max(5, round(60 * options.minutes * options.jobs / len(names)))
    started = time.monotonic()
    folders = {name: options.out / re.sub(r"\W+", "_", name) for name in names}
    running: set[int] = set()
    for name in names:
        if len(running) >= options.jobs:
            running.discard(os.wait()[0])
        running.add(fork(name, folders[name], seconds))
    for number in running:
        os.waitpid(number, 0)
    results = {name: numbers(folder) for name, folder in folders.items()}
    for name, each in results.items():
        print(f"{name:18}", *(f"{v:>9} {k}" for k, v in each.items()))
    total = {k: sum(each[k] for each in results.values()) for k in results[names[0]]}
    minutes = round((time.monotonic() - started) / 60)
    print(f"{'all':18}", *(f"{v:>9} {k}" for k, v in total.items()), f"{minutes} min")
    counts.write("coverage", targets=len(names), minutes=minutes, **total)
    return 1 if total["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
