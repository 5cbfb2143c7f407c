#!/usr/bin/env bash
# What recipes of single pairs share, trained once over all of them: stage 1 (data),
# 2 (encoder), 4 (codebook; units of every pair) and 8 (vocoder). Called by x_en/run.sh.
set -euo pipefail

stage=1            # 1 data, 2 encoder, 4 codebook and units, 8 vocoder
stop_stage=8
sources=           # source languages; default: SOURCES of ../db.sh
conf=../conf
train_split=standard # as in s2st.sh
nj=2               # jobs of sharded stages
num_gpus=1         # of a training; more than one: by torchrun
num_threads=0      # CPU threads of a training; 0: all
device=auto
overwrite=false
data_args=         # more options for the command of a stage, for example
encoder_args=      # --encoder_args "--max_steps 50 --lr 1e-3"
kmeans_args=
vocoder_args=
help_message="Usage: ./run.sh [--stage 1] [--stop_stage 8] [--name value ...]
  1 data  2 encoder  4 codebook and units  8 vocoder. Options and their defaults are the
  first lines of egs/cvss/shared.sh."
. ../utils/parse_options.sh
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
s2st_on "$num_gpus"
common=(--device "$device" --num_threads "$num_threads" --overwrite "$overwrite")
train_dirs= dev_dirs= train_units= dev_units=
for src in "${source_names[@]}"; do
  train_dirs+="../${src}_en/data/train " dev_dirs+="../${src}_en/data/dev "
  train_units+="../${src}_en/dump/units/train " dev_units+="../${src}_en/dump/units/dev "
done

in_stage() { ((stage <= $1 && $1 <= stop_stage)); }

# each_pair STAGE: a stage of every pair's own recipe, on what can be learned from.
each_pair() {
  for src in "${source_names[@]}"; do
    . ../local/pair.sh "$src"
    ../s2st.sh "${recipe[@]}" --stage "$1" --stop_stage "$1" --test_sets "" --nj "$nj" \
      --device "$device" --overwrite "$overwrite" --train_split "$train_split" \
      --data_args "$data_args"
  done
}

if in_stage 1; then
  each_pair 1
fi
if in_stage 2; then
  $cuda_cmd "exp/log/encoder.log" "${s2st_train[@]}" encoder --config "$conf/encoder.yaml" \
    --encoder "$ENCODER" --languages "$sources en" --train_dir "$train_dirs" \
    --dev_dir "$dev_dirs" --out_dir "exp/encoder" "${common[@]}" "${encoder_more[@]}"
fi
if in_stage 4; then
  $decode_cmd "exp/log/kmeans.log" "${s2st[@]}" kmeans --config "$conf/kmeans.yaml" \
    --data_dir "$train_dirs" --languages "$sources en" --encoder "exp/encoder" \
    --out_dir "exp/kmeans" "${common[@]}" "${kmeans_more[@]}"
  each_pair 4
fi
if in_stage 8; then
  $cuda_cmd "exp/log/vocoder.log" "${s2st_train[@]}" vocoder \
    --config "$conf/vocoder.yaml" --data_dir "$train_dirs" --dev_data_dir "$dev_dirs" \
    --units_dir "$train_units" --dev_units_dir "$dev_units" --nj "$nj" \
    --out_dir "exp/vocoder" "${common[@]}" "${vocoder_more[@]}"
fi
