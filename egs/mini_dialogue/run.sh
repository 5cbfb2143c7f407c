#!/usr/bin/env bash
# A spoken dialogue in miniature, from nothing, on a laptop: ./run.sh
# A customer asks at a market stall and the agent answers, both in English (the paper's
# future work; an extension): the same stages, and the same schedule beside its baseline.
# Options come last and win: ./run.sh --stage 3 --stop_stage 6
set -euo pipefail
command="egs/mini_dialogue/run.sh${*:+ ${*@Q}}"
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

exec ../cvss/s2st.sh --sides "user=en agent=en" --task dialogue \
  --title "mini dialogue: a made conversation on a laptop" \
  --corpus_name "mini dialogue" --corpus_note conf/corpus_note.txt --command "$command" \
  --local_data local/prepare.sh --tsv downloads/corpus/turns.tsv \
  --encoder ../mini_cvss/conf/w2v_bert --llm downloads/llm --asr downloads/whisper-tiny.en \
  --cascade_prompt $'User: {text}\nAgent:' --checkpoints last --device cpu \
  --num_threads 1 --system_threads 1 --num_gpus 2 --vocoder_gpus 2 --system_gpus 1 \
  --parallel_systems 2 "$@"
