#!/usr/bin/env bash
# Russian to English in miniature, on what ../x_en/run.sh has trained: ./run.sh
# Options come last and win: ./run.sh --stage 3 --stop_stage 6
set -euo pipefail
command="egs/mini_cvss/ru_en/run.sh${*:+ ${*@Q}}"
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
export MINI_SHARED="${MINI_SHARED:-shared/paper}"
. ../local/pair.sh ru Russian

exec ../../cvss/s2st.sh "${recipe[@]}" --command "$command" "$@"
