#!/usr/bin/env bash
# Runs what takes longer than CI allows: the mini recipe in full, from the made corpus
# to RESULTS.md. Arguments go to its run.sh: tools/nightly.sh --stage 6
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../egs/mini_cvss/es_en"
exec ./run.sh "$@"
