# shellcheck shell=bash
# Sourced by ../paper.sh: models of one language and English take the steps of es_en's.
steps=(--encoder_args "--max_steps 2400" --llm_args "--max_steps 300")
