# shellcheck shell=bash
# Sourced by ../run.sh in a pair's directory: `. ../local/pair.sh es` sets `recipe`, the
# options of a mini recipe; with quick=true those of --quick true. MINI_SHARED=shared/paper is the folder, here and
# in ../x_en, of a grid of ../paper.sh: encoder, codebook, vocoder and text LLM are x_en's.
src="$1"
lexicon="../local/lexicon/$src.yaml"
# Its name, without the environment's Python: that is not there yet.
name="$(sed -n "s/^name: *[\"']*\([^\"'#]*[^\"'# ]\).*/\1/p" "$lexicon")"
if [[ -z $name ]]; then
  echo "pair.sh: $lexicon has no line such as 'name: Dutch'" >&2
  exit 1
fi
place= # of what a run makes, below the pair's folder
if [[ ${quick:-false} == true ]]; then place=quick/; fi
corpus="${place}downloads/corpus"
if [[ -n ${MINI_SHARED:-} ]]; then
  corpus="../x_en/$MINI_SHARED/downloads/corpus/$src"
fi
export MINI_SRC="$src" MINI_CORPUS_DIR="$corpus" MINI_PLACE="$place"
recipe=(--src_lang "$src" --tgt_lang en --conf ../conf --corpus_note ../conf/corpus_note.txt
  --corpus_name "mini CVSS, $src-en"
  --title "mini CVSS, $src-en: a made corpus on a laptop"
  --local_data ../local/prepare.sh --train_split extended
  --common_voice "$corpus/cv-corpus-4-2019-12-10/$src"
  --covost "$corpus/covost_v2.${src}_en.tsv" --cvss "$corpus/cvss_c_${src}_en_v1.0"
  --cascade_prompt "$name: {text}"$'\n'"English:"
  --num_threads 1 --system_threads 1 --device cpu)
if [[ -n ${MINI_SHARED:-} ]]; then
  x="../x_en/$MINI_SHARED"
  recipe+=(--encoder_dir "$x/exp/encoder" --kmeans_dir "$x/exp/kmeans"
    --vocoder_dir "$x/exp/vocoder" --llm "$x/downloads/llm"
    --align_args "--blank_edges false" # as the cells on the committed page were aligned
    --asr "$x/downloads/whisper-tiny.en")
  # Paths in scp files are read from $x as well: they are the same from there.
  own="../${src}_en/$MINI_SHARED"
  recipe+=(--datadir "$own/data" --dumpdir "$own/dump" --expdir "$own/exp")
else
  # Two processes a training; the systems, whose batches are small, one each, side by side.
  recipe+=(--encoder ../conf/w2v_bert --llm "${place}downloads/llm"
    --asr downloads/whisper-tiny.en --one_pass true
    --datadir "${place}data" --dumpdir "${place}dump" --expdir "${place}exp"
    --num_gpus 2 --vocoder_gpus 2 --system_gpus 1 --parallel_systems 2)
  if [[ -n $place ]]; then . ../local/quick.sh; fi
fi
