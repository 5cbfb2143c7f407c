#!/usr/bin/env bash
# What the mini recipes of single pairs share: text LLM, encoder, codebook and vocoder over
# all source languages and English. ./run.sh, then ../fr_en/run.sh and so on.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

stage=1            # 1 corpora and text LLM, 2 encoder, 4 codebook, 8 vocoder
stop_stage=8
sources="fr de es ca it ru pt" # any of ../local/lexicon; the vocoder learns from the
                               # first one's English
text_llms="parallel" # what it has seen: parallel, mono (no translations), random (nothing)
units=             # untrained: codebook and vocoder of an encoder that is not fine-tuned
num_gpus=2         # of a training, or processes of it on a CPU
num_threads=1
nj=2
overwrite=false
llm_args=
encoder_args=
kmeans_args=
vocoder_args=
help_message="Usage: ./run.sh [--stage 1] [--stop_stage 8] [--name value ...]"
. ../../cvss/utils/parse_options.sh
. ../../cvss/utils/environment.sh
. ../../cvss/utils/training.sh
s2st_split source_names "$sources"
sources="${source_names[*]}" # one space between names
s2st_languages "${source_names[@]}"
s2st_split text_llm_names "$text_llms"
for name in llm encoder kmeans vocoder; do
  args="${name}_args"
  s2st_split "${name}_more" "${!args}"
done

export MINI_SHARED="${MINI_SHARED:-shared/paper}" # of the grid that asks for them
first="${sources%% *}"
exp="$MINI_SHARED/exp${units:+/$units}"
downloads="$MINI_SHARED/downloads"
of="../${first}_en/$MINI_SHARED" # data and units that the vocoder learns from
dump="$of/dump${units:+_$units}"
common=(--num_threads "$num_threads" --overwrite "$overwrite")
train_dirs= dev_dirs= text_dirs=
for src in "${source_names[@]}"; do
  train_dirs+="../${src}_en/$MINI_SHARED/data/train " dev_dirs+="../${src}_en/$MINI_SHARED/data/dev "
  text_dirs+="$downloads/corpus/$src/text "
done
torchrun=(python -m s2st_interleave.train.torchrun --standalone --nproc_per_node "$num_gpus")

in_stage() { ((stage <= $1 && $1 <= stop_stage)); }

pair() { # pair SRC OPTIONS: that pair's recipe
  ../run.sh --src "$1" --overwrite "$overwrite" --nj "$nj" "${@:2}"
}

if in_stage 1; then
  python ../local/check_lexicon.py "${source_names[@]}" >/dev/null # all of them, before the first
  python ../../../tools/fetch_whisper.py --out "$downloads/whisper-tiny.en"
  spoken="$PWD/$downloads/spoken" # the same English in all corpora: said once
  for src in "${source_names[@]}"; do
    MINI_SPOKEN="$spoken" pair "$src" --stage 1 --stop_stage 1
  done
  rm -rf "$spoken"
  for seen in "${text_llm_names[@]}"; do
    name=llm more=()
    case $seen in
      mono) name=llm_mono more=(--parallel false --batch_size 128) ;;
      random) name=llm_random more=(--max_steps 0) ;;
    esac
    $decode_cmd "$exp/log/$name.log" "${torchrun[@]}" ../local/train_text_llm.py \
      --config ../conf/x_en/text_llm.yaml --text_dirs "$text_dirs" \
      --languages "$sources en" --out_dir "$downloads/$name" "${common[@]}" \
      "${llm_more[@]}" "${more[@]}"
  done
fi
if in_stage 2; then
  steps=()
  if [[ $units == untrained ]]; then steps=(--max_steps 0); fi
  $cuda_cmd "$exp/log/encoder.log" "${torchrun[@]}" -m s2st_interleave encoder --config ../conf/x_en/encoder.yaml \
    --encoder ../conf/w2v_bert --languages "$sources en" --train_dir "$train_dirs" \
    --dev_dir "$dev_dirs" --out_dir "$exp/encoder" "${common[@]}" "${encoder_more[@]}" "${steps[@]}"
fi
if in_stage 4; then
  $decode_cmd "$exp/log/kmeans.log" "${s2st[@]}" kmeans --config ../conf/x_en/kmeans.yaml \
    --data_dir "$train_dirs" --languages "$sources en" --encoder "$exp/encoder" \
    --out_dir "$exp/kmeans" "${common[@]}" "${kmeans_more[@]}"
fi
if in_stage 8; then
  pair "$first" --stage 4 --stop_stage 4 --dumpdir "$dump" \
    --encoder_dir "../x_en/$exp/encoder" --kmeans_dir "../x_en/$exp/kmeans"
  $cuda_cmd "$exp/log/vocoder.log" "${torchrun[@]}" -m s2st_interleave vocoder --config ../conf/vocoder.yaml \
    --data_dir "$of/data/train" --dev_data_dir "$of/data/dev" \
    --units_dir "$dump/units/train" --dev_units_dir "$dump/units/dev" \
    --out_dir "$exp/vocoder" --nj "$nj" "${common[@]}" "${vocoder_more[@]}"
fi
