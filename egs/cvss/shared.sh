#!/usr/bin/env bash
# Trains the models that recipes of single pairs share, over the data of all pairs: stage 1
# (data), 2 (encoder), 4 (codebook; words and units of every pair), 8 (vocoder). See
# x_en/run.sh.
set -euo pipefail

stage=1            # 1 data, 2 encoder, 4 codebook and units, 8 vocoder
stop_stage=8
sources=           # source languages; default: SOURCES of ../db.sh
conf=../conf
train_split=standard # as in s2st.sh
nj=2               # jobs and threads of stages on the CPU
gpu_nj=            # jobs of stages that are cut; default: the GPUs here, nj, in a queue 8 or more
num_gpus=          # GPUs of stage 2; default: all of this machine
vocoder_gpus=1     # GPUs of stage 8; more make it no faster
num_threads=0      # CPU threads of a training; 0: all
device=auto
preflight=         # try all that later stages need before stage 2; default: not on a CPU
overwrite=false
data_args=         # more options for the command of a stage, for example
align_args=        # --align_args "--max_drop_rate 0.1"
encoder_args=      # --encoder_args "--max_steps 50 --lr 1e-3"
kmeans_args=
vocoder_args=
help_message="Usage: ./run.sh [--stage 1] [--stop_stage 8] [--name value ...]
  1 data  2 encoder  4 codebook and units  8 vocoder. Options and their defaults are the
  first lines of egs/cvss/shared.sh."
own_stages=(1 2 4 8)
S2ST="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
. "$S2ST/utils/parse_options.sh"
if [[ ! ../db.sh -ef $S2ST/db.sh ]]; then
  echo "$0: start x_en/run.sh, which calls this in its own folder" >&2
  exit 1
fi
. ../utils/environment.sh
. ../utils/training.sh
. ../db.sh

s2st_split source_names "${sources:-$SOURCES}"
sources="${source_names[*]}" # one space between names
s2st_languages "${source_names[@]}"
for name in encoder kmeans vocoder; do
  args="${name}_args"
  s2st_split "${name}_more" "${!args}"
done
system_gpus='' parallel_systems=1 # s2st.sh has systems; here is none
s2st_share_gpus 1
s2st_on "$num_gpus"
# For the trainings of stages 2, 4 and 8: see utils/training.sh.
training_options=(--device "$device" --num_threads "$num_threads" --overwrite "$overwrite")
languages=(--languages "$sources en")
log=exp/log encoder="$ENCODER"
encoder_dir=exp/encoder kmeans_dir=exp/kmeans vocoder_dir=exp/vocoder
train_dirs=() dev_dirs=() train_units=() dev_units=()
for src in "${source_names[@]}"; do
  train_dirs+=("../${src}_en/data/train") dev_dirs+=("../${src}_en/data/dev")
  train_units+=("../${src}_en/dump/units/train") dev_units+=("../${src}_en/dump/units/dev")
done

in_stage() { ((stage <= $1 && $1 <= stop_stage)); }

# each_pair STAGE: runs a stage of every pair's recipe, on its training and dev data.
each_pair() {
  for src in "${source_names[@]}"; do
    . ../local/pair.sh "$src"
    s2st_beside ../s2st.sh "${recipe[@]}" --stage "$1" --stop_stage "$1" --test_sets "" \
      --expdir "exp/${src}_en" --nj "$nj" --gpu_nj "$gpu_nj" --num_gpus "$num_gpus" \
      --device "$device" --overwrite "$overwrite" --train_split "$train_split" \
      --data_args "$data_args" --align_args "$align_args"
  done
  s2st_wait
}

if in_stage 1; then
  each_pair 1
fi
if in_stage 2; then
  if [[ ! -f $encoder_dir/stage.json ]]; then
    s2st_preflight --encoder "$ENCODER" --llm "${LLM:-}" --asr "${ASR:-}" --utmos "${UTMOS:-}" \
      "${languages[@]}"
  fi
  s2st_encoder "${languages[@]}"
fi
if in_stage 4; then
  s2st_kmeans "${languages[@]}"
  each_pair 3 # words and units in one pass of the encoder: see local/pair.sh
  each_pair 4
fi
if in_stage 8; then
  s2st_on "$vocoder_gpus"
  s2st_vocoder
fi
