#!/usr/bin/env bash
# An extension, not in the paper: one LLM fine-tuned over all pairs of ../db.sh, scored on
# each, in the schedule of the pairs. After ./run.sh: ./multilingual.sh --sources "pt es"
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

stage=1            # 1 the pairs' data, test sets too; 3-5 dumps, 6 training, 7-10 scores
stop_stage=10
sources=           # source languages; default: SOURCES of ../db.sh
checkpoints="last best"
test_sets="test1k test"
nj=2               # as in s2st.sh, like those that follow
gpu_nj=
device=auto
num_gpus=
num_threads=0
overwrite=false
train_args=
help_message="Usage: ./multilingual.sh [--stage 1] [--stop_stage 10] [--name value ...]"
own_stages=(1 3 4 5 6 7 8 9 10)
. ../utils/parse_options.sh
. ../utils/environment.sh
. ../utils/training.sh
. ../db.sh

s2st_split source_names "${sources:-$SOURCES}"
s2st_languages "${source_names[@]}"
system_gpus='' parallel_systems=1 # there is one system
s2st_share_gpus 1
s2st_split train_more "$train_args"
train_dirs=() dev_dirs=()
for src in "${source_names[@]}"; do
  train_dirs+=("../${src}_en/dump/interleave/train")
  dev_dirs+=("../${src}_en/dump/interleave/dev")
done

# each_pair FIRST LAST: runs these stages of every pair, with the LLM in exp/multilingual.
each_pair() {
  local first=$((stage > $1 ? stage : $1)) last=$((stop_stage < $2 ? stop_stage : $2))
  if ((first > last)); then return; fi
  for src in "${source_names[@]}"; do
    . ../local/pair.sh "$src"
    s2st_beside ../s2st.sh "${recipe[@]}" --stage "$first" --stop_stage "$last" --trained exp \
      --systems multilingual --expdir "exp/${src}_en" \
      --title "CVSS-C, $src to English, one LLM for all pairs (an extension)" \
      --results "exp/RESULTS.$src.md" --command egs/cvss/x_en/multilingual.sh \
      --test_sets "$test_sets" --checkpoints "$checkpoints" --nj "$nj" \
      --gpu_nj "$gpu_nj" --num_gpus "$num_gpus" --device "$device" --overwrite "$overwrite"
  done
  s2st_wait
}

each_pair 1 1 # run.sh made train and dev
each_pair 3 5
if ((stage <= 6 && 6 <= stop_stage)); then
  s2st_on "$num_gpus"
  $(s2st_class llm_cmd) "${s2st_gpus[@]}" exp/log/train.multilingual.log \
    "${s2st_train[@]}" train \
    --config ../conf/train.yaml --config ../conf/systems/multilingual.yaml --llm "$LLM" \
    --train_dir "${train_dirs[*]}" --dev_dir "${dev_dirs[*]}" --out_dir exp/multilingual \
    --device "$device" --num_threads "$num_threads" --overwrite "$overwrite" \
    "${train_more[@]}"
fi
each_pair 7 10
