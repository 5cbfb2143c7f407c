# shellcheck shell=bash
# Sourced by ../paper.sh: the corpus of this grid has two clauses a sentence, 13 to 15 words.
export MINI_CORPUS="--clauses 2 --num_text 8000"
