#!/usr/bin/env bash
# The paper's tables in miniature, cell by cell, and the page that judges its claims.
#
#   ./paper.sh            a night: all cells of paper/grid.yaml that are not there yet
#   ./paper.sh --quick true   two pairs, one seed; within the hour
#   ./paper.sh --page true    only the page, from the stored scores
#
# Stopped at any point it goes on from the cells in paper/cells.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

quick=false
page=false
minutes=0          # start no cell later than this; 0: no limit
max_jobs_run=2     # cells at once
nj=2
sources="fr de es ca it ru pt"
help_message="Usage: ./paper.sh [--quick false] [--page false] [--minutes 0] [--max_jobs_run 2]"
. ../cvss/utils/parse_options.sh
cd x_en
. ./path.sh
. ./cmd.sh
cd ..

until=0
if [[ $minutes != 0 ]]; then until=$(($(date +%s) + minutes * 60)); fi
paper=(python -m s2st_interleave.paper --grid paper/grid.yaml --quick "$quick")
export MINI_SHARED=true

if [[ $page == false ]]; then
  # 1. What is still to do, and the shared parts that it needs.
  pending="$("${paper[@]}" pending)"
  echo "cells to run: $(wc -w <<<"$pending")"
fi
if [[ $page == false && -n $pending ]]; then
  needs() { [[ " $pending" == *".$1."* ]]; } # a stand-in that some cell asks for
  llms=parallel
  for seen in mono random; do if needs "$seen"; then llms+=" $seen"; fi; done
  x_en/run.sh --nj "$nj" --sources "$sources" --text_llms "$llms"
  for pair in $("${paper[@]}" pending --what pairs); do
    "$pair/run.sh" --stage 3 --stop_stage 5 --nj "$nj"
    "$pair/run.sh" --stage 8 --stop_stage 9 --systems "" --nj "$nj"
    "${paper[@]}" topline --name "$pair"
  done
  for pair in $("${paper[@]}" pending --what untrained); do
    x_en/run.sh --stage 2 --sources "$sources" --nj "$nj" --units untrained
    # Words are aligned by the encoder that was trained, units are the other one's.
    dump=(--nj "$nj" --dumpdir "../$pair/shared/dump_untrained")
    "$pair/run.sh" --stage 3 --stop_stage 3 "${dump[@]}"
    "$pair/run.sh" --stage 4 --stop_stage 5 "${dump[@]}" \
      --encoder_dir ../x_en/exp/untrained/encoder --kmeans_dir ../x_en/exp/untrained/kmeans
  done

  # 2. The cells, through the launcher of cmd.sh.
  $decode_cmd --max-jobs-run "$max_jobs_run" "JOB=${pending// /,}" x_en/exp/log/cell.JOB.log \
    "${paper[@]}" cell --name JOB --until "$until"
fi

# 3. The page, from what is stored.
"${paper[@]}" page
