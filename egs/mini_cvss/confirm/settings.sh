# shellcheck shell=bash
# Sourced by ../paper.sh: six languages take more steps than the three of schedules/grid.yaml.
steps=(--encoder_args "--max_steps 6400" --llm_args "--max_steps 800")
