#!/usr/bin/env bash
# The models of --preset laptop that stage 1 makes, as an option of ../../cvss/s2st.sh:
# models.sh data/train data/dev downloads/llm downloads/whisper-tiny.en
# MINI_LLM: as in ../../mini_cvss/local/prepare.sh.
set -euo pipefail
read -ra more <<<"${MINI_LLM:-}" # more options for train_text_llm.py
train="$1" dev="$2" llm="$3" asr="$4"

if [[ $llm == downloads/llm ]]; then # one of your own by --llm is taken as it is
  PYTHONPATH="../mini_cvss/local${PYTHONPATH:+:$PYTHONPATH}" \
    python -m s2st_interleave.train.torchrun --if_unfinished --standalone --nproc_per_node 2 \
    local/train_text_llm.py --num_threads 1 --config ../mini_cvss/conf/text_llm.yaml \
    --train_dir "$train" --dev_dir "$dev" --out_dir "$llm" --overwrite "${S2ST_OVERWRITE:-false}" \
    "${more[@]}"
fi
if [[ $asr == downloads/whisper-tiny.en ]]; then
  python ../../tools/fetch_whisper.py --out "$asr"
fi
