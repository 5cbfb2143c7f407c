#!/usr/bin/env bash
# A corpus of your own, from one TSV of id, src_audio, src_text, tgt_audio, tgt_text and,
# if you like, split (train, dev, test), src_lang and tgt_lang (codes, as a check):
#   ./run.sh --tsv my.tsv --src_lang de --tgt_lang en
# Sides other than a source and its translation are named, with their languages, and have
# columns of their names; a dialogue, from id, user_audio, user_text, agent_audio and
# agent_text, with a task of yours in <conf>/tasks, such as
# `layout: user_speech -> user_text agent_text agent_speech`:
#   ./run.sh --tsv my.tsv --sides "user=en agent=en" --conf my_conf --task dialogue
# Everything after stage 1 is as in egs/cvss, whose ./conf it takes. Options come last and
# win; those of ../cvss/shared.sh are not needed: all parts are trained on the corpus.
set -euo pipefail
command="egs/own/run.sh${*:+ ${*@Q}}"
from="$PWD"
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

given=("$@") # --tsv is relative to where it was typed
for ((i = 0; i + 1 < $#; i++)); do
  if [[ ${given[i]} == --tsv && ${given[i + 1]} != /* ]]; then
    given[i + 1]="$from/${given[i + 1]}"
  fi
done
. ../cvss/db.sh # for the models' names

exec ../cvss/s2st.sh --conf ../cvss/conf --title "A corpus of one's own" \
  --encoder "$ENCODER" --llm "$LLM" --asr "$ASR" --utmos "${UTMOS:-}" \
  --command "$command" "${given[@]}"
