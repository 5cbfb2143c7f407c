#!/usr/bin/env bash
# German to English in miniature, on what ../x_en/run.sh has trained: ./run.sh
# Options come last and win: ./run.sh --stage 3 --stop_stage 6
set -euo pipefail
command="egs/mini_cvss/de_en/run.sh${*:+ ${*@Q}}"
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
export MINI_SHARED="${MINI_SHARED:-shared/paper}"
. ../local/pair.sh de German

exec ../../cvss/s2st.sh "${recipe[@]}" --command "$command" "$@"
