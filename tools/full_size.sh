#!/usr/bin/env bash
# Rehearses egs/cvss at full size on a CPU: real shapes and tokenizer, random weights, a few
# made utterances, one step or one utterance through stages 1 to 9. Prints seconds and peak
# memory of each stage beside what was planned.
#
#   tools/full_size.sh [--work DIR] [--stage 1] [--stop_stage 9] [--num_layers 2]
#
# DIR (default: build/full_size) takes 30 GB and is kept; what is finished in it is skipped.
# Wants 24 GB of memory for all stages, 12 GB with the default of 2 layers under AdamW, and
# flite.
set -euo pipefail
root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
bash "$root/tools/setup.sh" --flite --quiet >/dev/null
. "$root/tools/activate.sh"
exec python "$root/tools/full_size.py" "$@"
