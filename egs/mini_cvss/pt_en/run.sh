#!/usr/bin/env bash
# Portuguese to English in miniature, on what ../x_en/run.sh has trained: ./run.sh
# A first look in minutes, below ./quick: ./run.sh --quick true
# Options come last and win: ./run.sh --stage 3 --stop_stage 6
export MINI_SHARED="${MINI_SHARED:-shared/paper}"
exec "$(dirname -- "${BASH_SOURCE[0]}")/../run.sh" --src pt "$@"
