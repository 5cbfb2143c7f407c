#!/usr/bin/env bash
# French to English in miniature, on what ../x_en/run.sh has trained: ./run.sh
# Options come last and win: ./run.sh --stage 3 --stop_stage 6
set -euo pipefail
command="egs/mini_cvss/fr_en/run.sh${*:+ ${*@Q}}"
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
export MINI_SHARED="${MINI_SHARED:-shared/paper}"
. ../local/pair.sh fr French

exec ../../cvss/s2st.sh "${recipe[@]}" --command "$command" "$@"
