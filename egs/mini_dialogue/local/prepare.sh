#!/usr/bin/env bash
# Stage 1, before the corpus is read: makes, in ./downloads, corpus, text LLM and recogniser.
# What is there already is kept. MINI_CORPUS: more options for make_corpus.py, MINI_LLM: for
# train_text_llm.py (the end-to-end test makes less).
set -euo pipefail

local="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
tools="$local/../../../tools"
anew="${S2ST_OVERWRITE:-false}" # what was made with other options, as in the stages
read -ra corpus <<<"${MINI_CORPUS:-}"
read -ra llm <<<"${MINI_LLM:-}"
export PYTHONPATH="$local/../../mini_cvss/local${PYTHONPATH:+:$PYTHONPATH}"

bash "$tools/setup.sh" --flite --quiet >/dev/null
python "$tools/fetch_whisper.py" --out downloads/whisper-tiny.en
python "$local/make_corpus.py" --out_dir downloads/corpus --nj 2 --overwrite "$anew" \
  "${corpus[@]}"
python -m s2st_interleave.train.torchrun --if_unfinished --standalone --nproc_per_node 2 \
  "$local/train_text_llm.py" --num_threads 1 --config "$local/../conf/text_llm.yaml" \
  --text_dir downloads/corpus/text --out_dir downloads/llm --overwrite "$anew" "${llm[@]}"
