# shellcheck shell=bash
# Sourced by ../paper.sh: models of one language and English take about as
# many steps as es_en's.
steps=(--encoder_args "--max_steps 2400" --llm_args "--max_steps 300")
