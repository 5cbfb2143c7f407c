#!/usr/bin/env bash
# The paper's tables in miniature, cell by cell, and the page that judges its claims.
#
#   ./paper.sh                19 hours: all cells of paper/grid.yaml that are not there yet
#   ./paper.sh --grid schedules   schedules/grid.yaml: schedules beyond the paper's
#   ./paper.sh --grid confirm     confirm/grid.yaml: its leads on two other pairs, each with
#                                 models of its own; --pair it_en: one of them
#   ./paper.sh --grid gate    gate/grid.yaml: what was chosen there, on three pairs more
#   ./paper.sh --grid again   again/grid.yaml: Catalan with shared models that are made once more
#   ./paper.sh --grid long    long/grid.yaml: sentences of twice the length, for claim 6
#   ./paper.sh --quick true   quick/grid.yaml: two pairs, one seed, an encoder of their own
#   ./paper.sh --page true    only the page, from the stored scores
#
# The page lies in x_en/shared/<grid>/exp/results; --publish true writes the one that is committed.
# Stopped at any point it goes on from the cells in paper/cells.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

quick=false        # the grid quick: two pairs, one seed
grid=paper         # folder of another grid.yaml: schedules, confirm, gate, again or long
pair=              # only cells of this one, say it_en
page=false
publish=false      # write the page that is committed, and its figures
minutes=0          # start no cell later than this; 0: no limit
max_jobs_run=2     # cells at once
nj=2
overwrite=false    # make anew what cells share where its options have changed
help_message="Usage: ./paper.sh [--quick false] [--grid paper] [--pair it_en] [--page false] [--publish false] [--minutes 0] [--max_jobs_run 2]"
. ../cvss/utils/parse_options.sh
cd x_en
. ../../cvss/utils/environment.sh
. ../../cvss/utils/training.sh
cd ..
s2st_count nj

until=0
if [[ $minutes != 0 ]]; then until=$(($(date +%s) + minutes * 60)); fi
if [[ $quick == true ]]; then
  if [[ $grid != paper ]]; then
    echo "paper.sh: --quick true is --grid quick, and --grid $grid was asked for" >&2
    exit 1
  fi
  grid=quick
fi
s2st_grid grid
steps=() # of what cells share: the paper grid's are for eight languages
if [[ $grid != paper ]]; then steps=(--encoder_args "--max_steps 3200" --llm_args "--max_steps 400"); fi
if [[ -f $grid/settings.sh ]]; then . "$grid/settings.sh"; fi
replicate=(python -m s2st_interleave.replicate --grid "$grid/grid.yaml")
own= status=0

# todo WHAT: names of what is still to do, of one pair where --pair says so.
todo() { "${replicate[@]}" pending --pair "$pair" --what "$1"; }

# share: makes the models and toplines that the cells in $pending share.
share() {
  local pairs sources toplines untrained seen name llms=(parallel) shared recipe
  local pair_names topline_pairs untrained_pairs
  pairs="$(todo pairs)"
  if [[ -z $pairs ]]; then return; fi
  s2st_split pair_names "$pairs"
  sources="$(todo sources)"
  needs() { [[ " $pending" == *".$1."* ]]; } # a stand-in that some cell asks for
  for seen in mono random; do if needs "$seen"; then llms+=("$seen"); fi; done
  shared=(x_en/run.sh --nj "$nj" --sources "$sources" --overwrite "$overwrite" "${steps[@]}")
  "${shared[@]}" --text_llms "${llms[*]}"
  for name in "${pair_names[@]}"; do
    "$name/run.sh" --nj "$nj" --overwrite "$overwrite" --stage 3 --stop_stage 5
  done
  # Once a pair: another machine that goes on keeps them, as it keeps the cells.
  toplines="$(todo toplines)"
  s2st_split topline_pairs "$toplines"
  for name in "${topline_pairs[@]}"; do
    "$name/run.sh" --nj "$nj" --overwrite "$overwrite" --stage 8 --stop_stage 9 --systems ""
    (cd "$name" && python ../local/speak_cascade.py --config ../conf/score.yaml \
      --topline "$MINI_SHARED/exp/topline/test" --data_dir "../$name/$MINI_SHARED/data/test" \
      --asr "../x_en/$MINI_SHARED/downloads/whisper-tiny.en" --nj "$nj" \
      --asr_cache "$MINI_SHARED/exp/asr_cache" --out_dir "$MINI_SHARED/exp/cascade/test" \
      --overwrite "$overwrite")
    "${replicate[@]}" topline --name "$name"
  done
  untrained="$(todo untrained)"
  s2st_split untrained_pairs "$untrained"
  for name in "${untrained_pairs[@]}"; do
    "${shared[@]}" --stage 2 --units untrained
    # Words are aligned by the encoder that was trained, units are the other one's.
    recipe=("$name/run.sh" --nj "$nj" --overwrite "$overwrite"
      --dumpdir "../$name/$MINI_SHARED/dump_untrained")
    "${recipe[@]}" --stage 3 --stop_stage 3
    "${recipe[@]}" --stage 4 --stop_stage 5 \
      --encoder_dir "../x_en/$MINI_SHARED/exp/untrained/encoder" \
      --kmeans_dir "../x_en/$MINI_SHARED/exp/untrained/kmeans"
  done
}

# run_cells: runs the pending cells on what they share, through the launcher of cmd.sh.
run_cells() {
  local pending cells log
  # A folder in each pair's and in x_en, of what cells share.
  export MINI_SHARED="shared/$grid${own:+/$pair}"
  pending="$(todo cells)"
  s2st_split cells "$pending"
  echo "cells to run${pair:+ of $pair}: ${#cells[@]}"
  share
  if [[ -z $pending ]]; then return; fi
  "${replicate[@]}" builds --pair "$pair"
  log="x_en/$MINI_SHARED/exp/log/cell.JOB.log"
  $decode_cmd --max-jobs-run "$max_jobs_run" "JOB=${pending// /,}" "$log" \
    "${replicate[@]}" cell --name JOB --until "$until" || status=$?
  if ((status > 128)); then exit "$status"; fi # interrupted
}

# each_pair: a run for each pair, as they have models of their own; one that fails stops none.
each_pair() {
  local name left=0 pair_names
  s2st_split pair_names "$own"
  for name in "${pair_names[@]}"; do
    if ((until)); then left=$(((until - $(date +%s) + 59) / 60)); fi
    if ((until && left <= 0)); then break; fi
    ./paper.sh --grid "$grid" --pair "$name" --minutes "$left" \
      --max_jobs_run "$max_jobs_run" --nj "$nj" --overwrite "$overwrite" || status=$?
    if ((status > 128)); then exit "$status"; fi # interrupted
  done
}

own="$(todo own_models)" # also refuses a pair that the grid lacks
if [[ $page == false ]]; then
  if [[ -n $own && -z $pair ]]; then each_pair; else run_cells; fi
fi

# The page, from what is stored; what failed is in the exit status.
page_of=(page)
if [[ $publish == false ]]; then page_of+=(--out "x_en/shared/$grid/exp/results"); fi
"${replicate[@]}" "${page_of[@]}"
exit "$status"
