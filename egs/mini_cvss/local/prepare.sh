#!/usr/bin/env bash
# Stage 1 of the mini recipes, before the corpus is read: makes what a real recipe
# downloads. Runs in the recipe's directory; what is there already is kept.
set -euo pipefail

local="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
out="${MINI_CORPUS:-downloads}"
python "$local/make_corpus.py" --src "${MINI_SRC:-es}" --out "$out/corpus" \
  --num_train "${MINI_NUM_TRAIN:-1500}" --num_dev "${MINI_NUM_DEV:-100}" \
  --num_test "${MINI_NUM_TEST:-200}" --num_text "${MINI_NUM_TEXT:-20000}" --nj 2
