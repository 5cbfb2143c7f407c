#!/usr/bin/env bash
# Encoder, codebook and vocoder over all languages, which the pairs share: ./run.sh
# They are trained once; the languages are those of ../db.sh.
# Options come last and win: ./run.sh --sources "pt es" --stop_stage 2
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

exec ../shared.sh --conf ../conf "$@"
