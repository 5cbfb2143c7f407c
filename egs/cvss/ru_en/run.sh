#!/usr/bin/env bash
# Russian to English, the paper's system: ./run.sh, once ../db.sh says where the corpora lie.
# Encoder, codebook and vocoder are made by ../x_en, unless they are there.
# Options come last and win: ./run.sh --stage 3 --stop_stage 6
set -euo pipefail
command="egs/cvss/ru_en/run.sh${*:+ ${*@Q}}"
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
. ../local/pair.sh ru Russian

exec ../s2st.sh "${recipe[@]}" --command "$command" "$@"
