#!/usr/bin/env bash
# Tables 1 to 3 and Figure 3 of the paper at full size, cell by cell, and the page that sets
# them beside the paper's own figures. Needs what db.sh names.
#
#   ./paper.sh               all cells of paper/grid.yaml that are not there yet
#   ./paper.sh --plan true   only how many cells are left, and their GPU hours
#   ./paper.sh --grid schedules   schedules/grid.yaml: schedules beyond the paper's
#   ./paper.sh --page true   only the page, from the stored scores
#
# The page lies in x_en/exp/results/<grid>; --publish true writes the one that is committed.
# Every stage is a job of cmd.sh: S2ST_BACKEND=slurm ./paper.sh sends them to Slurm, as
# conf/slurm.yaml says. Stopped at any point it goes on from the cells in <grid>/cells.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

plan=false
grid=paper         # folder of another grid.yaml: schedules
page=false
publish=false      # write the page that is committed, and its figures
minutes=0          # start no cell later than this; 0: no limit
max_jobs_run=      # cells at once; default: as many as have GPUs, or 4 in Slurm
nj=8               # jobs and threads of stages on the CPU
num_gpus=1         # GPUs of a cell on this machine; in Slurm: conf/slurm.yaml
num_threads=0      # CPU threads of a training; 0: all
device=auto
overwrite=false    # make anew what cells share where its options have changed
help_message="Usage: ./paper.sh [--grid paper] [--plan false] [--page false] [--publish false] [--minutes 0] [--max_jobs_run N]
  [--nj 8] [--num_gpus 1] [--num_threads 0] [--device auto] [--overwrite false]"
. utils/parse_options.sh
cd x_en
. ../utils/environment.sh
. ../utils/training.sh
. ../db.sh
cd ..

s2st_grid grid
export ENCODER LLM ASR SOURCES UTMOS="${UTMOS:-}" # scores follow from them
replicate=(python -m s2st_interleave.replicate --grid "$grid/grid.yaml")
common=(--nj "$nj" --num_threads "$num_threads" --device "$device" --overwrite "$overwrite")
# What cells share takes all GPUs that are there; cells run side by side.
gpu_nj='' system_gpus="$num_gpus" parallel_systems=1
s2st_share_gpus 1
cell_gpus=() at_once=4
if ((gpus_here)); then
  cell_gpus=(--gpu "$num_gpus") at_once=$((gpus_here / num_gpus))
fi
until=0
if [[ $minutes != 0 ]]; then until=$(($(date +%s) + minutes * 60)); fi
pending='' pairs='' status=0

if [[ $page == false && $plan == false ]]; then
  # 1. What is still to do, and the shared parts that it needs.
  pending="$("${replicate[@]}" pending)"
  pairs="$("${replicate[@]}" pending --what pairs)"
  s2st_split cells "$pending"
  s2st_split pair_names "$pairs"
  echo "cells to run: ${#cells[@]}"
fi
if [[ -n $pairs ]]; then
  x_en/run.sh "${common[@]}"
  for pair in "${pair_names[@]}"; do
    s2st_beside "$pair/run.sh" "${common[@]}" --test_sets test1k --stage 1 --stop_stage 5
  done
  s2st_wait
  # Once a pair: another machine that goes on keeps them, as it keeps the cells.
  toplines="$("${replicate[@]}" pending --what toplines)"
  s2st_split topline_pairs "$toplines"
  for pair in "${topline_pairs[@]}"; do
    s2st_beside "$pair/run.sh" "${common[@]}" --test_sets test1k --stage 8 --stop_stage 9 --systems ""
  done
  s2st_wait
  for pair in "${topline_pairs[@]}"; do "${replicate[@]}" topline --name "$pair"; done
  untrained="$("${replicate[@]}" pending --what untrained)"
  s2st_split untrained_pairs "$untrained"
  for pair in "${untrained_pairs[@]}"; do
    own="../$pair/exp/untrained"
    recipe=("$pair/run.sh" "${common[@]}" --test_sets test1k --expdir "$own"
      --dumpdir "../$pair/dump_untrained" --toplines false --systems "" --one_pass false)
    # Words are aligned by the encoder that was fine-tuned, units are the other one's.
    "${recipe[@]}" --stage 3 --stop_stage 3
    recipe+=(--encoder_dir "$own/encoder" --kmeans_dir "$own/kmeans" --vocoder_dir "$own/vocoder")
    "${recipe[@]}" --stage 2 --stop_stage 2 --encoder_args "--max_steps 0"
    "${recipe[@]}" --stage 4 --stop_stage 5
    "${recipe[@]}" --stage 8 --stop_stage 8
  done
fi
if [[ $page == false ]]; then
  "${replicate[@]}" plan -- --llm "$LLM"
fi
if [[ $plan == true ]]; then exit; fi

# 2. The cells. Each waits on this machine for its stages, which are jobs themselves.
if [[ -n $pending ]]; then
  "${replicate[@]}" builds
  python -m s2st_interleave launch --backend local "${cell_gpus[@]}" \
    --max-jobs-run "${max_jobs_run:-$at_once}" "JOB=${pending// /,}" "x_en/exp/log/cell.JOB.log" \
    "${replicate[@]}" cell --name JOB --until "$until" -- "${common[@]}" \
    --num_gpus "$num_gpus" || status=$?
fi

# 3. The page, from what is stored; what failed is in the exit status.
page_of=(page)
if [[ $publish == false ]]; then page_of+=(--out "x_en/exp/results/$grid"); fi
"${replicate[@]}" "${page_of[@]}"
exit "$status"
