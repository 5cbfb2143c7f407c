"""Stage 7 cuts a split over jobs where each has a GPU, and asks test before test1k."""

import subprocess
from pathlib import Path

import pytest

STAGE = Path(__file__).parents[2] / "egs/cvss/stages/07_decode.sh"
# What s2st.sh sets; jobs print their words in brackets.
DRIVER = r"""
set -euo pipefail
s2st=(say) decode_cmd=launch conf=c trained=t dumpdir=d expdir="an exp" log=l device=cpu
test_names=(test1k test) checkpoint_names=(last) system_names=(base sched)
system_jobs=JOB=base,sched parallel_systems=2 system_threads=0 overwrite=false
decode_more=(--task "a b")
say() { printf '[%s]' "$@"; echo; }
launch() { printf 'launch'; say "$@"; }
"""


def lines(settings: str) -> list[str]:
    script = f'{DRIVER}\n{settings}\n. "$1"'
    command = ["bash", "-c", script, "bash", str(STAGE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "settings",
    ["cmd_backend=local gpu_nj=2 one_gpu=()", "cmd_backend=slurm gpu_nj=1 one_gpu=()"],
)
def test_without_gpus_of_their_own_a_job_is_a_system(settings):
    first, second = lines(settings)
    assert first.startswith("launch[--max-jobs-run][2][JOB=base,sched]")
    assert "[--out_dir][an exp/JOB/greedy_last/test][--device]" in first
    assert "--part_of" not in first and "--shard" not in first
    assert "[--out_dir][an exp/JOB/greedy_last/test1k]" in second
    assert "[--part_of][an exp/JOB/greedy_last/test]" in second
    assert all("[--task][a b]" in line for line in (first, second))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("cmd_backend=local gpu_nj=8 one_gpu=(--gpu 1)", "launch[--gpu][1][JOB=1:8]"),
        ("cmd_backend=slurm gpu_nj=8 one_gpu=()", "launch[JOB=1:8]"),
    ],
)
def test_with_gpus_or_a_queue_a_split_is_cut(settings, words):
    opened, jobs, merged = lines(settings)[:3]
    assert opened.endswith("[--shard][0/8][--overwrite][false]")
    assert jobs.startswith(f"{words}[l/decode.base.last.test.JOB.log][say][decode]")
    assert jobs.endswith("[--shard][JOB/8]")
    assert merged.startswith("[decode]") and "--shard" not in merged
    assert len(lines(settings)) == 3 * 4  # of two systems and two splits
