#!/usr/bin/env bash
# Runs what takes longer than CI allows: all promises of docs/reliability.md, the fuzzing of
# the parsers, the other tests marked `nightly`, whole recipes through a real Slurm,
# rehearsals of the benchmarks for GPUs and of egs/cvss at full size (12 GB of memory, 30 GB
# of disk), the wheel in an environment of its own, the mini recipe, quick and in full, the
# pictures of the docs, then the cells of the paper's tables that are not there yet.
#
#   tools/nightly.sh [--fuzz_minutes 60] [options of egs/mini_cvss/paper.sh]
#   tools/nightly.sh --fuzz_minutes 10 --minutes 480
#
# A part that fails is named at the end, with status 1; the others are run all the same.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

fuzz_minutes=60
case "${1:-}" in
  -h | --help)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  --fuzz_minutes)
    fuzz_minutes="${2:?--fuzz_minutes needs a number}"
    shift 2
    ;;
esac

failed=()
part() {
  echo "== nightly: $* ($(date +%T))"
  "$@" || failed+=("$*")
}
in_environment() (
  . tools/activate.sh && "$@"
)
check() ( # check SCRIPT [OPTIONS]: of the finished recipe es_en
  cd egs/mini_cvss/es_en && . ../../path.sh && python "../local/$1" "${@:2}"
)

part tools/faults.sh
part tools/fuzz.sh --minutes "$fuzz_minutes"
part tools/test.sh -m "nightly and not slurm" --ignore tests/reliability --timeout 7200
part tools/slurm_test.sh -m "slurm and (slow or nightly)" --timeout 7200
part in_environment benchmarks/gpu.sh --size tiny --out build/gpu_tiny
part tools/full_size.sh --work build/full_size
part tools/wheel_test.sh
part egs/mini_cvss/es_en/run.sh --quick true --stop_stage 11 # 6 minutes on 2 cores
part tools/docs_pictures.sh egs/mini_cvss/es_en/quick/exp build/nightly_pictures
part egs/mini_cvss/es_en/run.sh
part check check_encoder.py
part check check_align.py --split test
part check check_plan.py --train_dir exp/scheduled
part egs/mini_cvss/paper.sh "$@"

if ((${#failed[@]})); then
  printf 'nightly: failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
