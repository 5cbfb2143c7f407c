#!/usr/bin/env bash
# Trains the models that the mini recipes of single pairs share: text LLM, encoder, codebook
# and vocoder over all source languages and English. ./run.sh, then ../fr_en/run.sh and so on.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

stage=1            # 1 corpora and text LLM, 2 encoder, 4 codebook, 8 vocoder
stop_stage=8
sources="fr de es ca it ru pt" # any of ../local/lexicon; the vocoder learns from the
                               # first one's English
text_llms="parallel" # a text LLM for each kind of text that it learns from: parallel, mono
                     # (no translations), random (no text: the weights stay random)
units=             # "untrained": the encoder is not fine-tuned before the codebook
num_gpus=2         # GPUs of a training, or its processes on a CPU
num_threads=1
nj=2
overwrite=false
llm_args=
encoder_args=
kmeans_args=
vocoder_args=
help_message="Usage: ./run.sh [--stage 1] [--stop_stage 8] [--sources \"fr de\"] [--name value ...]
Options and their defaults are the first lines of egs/mini_cvss/x_en/run.sh. The stages:
1 corpora and text LLM, 2 encoder, 4 codebook, 8 vocoder"
own_stages=(1 2 4 8)
. ../../cvss/utils/parse_options.sh
. ../../cvss/utils/environment.sh
. ../../cvss/utils/training.sh
s2st_split source_names "$sources"
sources="${source_names[*]}" # one space between names
s2st_languages "${source_names[@]}"
s2st_split text_llm_names "$text_llms"
for name in "${text_llm_names[@]}"; do s2st_one_of text_llms "$name" parallel mono random; done
if [[ -n $units ]]; then s2st_one_of units "$units" untrained; fi
s2st_count nj
s2st_count num_gpus
for name in llm encoder kmeans vocoder; do
  args="${name}_args"
  s2st_split "${name}_more" "${!args}"
done

export MINI_SHARED="${MINI_SHARED:-shared/paper}" # the folder of a grid of ../paper.sh
first="${source_names[0]}"
exp="$MINI_SHARED/exp${units:+/$units}"
downloads="$MINI_SHARED/downloads"
of="../${first}_en/$MINI_SHARED" # data and units that the vocoder learns from
dump="$of/dump${units:+_$units}"
# For the trainings of stages 2, 4 and 8: see ../../cvss/utils/training.sh.
training_options=(--num_threads "$num_threads" --overwrite "$overwrite")
languages=(--languages "$sources en")
log="$exp/log" conf=../conf/x_en encoder=../conf/w2v_bert
encoder_dir="$exp/encoder" kmeans_dir="$exp/kmeans" vocoder_dir="$exp/vocoder"
train_dirs=() dev_dirs=() text_dirs=()
for src in "${source_names[@]}"; do
  train_dirs+=("../${src}_en/$MINI_SHARED/data/train")
  dev_dirs+=("../${src}_en/$MINI_SHARED/data/dev")
  text_dirs+=("$downloads/corpus/$src/text")
done
torchrun=(python -m s2st_interleave.train.torchrun --if_unfinished --standalone --nproc_per_node "$num_gpus")
s2st_train=("${torchrun[@]}" -m s2st_interleave)

in_stage() { ((stage <= $1 && $1 <= stop_stage)); }

# pair SRC OPTIONS: runs that pair's recipe.
pair() {
  ../run.sh --src "$1" --overwrite "$overwrite" --nj "$nj" "${@:2}"
}

if in_stage 1; then
  python ../local/check_lexicon.py "${source_names[@]}" >/dev/null # before any corpus is made
  python ../../../tools/fetch_whisper.py --out "$downloads/whisper-tiny.en"
  spoken="$PWD/$downloads/spoken" # English is the same in all corpora: spoken once
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
    $decode_cmd "$log/$name.log" "${torchrun[@]}" ../local/train_text_llm.py \
      --config "$conf/text_llm.yaml" --text_dirs "${text_dirs[*]}" \
      "${languages[@]}" --out_dir "$downloads/$name" "${training_options[@]}" \
      "${llm_more[@]}" "${more[@]}"
  done
fi
if in_stage 2; then
  if [[ $units == untrained ]]; then encoder_more+=(--max_steps 0); fi
  s2st_encoder "${languages[@]}"
fi
if in_stage 4; then
  s2st_kmeans "${languages[@]}"
fi
if in_stage 8; then
  pair "$first" --stage 4 --stop_stage 4 --dumpdir "$dump" \
    --encoder_dir "../x_en/$encoder_dir" --kmeans_dir "../x_en/$kmeans_dir"
  train_dirs=("$of/data/train") dev_dirs=("$of/data/dev")
  train_units=("$dump/units/train") dev_units=("$dump/units/dev")
  conf=../conf s2st_vocoder
fi
