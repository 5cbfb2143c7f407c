#!/usr/bin/env bash
# Runs what takes longer than CI allows: the mini recipe in full, from the made corpus
# to RESULTS.md, then the cells of the paper's tables that are not there yet.
# Arguments go to paper.sh: tools/nightly.sh --minutes 480
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../egs/mini_cvss"
es_en/run.sh
exec ./paper.sh "$@"
