#!/usr/bin/env bash
# Runs all checks: ruff, then pytest, the slow end-to-end tests included.
#
#   tools/test.sh                  everything, as CI does
#   tools/test.sh -m "not slow"    the quick suite; other pytest arguments work too
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

bash tools/setup.sh --dev --flite --quiet >/dev/null
. tools/activate.sh

python -m ruff check .
python -m ruff format --check .
exec python -m pytest -q "$@"
