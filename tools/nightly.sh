#!/usr/bin/env bash
# Runs what takes longer than CI allows: whole recipes through a real Slurm, the mini
# recipe in full, from the made corpus to RESULTS.md, what was planned for it, then the
# cells of the paper's tables that are not there yet.
# Arguments go to paper.sh: tools/nightly.sh --minutes 480
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
tools/slurm_test.sh -m "slurm and slow"
cd egs/mini_cvss
es_en/run.sh
(
  cd es_en
  . ../../path.sh
  python ../local/check_encoder.py
  python ../local/check_align.py --split test
  python ../local/check_plan.py --train_dir exp/scheduled
)
exec ./paper.sh "$@"
