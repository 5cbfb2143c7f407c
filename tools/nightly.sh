#!/usr/bin/env bash
# Runs what takes longer than CI allows: tests marked `nightly`, whole recipes through a real
# Slurm, rehearsals of the benchmarks for GPUs and of egs/cvss at full size (12 GB of memory,
# 30 GB of disk), the wheel in an environment of its own, the mini recipe, quick and in full,
# from the made corpus to RESULTS.md, what was planned for it, then the cells of the paper's tables
# that are not there yet.
# Arguments go to paper.sh: tools/nightly.sh --minutes 480
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
tools/test.sh -m "nightly and not slurm"
tools/slurm_test.sh -m "slurm and slow"
(
  . tools/activate.sh
  benchmarks/gpu.sh --size tiny --out build/gpu_tiny
)
tools/full_size.sh --work build/full_size
tools/wheel_test.sh
cd egs/mini_cvss
time es_en/run.sh --quick true # 6 minutes on 2 cores
es_en/run.sh
status=0 # of checks that fail; the cells of the night are run all the same
for check in check_encoder.py "check_align.py --split test" \
  "check_plan.py --train_dir exp/scheduled"; do
  read -ra words <<<"$check"
  (cd es_en && . ../../path.sh && python "../local/${words[0]}" "${words[@]:1}") || status=1
done
./paper.sh "$@"
exit "$status"
