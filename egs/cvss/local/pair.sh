# shellcheck shell=bash
# Sourced in a recipe's directory: `. ../local/pair.sh pt Portuguese` sets `recipe`, the
# options of a pair. Recipes are siblings and name files as ../<pair>/..., so that what
# one has made is found from all of them.
. ../db.sh

# part FOLDER NAME: the NAME in FOLDER, or the archive in which it is distributed;
# nothing where ../db.sh does not say which FOLDER.
part() {
  if [[ -n $1 && ! -e $1/$2 && -e $1/$2.tar.gz ]]; then
    echo "$1/$2.tar.gz"
  else
    echo "${1:+$1/$2}"
  fi
}

pair="../$1_en"
recipe=(--src_lang "$1" --tgt_lang en --conf ../conf --corpus_name CVSS-C --title "CVSS-C, ${2:-$1} to English"
  --common_voice "$(part "$COMMON_VOICE" "$1")"
  --covost "$(part "$COVOST" "covost_v2.$1_en.tsv")"
  --cvss "$(part "$CVSS" "cvss_c_$1_en_v1.0")"
  --datadir "$pair/data" --dumpdir "$pair/dump" --test_sets "test1k test"
  --one_pass true
  --encoder_dir ../x_en/exp/encoder --kmeans_dir ../x_en/exp/kmeans
  --vocoder_dir ../x_en/exp/vocoder --shared ../x_en/run.sh
  --encoder "$ENCODER" --llm "$LLM" --asr "$ASR" --utmos "${UTMOS:-}"
  --cascade_prompt "${2:-$1}: {text}"$'\n'"English:")
