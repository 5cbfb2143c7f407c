#!/usr/bin/env bash
# Spanish to English in miniature, from nothing, on a laptop: ./run.sh
# Options come last and win: ./run.sh --stage 3 --stop_stage 6
set -euo pipefail
command="egs/mini_cvss/es_en/run.sh${*:+ ${*@Q}}"
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
. ./db.sh

exec ../../cvss/s2st.sh --title "mini CVSS, es-en: a made corpus on a laptop" \
  --src_lang es --tgt_lang en --conf ../conf --mini true --command "$command" \
  --local_data ../local/prepare.sh --train_split extended \
  --common_voice "$COMMON_VOICE" --covost "$COVOST" --cvss "$CVSS" \
  --encoder ../conf/w2v_bert --llm downloads/llm --asr downloads/whisper-tiny.en \
  --cascade_prompt $'Spanish: {text}\nEnglish:' \
  --parallel_systems 2 --system_threads 1 --device cpu "$@"
