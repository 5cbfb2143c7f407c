#!/usr/bin/env bash
# Runs all that tests/reliability tests, hours on two cores, and writes docs/reliability.md.
#
#   tools/faults.sh               everything
#   tools/faults.sh -k kills      other pytest arguments work too
set -euo pipefail
case "${1:-}" in
  -h | --help)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

bash tools/setup.sh --dev --flite --chromium --quiet >/dev/null
. tools/activate.sh
rm -rf build/counts
export S2ST_COUNTS="$PWD/build/counts"
status=0
python -m pytest -q -m "not slurm" --timeout 7200 -n "${S2ST_TEST_WORKERS:-2}" --dist loadfile \
  tests/reliability "$@" || status=$?
python tools/reliability_page.py --counts build/counts
exit "$status"
