#!/usr/bin/env bash
# Runs all checks: ruff, pyrefly, then pytest, the slow end-to-end tests included but for
# those marked `nightly`.
#
#   tools/test.sh                  everything, as CI does
#   tools/test.sh -m "not slow"    the quick suite; other pytest arguments work too
#   tools/test.sh -m nightly       what only tools/nightly.sh runs
#   S2ST_TEST_WORKERS=0            one after another, in one process
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

python -m ruff check .
python -m ruff format --check .
python -m pyrefly check --output-format min-text
# Two files at once; a file's own tests stay together, for they share what is slow to make.
# Not the files of few tests last: these are whole recipes, and a worker would wait for one.
exec python -m pytest -q -n "${S2ST_TEST_WORKERS:-2}" --dist loadfile \
  --no-loadscope-reorder "$@"
