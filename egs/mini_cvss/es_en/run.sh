#!/usr/bin/env bash
# Spanish to English in miniature, from nothing, on a laptop: ./run.sh
# Options come last and win: ./run.sh --stage 3 --stop_stage 6
set -euo pipefail
command="egs/mini_cvss/es_en/run.sh${*:+ ${*@Q}}"
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
. ../local/pair.sh es Spanish

exec ../../cvss/s2st.sh "${recipe[@]}" --command "$command" "$@"
