#!/usr/bin/env bash
# A corpus of your own, from one TSV of id, src_audio, src_text, tgt_audio, tgt_text and,
# if you like, split (train, dev, test), src_lang and tgt_lang (codes, as a check):
#   ./run.sh --tsv my.tsv --src_lang de --tgt_lang en
# On a CPU, without any large model (see local/laptop.sh; to try the chain on a small corpus):
#   ./run.sh --preset laptop --tsv my.tsv --src_lang de --tgt_lang en
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

preset= target=en given=()
while (($# > 0)); do
  case "$1:${2:-}" in
    --preset:laptop) preset="$2" && shift ;;
    --preset:*)
      echo "run.sh: --preset is laptop, not '${2:-}'; without it the models are those of ../cvss" >&2
      exit 1
      ;;
    --help:* | -h:*)
      echo "Of egs/own: --tsv my.tsv --src_lang de --tgt_lang en (docs/own_corpus.md has the columns)," \
        "and --preset laptop (small models that learn from the corpus, on a CPU)."
      given+=("$1")
      ;;
    --tsv:[!/]*) given+=("$1" "$from/$2") && shift ;; # relative to where it was typed
    --config:[!/]*) # so is this file, or else to this folder
      given+=("$1")
      if [[ -f $from/$2 ]]; then given+=("$from/$2"); else given+=("$2"); fi
      shift
      ;;
    --conf:[!/]*) # so is this one, or else to this folder
      given+=("$1")
      if [[ -d $from/$2 ]]; then given+=("$from/$2"); else given+=("$2"); fi
      shift
      ;;
    --tgt[_-]lang:?*) target="$2" && given+=("$1" "$2") && shift ;;
    --sides:?*=?*) target="${2##*=}" && given+=("$1" "$2") && shift ;;
    *) given+=("$1") ;;
  esac
  shift
done
. ../cvss/db.sh # for the models' names

recipe=(--conf ../cvss/conf --title "A corpus of one's own" --one_pass true
  --encoder "$ENCODER" --llm "$LLM" --asr "$ASR" --utmos "${UTMOS:-}")
if [[ -n $preset ]]; then . "local/$preset.sh"; fi
exec ../cvss/s2st.sh "${recipe[@]}" --command "$command" "${given[@]}"
