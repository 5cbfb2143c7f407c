#!/usr/bin/env bash
# Spanish to English in miniature, from nothing, on a laptop: ./run.sh
# A first look in minutes, below ./quick: ./run.sh --quick true
# Options come last and win: ./run.sh --stage 3 --stop_stage 6
exec "$(dirname -- "${BASH_SOURCE[0]}")/../run.sh" --src es "$@"
