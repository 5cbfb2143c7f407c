#!/usr/bin/env bash
# Stage 1 of the mini recipes, before the corpus is read: makes, in ./downloads, what a
# real recipe downloads. What is there already is kept. MINI_SRC: the source language,
# MINI_CORPUS_DIR: where its corpus goes.
# MINI_PLACE: quick/, or empty: below which downloads lies that is not the recogniser.
# MINI_SPOKEN: where corpora keep the English that they share.
# MINI_SHARED: recogniser and text LLM are ../x_en's. MINI_CORPUS: more options for
# make_corpus.py, MINI_LLM: for train_text_llm.py (the end-to-end test makes less).
set -euo pipefail
: "${MINI_SRC:?is not set: stage 1 of a recipe calls this}" "${MINI_CORPUS_DIR:?is not set}"

local="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
tools="$local/../../../tools"
anew="${S2ST_OVERWRITE:-false}" # make anew what was made with other options
read -ra corpus <<<"${MINI_CORPUS:-}"
read -ra llm <<<"${MINI_LLM:-}"

if [[ "${corpus[*]}" != *piper* ]]; then
  bash "$tools/setup.sh" --flite --quiet >/dev/null
fi
if [[ -z ${MINI_SHARED:-} ]]; then
  corpus=(--num_train 2500 "${corpus[@]}") # alone: what half an hour allows, not sizes.yaml
fi
if [[ -n ${MINI_SPOKEN:-} ]]; then corpus+=(--spoken_dir "$MINI_SPOKEN"); fi
python "$local/make_corpus.py" --src "$MINI_SRC" --out "$MINI_CORPUS_DIR" --nj 2 \
  --overwrite "$anew" "${corpus[@]}"
if [[ -z ${MINI_SHARED:-} ]]; then
  python "$tools/fetch_whisper.py" --out downloads/whisper-tiny.en
  python -m s2st_interleave.train.torchrun --if_unfinished --standalone --nproc_per_node 2 \
    "$local/train_text_llm.py" --num_threads 1 --config "$local/../conf/text_llm.yaml" \
    --text_dirs "$MINI_CORPUS_DIR/text" --languages "$MINI_SRC en" \
    --out_dir "${MINI_PLACE:-}downloads/llm" --overwrite "$anew" "${llm[@]}"
fi
